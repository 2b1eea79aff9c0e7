"""Fills a table anew beside the old one, compares the two, and puts the new one in its place.

Nothing of the old table changes until the swap, which is one atomic EXCHANGE a table. The comparison needs no join over the
columns: a sum of hashes for each column, keyed by the row's identity, tells whether a column differs anywhere at all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from clickhouse_connect.driver.client import Client

from sinks.errors import Fate, fate_of
from sinks.events import EventRow
from sinks.tables import EVENT_TABLES, Table

#: Not compared: it says when a row was inserted, and that is now.
_LEFT_OUT: Final = frozenset({"_ingested_at"})
SUFFIX: Final = "__backfill"
#: Empty in rows of this version: the shadow may have what the old table has not.
_RAW: Final = "_raw"
_EVENTS: Final = frozenset(EVENT_TABLES.values())


class ShadowExists(Exception):
    """A shadow table is there already: of a backfill that runs, or of one that ended halfway. One line: what, and what to do."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """The old table and its shadow. ``differing``: how many rows differ in a column, among those that both have."""

    table: str
    old_rows: int
    new_rows: int
    only_old: int
    only_new: int
    differing: dict[str, int]

    def unexpected(self, columns: Sequence[str]) -> list[str]:
        """What is not accounted for by a change of ``columns``, in words."""
        found = []
        if self.only_old:
            found.append(f"{self.only_old} rows of {self.table} are not in the journal any more")
        if self.only_new:
            found.append(f"{self.only_new} rows are new to {self.table}")
        if self.old_rows - self.only_old != self.new_rows - self.only_new:
            found.append(f"{self.table} holds {self.old_rows} rows, its shadow {self.new_rows}")
        found += [f"{self.table}.{column} differs in {rows} rows" for column, rows in self.differing.items() if column not in columns]
        return found


class Shadow:
    """The shadow of one table. ``refused`` counts rows that ClickHouse does not take: they were no rows before either."""

    def __init__(self, client: Client, database: str, table: Table) -> None:
        self._client = client
        self._database = database
        self.table = table
        self.name = f"{table.name}{SUFFIX}"
        self.rows = 0
        self.refused = 0
        self._given = table.given

    def create(self) -> None:
        """An empty table of the same structure. Raises ShadowExists."""
        if self._client.query(f"EXISTS TABLE {self._database}.{self.name}").result_rows[0][0]:
            raise ShadowExists(f"{self._database}.{self.name} exists: another backfill runs, or one ended halfway; if none runs: --restart")
        self._client.command(f"CREATE TABLE {self._database}.{self.name} AS {self._database}.{self.table.name}")
        if self.table.name in _EVENTS and self._client.query(f"SELECT 1 FROM {self._old} WHERE {_RAW} != '' LIMIT 1").result_rows:
            self._given = (*self.table.given, _RAW)  # an earlier version kept the original JSON in the row: nothing of it may be lost

    def drop(self) -> None:
        """Remove it, or, after the swap, the old table that has its name."""
        self._client.command(f"DROP TABLE IF EXISTS {self._database}.{self.name} SYNC")

    def insert(self, rows: Sequence[bytes]) -> None:
        """Rows as the sink makes them. A row that is refused is written again from its model, as the sink does, and else counted."""
        try:
            self._client.raw_insert(f"{self._database}.{self.name}", self._given, b"\n".join(rows), fmt="JSONEachRow", settings={"insert_deduplicate": 0})
            self.rows += len(rows)
            return
        except Exception as error:
            if fate_of(error) is not Fate.ROWS:
                raise
        if len(rows) > 1:
            middle = len(rows) // 2
            self.insert(rows[:middle])
            self.insert(rows[middle:])
            return
        self._insert_canonical(rows[0])

    def _insert_canonical(self, row: bytes) -> None:
        try:
            if self.table.name not in _EVENTS:
                raise ValueError("only an event has another way to be written")
            canonical = EventRow(self.table.name, row).canonical()
            self._client.raw_insert(f"{self._database}.{self.name}", self._given, canonical, fmt="JSONEachRow", settings={"insert_deduplicate": 0})
            self.rows += 1
        except Exception as error:
            if not isinstance(error, ValueError) and fate_of(error) is not Fate.ROWS:
                raise
            self.refused += 1

    def fill_from_history(self, history: Shadow) -> None:
        """Of a table that keeps the newest: the newest rows of its history's shadow."""
        columns = ", ".join(f"`{column.name}`" for column in self.table.columns)
        key = ", ".join(self.table.identity)
        self._client.command(
            f"INSERT INTO {self._database}.{self.name} ({columns}) SELECT {columns} FROM {self._database}.{history.name}"
            f" ORDER BY {key}, revision DESC LIMIT 1 BY {key}"
        )

    def offsets(self, partition: int) -> list[int]:
        """Topic offsets of the old rows of a partition, in order: what a replay cannot know."""
        query = f"SELECT _offset FROM {self._database}.{self.table.name} WHERE _partition = {partition} ORDER BY _offset"
        return [int(row[0]) for row in self._client.query(query).result_rows]

    def compare(self, progress: Callable[[str], None]) -> Comparison:
        """Count what differs."""
        key = ", ".join(f"`{name}`" for name in self.table.identity)
        columns = [column.name for column in self.table.columns if column.name not in _LEFT_OUT and column.name not in self.table.identity]
        progress(f"comparing {self.table.name}")
        old, new = (self._hashes(table, key, columns) for table in (self._old, self._new))
        only_old, only_new = 0, 0
        if old[:2] != new[:2]:
            only_old, only_new = self._only(self._old, self._new, key), self._only(self._new, self._old, key)
        suspects = columns if only_old or only_new else [column for column, one, other in zip(columns, old[2:], new[2:], strict=True) if one != other]
        differing = {column: rows for column in suspects if (rows := self._differing(column))}
        return Comparison(self.table.name, old[0], new[0], only_old, only_new, differing)

    def swap(self) -> None:
        """The shadow takes the table's name, and the other way round, at once."""
        self._client.command(f"EXCHANGE TABLES {self._old} AND {self._new}")

    @property
    def _old(self) -> str:
        return f"{self._database}.{self.table.name}"

    @property
    def _new(self) -> str:
        return f"{self._database}.{self.name}"

    def _final(self) -> str:
        return " FINAL" if self.table.latest else ""

    def _hashes(self, table: str, key: str, columns: Sequence[str]) -> list[int]:
        """Rows, and the sums of the hashes of keys and of each column with its key."""
        sums = ", ".join(f"sum(cityHash64({key}, {_hashable(column)}))" for column in columns)
        return [int(value) for value in self._client.query(f"SELECT count(), sum(cityHash64({key})), {sums} FROM {table}{self._final()}").result_rows[0]]

    def _only(self, table: str, other: str, key: str) -> int:
        query = f"SELECT count() FROM {table}{self._final()} WHERE ({key}) NOT IN (SELECT {key} FROM {other}{self._final()})"
        return int(self._client.query(query).result_rows[0][0])

    def _differing(self, column: str) -> int:
        key = ", ".join(f"`{name}`" for name in self.table.identity)
        held = f" WHERE {_RAW} != ''" if column == _RAW and self.table.name in _EVENTS else ""
        query = (
            f"SELECT count() FROM (SELECT {key}, {_hashable(column)} AS h FROM {self._old}{self._final()}{held}) AS o"
            f" INNER JOIN (SELECT {key}, {_hashable(column)} AS h FROM {self._new}{self._final()}) AS n USING ({key}) WHERE o.h != n.h"
        )
        return int(self._client.query(query).result_rows[0][0])


def _hashable(column: str) -> str:
    """NULL and the type's default must not look alike, whatever the type."""
    return f"cityHash64(toJSONString(tuple(`{column}`)))"
