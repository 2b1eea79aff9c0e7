"""Where the range in doubt is written down: in ClickHouse beside the rows, or in memory for tests.

``claim`` is a compare-and-set: of two sinks that go on from the same offset (one of them lost its partition without noticing)
the first one's range stands, and both go on with that one, under the same tokens. So even an undead sink adds nothing.
"""

from __future__ import annotations

from typing import Protocol

from clickhouse_connect.driver.client import Client

from sinks.ranges import Range, token


class RangeStore(Protocol):
    """The stored range of each topic partition."""

    def load(self, topics: list[str]) -> dict[tuple[str, int], Range]:
        """The last range written down of every partition of these topics that has one."""

    def claim(self, topic: str, partition: int, offsets: Range) -> Range:
        """Write a range down. Returns the one that stands, which may be another sink's."""


class MemoryRanges:
    """For tests: survives the sink, not the process."""

    def __init__(self) -> None:
        self.ranges: dict[tuple[str, int], Range] = {}

    def load(self, topics: list[str]) -> dict[tuple[str, int], Range]:
        return {place: stored for place, stored in self.ranges.items() if place[0] in topics}

    def claim(self, topic: str, partition: int, offsets: Range) -> Range:
        stored = self.ranges.get((topic, partition))
        if stored is None or offsets.first > stored.last:
            self.ranges[topic, partition] = stored = offsets
        return stored


class ClickHouseRanges:
    """The table ``sink_ranges``. ``incarnations`` are topic ids: a topic deleted and made anew has no stored range."""

    def __init__(self, client: Client, database: str, incarnations: dict[str, str]) -> None:
        self._client = client
        self._table = f"{database}.sink_ranges"
        self._incarnations = incarnations

    def load(self, topics: list[str]) -> dict[tuple[str, int], Range]:
        rows = self._client.query(
            f"SELECT topic, incarnation, partition, max(first), argMax(last, first) FROM {self._table}"
            " WHERE topic IN {topics:Array(String)} GROUP BY topic, incarnation, partition",
            parameters={"topics": topics},
        ).result_rows
        return {(topic, int(partition)): Range(first, last) for topic, of, partition, first, last in rows if of == self._incarnations[topic]}

    def claim(self, topic: str, partition: int, offsets: Range) -> Range:
        incarnation = self._incarnations[topic]
        self._client.insert(
            self._table,
            [[topic, incarnation, partition, offsets.first, offsets.last]],
            column_names=["topic", "incarnation", "partition", "first", "last"],
            column_type_names=["String", "String", "UInt32", "UInt64", "UInt64"],
            settings={"insert_deduplication_token": token(topic, incarnation, partition, Range(offsets.first, offsets.first), "sink_ranges")},
        )
        stands = self.load([topic]).get((topic, partition))
        if stands is None:
            raise RuntimeError(f"{self._table} does not keep what was written: is it the table of the migrations?")
        return stands
