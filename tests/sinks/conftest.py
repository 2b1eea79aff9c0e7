"""Real ClickHouse in-process for the sink's tests: one client a module (an embedded ClickHouse serves one path a process)."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from clickhouse_connect.driver.client import Client

from sinks.connection import connect
from sinks.migrate import Migrator
from sinks.settings import ClickHouseSettings


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Client, Path]]:
    """A client, and the path it serves."""
    path = tmp_path_factory.mktemp("clickhouse")
    client = connect(ClickHouseSettings(url=f"chdb://{path}"))
    yield client, path
    client.close()


@pytest.fixture(scope="module")
def client(server: tuple[Client, Path]) -> Client:
    """The module's client."""
    return server[0]


@pytest.fixture
def empty(server: tuple[Client, Path]) -> ClickHouseSettings:
    """Settings of a database that does not exist yet."""
    return ClickHouseSettings(url=f"chdb://{server[1]}", database=f"t_{uuid.uuid4().hex[:8]}")


@pytest.fixture(scope="module")
def migrated_once(server: tuple[Client, Path]) -> ClickHouseSettings:
    """A migrated database for the whole module."""
    settings = ClickHouseSettings(url=f"chdb://{server[1]}", database=f"m_{uuid.uuid4().hex[:8]}")
    for _ in Migrator(server[0], settings).up():
        pass
    return settings


@pytest.fixture
def clickhouse(migrated_once: ClickHouseSettings, client: Client) -> ClickHouseSettings:
    """A migrated database with no rows, and with no memory of tokens: tables are made anew."""
    tables = client.query(
        "SELECT name FROM system.tables WHERE database = {d:String} AND engine IN ('ReplacingMergeTree', 'AggregatingMergeTree')",
        parameters={"d": migrated_once.database},
    ).result_rows
    for (name,) in tables:
        client.command(f"TRUNCATE TABLE {migrated_once.database}.{name}")
    return migrated_once
