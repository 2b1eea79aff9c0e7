"""Migrations on real ClickHouse: up from nothing equals the declared schema, interrupted runs go on, surprises are refused."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError

from schemas.metrics import DICTIONARY, Metric, Subject, Unit
from sinks import columns
from sinks.migrate import MigrationRefused, Migrator
from sinks.settings import ClickHouseSettings
from sinks.tables import declared_tables
from sinks.views import declared_views

pytestmark = pytest.mark.embedded


def run(client: Client, settings: ClickHouseSettings) -> list[str]:
    return [step.name for step in Migrator(client, settings).up()]


def test_a_migrated_database_is_the_declared_one(clickhouse: ClickHouseSettings, client: Client) -> None:
    found: dict[str, dict[str, tuple[str, str]]] = {}
    for table, name, kind, comment in client.query(
        "SELECT table, name, type, comment FROM system.columns WHERE database = {d:String}", parameters={"d": clickhouse.database}
    ).result_rows:
        found.setdefault(table, {})[name] = (kind, comment)
    for table in declared_tables("Asia/Shanghai"):
        assert found[table.name] == {column.name: (column.type, column.comment) for column in table.columns}
    migrator = Migrator(client, clickhouse)
    assert migrator.pending() == []
    assert {one.status for one in migrator.status()} == {"COMPLETED", "SKIPPED"}
    assert {one.name for one in migrator.status() if one.status == "SKIPPED"} == {"0014_role_bi_reader", "0015_grant_bi_reader"}
    views = {
        name
        for (name,) in client.query(
            "SELECT name FROM system.tables WHERE database = {d:String} AND engine = 'View'", parameters={"d": clickhouse.database}
        ).result_rows
    }
    assert views == {view.name for view in declared_views(clickhouse.database, "Asia/Shanghai")} | {"complaint_clock"}


def test_every_dictionary_metric_has_a_commented_column(clickhouse: ClickHouseSettings, client: Client) -> None:
    comments = dict(
        client.query(
            "SELECT name, comment FROM system.columns WHERE database = {d:String} AND table = 'customer_metrics'", parameters={"d": clickhouse.database}
        ).result_rows
    )
    for metric in DICTIONARY.values():
        if metric.subject is Subject.CUSTOMER:
            for key in metric.snapshot_keys():
                assert metric.zh in comments[columns.metric_column(key)]
                assert metric.definition in comments[columns.metric_column(key)]


def test_interrupted_after_any_step_it_goes_on(empty: ClickHouseSettings, client: Client) -> None:
    class Broken(Exception):
        pass

    def some(steps: Iterator[object], count: int) -> None:
        for _ in range(count):
            next(steps)
        with pytest.raises(Broken):
            steps.throw(Broken())  # type: ignore[attr-defined]

    for count in (1, 6, 9):
        some(iter(Migrator(client, empty).up()), count)
    assert run(client, empty)
    assert Migrator(client, empty).pending() == []


def test_a_step_in_progress_is_run_again(empty: ClickHouseSettings, client: Client) -> None:
    migrator = Migrator(client, empty)
    steps = iter(migrator.up())
    first = next(steps)
    steps.close()  # type: ignore[attr-defined]
    migrator._write_down(first, "IN_PROGRESS")
    assert migrator.status()[0].status == "IN_PROGRESS"
    assert next(iter(migrator.up())).name == first.name


def test_a_new_metric_plans_one_column_on_each_metrics_table(clickhouse: ClickHouseSettings, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    new = Metric("flow.test.amount", Unit.MONEY, Subject.CUSTOMER, "测试", "Test", "A test's metric", "test", (7,))
    monkeypatch.setitem(DICTIONARY, new.name, new)
    altered = {step.name: step.sql for step in Migrator(client, clickhouse).pending()}
    assert set(altered) == {"customer_metrics", "customer_metrics_latest"}
    assert altered["customer_metrics"].endswith(
        "ADD COLUMN IF NOT EXISTS `flow_test_amount_7d` Int64 COMMENT '测试 (7 d) · Test (7 d): A test\\'s metric. Unit: money. Source: test'"
    )


def test_a_column_changed_by_hand_is_planned_back(clickhouse: ClickHouseSettings, client: Client) -> None:
    client.command(f"ALTER TABLE {clickhouse.database}.complaints MODIFY COLUMN narrative LowCardinality(String)")
    [step] = Migrator(client, clickhouse).pending()
    assert step.sql == f"ALTER TABLE {clickhouse.database}.complaints MODIFY COLUMN `narrative` String"
    assert run(client, clickhouse) == ["complaints"]


def test_a_file_edited_after_it_ran_is_refused(empty: ClickHouseSettings, client: Client) -> None:
    migrator = Migrator(client, empty)
    steps = iter(migrator.up())
    first = next(steps)
    steps.close()  # type: ignore[attr-defined]
    migrator._write_down(type(first)(first.name, first.sql, "0123456789abcdef"), "COMPLETED")
    with pytest.raises(MigrationRefused, match="0001_transactions was edited after it ran"):
        Migrator(client, empty).pending()


def test_a_database_from_a_newer_program_is_refused(empty: ClickHouseSettings, client: Client) -> None:
    migrator = Migrator(client, empty)
    steps = iter(migrator.up())
    first = next(steps)
    steps.close()  # type: ignore[attr-defined]
    migrator._write_down(type(first)("0999_future", first.sql, "0123456789abcdef"), "COMPLETED")
    with pytest.raises(MigrationRefused, match="0999_future, which this program does not know"):
        migrator.pending()


def test_another_zone_is_refused(clickhouse: ClickHouseSettings, client: Client) -> None:
    with pytest.raises(MigrationRefused, match="business days of Asia/Shanghai"):
        Migrator(client, clickhouse.model_copy(update={"business_timezone": "Europe/Prague"})).pending()


def test_one_migration_at_a_time(empty: ClickHouseSettings, client: Client) -> None:
    served = empty.model_copy(update={"url": "http://127.0.0.1:1"})  # not embedded as far as the lock goes
    first = iter(Migrator(client, served).up())
    next(first)
    with pytest.raises(MigrationRefused, match=r"process \d+ is migrating"):
        next(iter(Migrator(client, served).up()))
    assert next(iter(Migrator(client, served).up(break_lock=True)))


def test_role_statements_are_ones_that_clickhouse_parses(empty: ClickHouseSettings, client: Client) -> None:
    roles = [step for step in Migrator(client, empty).pending() if step.skip]
    assert len(roles) == 2
    for step in roles:
        assert "Query" in str(client.command(f"EXPLAIN AST {step.sql}"))
    with pytest.raises(DatabaseError):
        client.command("EXPLAIN AST GRANT NOTHING")


def test_a_step_that_needs_what_an_older_server_lacks_is_skipped_there(empty: ClickHouseSettings, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    names = {"0032_transactions_statistics", "0033_interactions_statistics", "0034_complaints_statistics"}
    assert not names & {step.name for step in Migrator(client, empty).pending() if step.skip}
    monkeypatch.setattr("sinks.migrate._SETTING_OF_TABLES", "table setting auto_")  # then they need a setting that no server has
    assert names <= {step.name for step in Migrator(client, empty).pending() if step.skip == "this ClickHouse has no setting statistics_types of tables"}
    run(client, empty)
    assert {one.status for one in Migrator(client, empty).status() if one.name in names} == {"SKIPPED"}
