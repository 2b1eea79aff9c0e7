"""Up from every earlier version ends in the same schema as up from nothing, rows and all."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client

from sinks.migrate import Migrator, Step
from sinks.settings import ClickHouseSettings

pytestmark = pytest.mark.embedded
_FILES = sorted(file.name for file in (resources.files("sinks") / "migrations").iterdir() if file.name.endswith(".sql"))
#: Schemas as earlier versions left them, written down by the server.
_DUMPS = sorted((Path(__file__).parent / "schemas").glob("*.sql"))


class Earlier(Migrator):
    """A program that knows only the first numbered files."""

    known = 0

    def _numbered(self) -> Iterator[Step]:
        return (step for number, step in enumerate(super()._numbered()) if number < self.known)


def schema(client: Client, database: str) -> dict[str, list[Any]]:
    """All that makes up a schema but the order of columns, which an upgrade cannot change."""
    queries = {
        "tables": "SELECT name, engine, engine_full, sorting_key, partition_key, comment FROM system.tables"
        " WHERE database = {d:String} AND engine NOT LIKE '%View'",
        "views": "SELECT name, engine, as_select, comment FROM system.tables WHERE database = {d:String} AND engine LIKE '%View'",
        "columns": "SELECT table, name, type, default_kind, default_expression, compression_codec, comment FROM system.columns WHERE database = {d:String}",
        "indexes": "SELECT table, name, type_full, expr, granularity FROM system.data_skipping_indices WHERE database = {d:String}",
        "projections": "SELECT table, name, query FROM system.projections WHERE database = {d:String}",
    }
    found = {}
    for what, query in queries.items():
        rows = client.query(f"SELECT * FROM ({query}) ORDER BY ALL", parameters={"d": database}).result_rows
        found[what] = [tuple(str(cell).replace(database, "DATABASE") for cell in row) for row in rows]
    return found


def up(client: Client, settings: ClickHouseSettings) -> list[str]:
    return [step.name for step in Migrator(client, settings).up()]


@pytest.fixture(scope="module")
def fresh(server: tuple[Client, Path]) -> dict[str, list[Any]]:
    settings = ClickHouseSettings(url=f"chdb://{server[1]}", database="up_from_nothing")
    up(server[0], settings)
    return schema(server[0], settings.database)


@pytest.mark.parametrize("dump", _DUMPS, ids=lambda path: path.stem)
def test_up_from_a_schema_that_an_earlier_version_left(dump: Path, client: Client, empty: ClickHouseSettings, fresh: dict[str, list[Any]]) -> None:
    client.command(f"CREATE DATABASE {empty.database}")
    for statement in dump.read_text(encoding="utf-8").replace("{database}", empty.database).split(";\n"):
        if statement.strip():
            client.command(statement)
    rows = "SELECT 'a', now64(3), 'core', concat('e', toString(number)), 0, number FROM numbers(10)"
    client.command(f"INSERT INTO {empty.database}.transactions (customer_id, occurred_at, source, event_id, _partition, _position) {rows}")
    assert up(client, empty)
    assert schema(client, empty.database) == fresh
    assert client.query(f"SELECT count(), uniqExact(event_id) FROM {empty.database}.v_events").result_rows == [(10, 10)]
    assert Migrator(client, empty).pending() == []


@pytest.mark.parametrize(
    "known",
    [pytest.param(number, marks=() if number == len(_FILES) - 1 else pytest.mark.long) for number in range(1, len(_FILES))],
    ids=lambda number: _FILES[number - 1],
)
def test_up_from_any_number_of_migrations(
    known: int, client: Client, empty: ClickHouseSettings, fresh: dict[str, list[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Earlier, "known", known)
    steps = Earlier(client, empty).up()
    for step in steps:
        if step.name == _FILES[known - 1].removesuffix(".sql"):
            steps.close()  # type: ignore[attr-defined]
            break
    assert f"{_FILES[known].removesuffix('.sql')}" in up(client, empty)
    assert schema(client, empty.database) == fresh
