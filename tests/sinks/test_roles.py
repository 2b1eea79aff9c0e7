"""Roles and grants: statements that ClickHouse parses, columns that exist, and views that need nothing that is withheld."""

from __future__ import annotations

import pytest
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError

from sinks.migrate import Migrator
from sinks.roles import WITHHELD, declared_roles
from sinks.settings import ClickHouseSettings
from sinks.tables import declared_tables
from sinks.views import declared_views

pytestmark = pytest.mark.embedded
_ZONE = "Asia/Shanghai"
_VALUES = {"day": "'2026-03-31'", "partition": "0", "position": "0"}


def test_statements_are_ones_that_clickhouse_parses(empty: ClickHouseSettings, client: Client) -> None:
    names = set()
    for grant in declared_roles(empty.database):
        assert "Query" in str(client.command(f"EXPLAIN AST {grant.sql}")) or "query" in str(client.command(f"EXPLAIN AST {grant.sql}")), grant.sql
        names.add(grant.name)
    assert len(names) == len(list(declared_roles(empty.database)))
    with pytest.raises(DatabaseError):
        client.command("EXPLAIN AST GRANT NOTHING")


def test_a_server_that_keeps_users_is_given_every_grant(clickhouse: ClickHouseSettings, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    assert Migrator(client, clickhouse).pending() == []  # an embedded one keeps none
    monkeypatch.setattr(Migrator, "_users", lambda _: True)
    pending = [step.name for step in Migrator(client, clickhouse).pending()]
    assert pending == [grant.name for grant in declared_roles(clickhouse.database)]


def test_what_is_withheld_is_there_and_every_row_of_a_person_has_a_policy() -> None:
    tables = {table.name: {column.name for column in table.columns} for table in declared_tables(_ZONE)}
    for name, columns in WITHHELD.items():
        assert set(columns) <= tables[name]
    assert {name for name, columns in tables.items() if columns & {"_raw", "value_base64", "lines"}} == {*WITHHELD, "ticks"}
    policed = {grant.name.split()[1] for grant in declared_roles("d") if grant.name.endswith("by outlet")}
    assert policed == set(tables) - {"ticks"} | {"reader_outlets"}


def test_views_read_nothing_that_readers_may_not(empty: ClickHouseSettings, client: Client) -> None:
    for _ in Migrator(client, empty).up():
        pass
    client.command(f"ALTER TABLE {empty.database}.dead_letters MODIFY COLUMN value_bytes UInt64 DEFAULT 0")
    client.command(f"ALTER TABLE {empty.database}.late_events MODIFY COLUMN value_bytes UInt64 DEFAULT 0")
    for table, columns in WITHHELD.items():
        client.command(f"ALTER TABLE {empty.database}.{table} {', '.join(f'DROP COLUMN `{column}`' for column in columns)}")
    for view in declared_views(empty.database, _ZONE):
        arguments = ", ".join(f"{name} = {_VALUES[name]}" for name in view.parameters)
        everything = f"SELECT * FROM {empty.database}.{view.name}{f'({arguments})' if arguments else ''} LIMIT 1"
        if view.withheld:
            with pytest.raises(DatabaseError):
                client.query(everything)
            continue
        client.query(everything)
        assert tuple(row[0] for row in client.query(f"DESCRIBE ({everything})").result_rows) == view.columns
        assert all(view.title(column).zh and view.title(column).en for column in view.columns)
