"""Records made ready for their tables, at once or ahead of time: what costs the sink's own time, and needs neither Kafka nor ClickHouse.

While one batch is being inserted, ClickHouse works and the sink waits: a second thread makes the next one ready meanwhile. That is a
guess about what comes next. A batch is made of exactly its records in any case: what was made ready of others is not taken.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

from sinks.events import Events
from sinks.loads import Load
from sinks.rows import Record, rows_of
from sinks.source import Place
from sinks.tables import Table


@dataclass(frozen=True, slots=True)
class Prepared:
    """The rows of some records by table, of those from the journal ready to be sent too, and the records that are not in their format."""

    rows: Mapping[str, list[bytes] | Events] = field(default_factory=dict)
    loads: Mapping[str, Load] = field(default_factory=dict)
    malformed: Sequence[Record] = ()


def prepare(place: Place, records: Sequence[Record], tables: Mapping[str, Table]) -> Prepared:
    """Make records of one topic partition ready, in the order in which they are there."""
    malformed: list[Record] = []
    rows = rows_of(*place, records, malformed)
    return Prepared(rows, {name: of.load(tables[name]) for name, of in rows.items() if not isinstance(of, list)}, malformed)


class Ahead:
    """Makes one batch ready in a second thread. All calls come from one other thread."""

    def __init__(self, tables: Mapping[str, Table]) -> None:
        self._tables = tables
        self._pool: ThreadPoolExecutor | None = None
        self._under_way: tuple[Place, Sequence[Record], Future[Prepared]] | None = None

    @property
    def free(self) -> bool:
        """Whether nothing is under way, or waits to be taken."""
        return self._under_way is None

    def start(self, place: Place, records: Sequence[Record]) -> None:
        """Begin with the records that will probably be asked for next of this place."""
        self._pool = self._pool or ThreadPoolExecutor(1, "sink-ahead")
        self._under_way = place, records, self._pool.submit(prepare, place, records, self._tables)

    def take(self, place: Place, records: Sequence[Record]) -> Prepared:
        """These records, made ready: ahead of time if just these were begun, else now."""
        if self._under_way is not None and self._under_way[0] == place:
            _, begun, made = self._under_way
            self._under_way = None
            if begun == records:
                return made.result()
        return prepare(place, records, self._tables)

    def forget(self, place: Place) -> None:
        """Let go of what was begun for this place."""
        if self._under_way is not None and self._under_way[0] == place:
            self._under_way = None

    def close(self) -> None:
        """Wait for what is under way, and end the thread."""
        self._under_way = None
        if self._pool is not None:
            self._pool.shutdown()
            self._pool = None
