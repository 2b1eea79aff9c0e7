"""What ClickHouse holds, counted without FINAL: rows, distinct rows, by partition of the topic they came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from clickhouse_connect.driver.client import Client

from sinks.tables import Table


@dataclass(frozen=True, slots=True)
class Held:
    """Rows of one table from one partition, and how many of them differ in the table's identity."""

    rows: int
    distinct: int


def held(client: Client, database: str, table: Table, since: Mapping[int, int], column: str) -> dict[int, Held]:
    """Per partition, rows whose ``column`` (position or offset) is at least ``since`` of the partition: what the topic still has."""
    identity = ", ".join(f"`{name}`" for name in table.identity)
    bounds = ", ".join(f"{partition}, {bound}" for partition, bound in since.items() if bound) or "0, 0"
    rows = client.query(
        f"SELECT _partition, count(), uniqExact({identity}) FROM {database}.{table.name}"
        f" WHERE `{column}` >= if(mapContains(map({bounds}), _partition), map({bounds})[_partition], 0) GROUP BY _partition"
    ).result_rows
    return {int(partition): Held(int(count), int(distinct)) for partition, count, distinct in rows}


def first_positions(client: Client, database: str, table: Table) -> dict[int, int]:
    """Per partition, the first journal position that the table still holds: rows past their time to live are gone."""
    rows = client.query(f"SELECT _partition, min(_position) FROM {database}.{table.name} GROUP BY _partition").result_rows
    return {int(partition): int(position) for partition, position in rows}


def latest(client: Client, database: str, view: str) -> int:
    """Rows of a view that shows one row a subject."""
    return int(client.query(f"SELECT count() FROM {database}.{view}").result_rows[0][0])


def originals(client: Client, database: str, since: Mapping[int, int]) -> dict[int, tuple[int, int]]:
    """Per partition: the first journal position whose original JSON is held, and how many positions the records from there on cover.

    Of records that begin at ``since`` of the partition or later. What an earlier version stored has its original JSON in its row.
    """
    bounds = ", ".join(f"{partition}, {bound}" for partition, bound in since.items() if bound) or "0, 0"
    rows = client.query(
        f"SELECT _partition, min(first_position), sum(last_position - first_position + 1) FROM {database}.journal_records"
        f" WHERE first_position >= if(mapContains(map({bounds}), _partition), map({bounds})[_partition], 0) GROUP BY _partition"
    ).result_rows
    return {int(partition): (int(first), int(covered)) for partition, first, covered in rows}
