"""The bank's time, kept in a few rows: the same as over all ticks and snapshots, wherever an insert was cut off or a table changed places."""

from __future__ import annotations

from typing import Any

import pytest
from clickhouse_connect.driver.client import Client

from sinks.settings import ClickHouseSettings

pytestmark = pytest.mark.embedded


@pytest.fixture
def d(clickhouse: ClickHouseSettings) -> str:
    return clickhouse.database


def ticked(client: Client, d: str, partition: int, first: int, last: int, settings: str = "") -> None:
    """A tick a second, of these seconds."""
    rows = f"SELECT fromUnixTimestamp64Milli((1700000000 + number) * 1000, 'UTC'), {partition}, number FROM numbers({first}, {last - first + 1})"
    client.command(f"INSERT INTO {d}.ticks (occurred_at, _partition, _position) {settings} {rows}")


def snapshot(client: Client, d: str, second: int, revision: int) -> None:
    client.command(f"INSERT INTO {d}.customer_metrics (customer_id, as_of, revision) VALUES ('a', '{1700000000 + second}', {revision})")


def seconds(client: Client, d: str) -> list[Any]:
    query = f"SELECT toUnixTimestamp(as_of) - 1700000000, partitions, business_day = toDate32(toTimeZone(as_of, 'Asia/Shanghai')) FROM {d}.v_clock"
    [(second, partitions, day)] = client.query(query).result_rows
    assert day
    return [second, partitions]


def over_all(client: Client, d: str) -> list[Any]:
    ticks = f"SELECT max(occurred_at) AS at FROM {d}.ticks GROUP BY _partition"
    [row] = client.query(f"SELECT toUnixTimestamp(min(at)) - 1700000000, count() FROM ({ticks})").result_rows
    return list(row)


def test_the_clock_is_the_instant_that_every_partition_has_passed(client: Client, d: str) -> None:
    assert seconds(client, d) == [-1700000000, 0]
    snapshot(client, d, 77, 1)
    snapshot(client, d, 66, 2)
    assert seconds(client, d) == [77, 0]
    for partition, first, last in ((0, 0, 9), (1, 0, 4), (0, 10, 30), (1, 2, 3), (2, 0, 20)):
        ticked(client, d, partition, first, last)
        assert seconds(client, d) == over_all(client, d)
    client.command(f"OPTIMIZE TABLE {d}.clock FINAL")
    assert seconds(client, d) == [4, 3]


def test_an_insert_that_was_cut_off_before_the_clock_moves_it_when_it_is_repeated(client: Client, d: str) -> None:
    token = "SETTINGS insert_deduplication_token = 'of a range'"
    ticked(client, d, 0, 0, 9, token)
    client.command(f"TRUNCATE TABLE {d}.clock")  # as if the server had died between the two
    ticked(client, d, 0, 0, 9, token)
    assert client.query(f"SELECT count() FROM {d}.ticks").result_rows == [(10,)]
    assert seconds(client, d) == [9, 1]


def test_it_goes_on_after_tables_changed_places(client: Client, d: str) -> None:
    client.command(f"CREATE TABLE {d}.customer_metrics__backfill AS {d}.customer_metrics")
    snapshot(client, d, 1, 1)
    client.command(f"EXCHANGE TABLES {d}.customer_metrics AND {d}.customer_metrics__backfill")
    client.command(f"DROP TABLE {d}.customer_metrics__backfill SYNC")
    snapshot(client, d, 8, 2)
    assert seconds(client, d) == [8, 0]
