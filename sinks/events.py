"""Applied events of one table as they come out of the journal, in both forms in which ClickHouse takes them.

As the journal's lines (``sinks.loads``), which is fast, or as one JSON object a row, which names the table's own columns: for a batch
that holds an event the fast way does not take, and to find the row that ClickHouse refuses. Both give the same rows.
"""

from __future__ import annotations

import re
from typing import Final, Protocol

import msgspec

from schemas import journal
from schemas.events import MODELS, EventKind
from sinks.lines import Text
from sinks.loads import Load, of_lines
from sinks.tables import EVENT_TABLES, Table

_quote: Final = msgspec.json.encode


class Events(Protocol):
    """Events of one table from one partition of the journal."""

    def __len__(self) -> int: ...

    def load(self, table: Table) -> Load:
        """All events at once, for ClickHouse to read."""

    def rows(self) -> list[bytes]:
        """Each event as a JSON object: its own JSON, then our columns and, for us, its original text behind it."""


class EventLines:
    """Taken in line by line."""

    def __init__(self, partition: int) -> None:
        self.partition = partition
        self._lines: list[journal.Line] = []

    def __len__(self) -> int:
        return len(self._lines)

    def add(self, line: journal.Line) -> None:
        """Take the next event."""
        self._lines.append(line)

    def load(self, table: Table) -> Load:
        """See Events."""
        return of_lines(table, self.partition, [_common(line) for line in self._lines])

    def rows(self) -> list[bytes]:
        """See Events."""
        return [_row(self.partition, line) for line in self._lines]


class EventText:
    """Taken in all at once: as they stand in the journal."""

    def __init__(self, partition: int, text: Text) -> None:
        self.partition = partition
        self._text = text

    def __len__(self) -> int:
        return self._text.count

    def load(self, table: Table) -> Load:
        """See Events."""
        return of_lines(table, self.partition, self._text.pieces)

    def rows(self) -> list[bytes]:
        """See Events."""
        return [_row(self.partition, line) for line in lines_of(b"".join(self._text.pieces))]


def _common(line: journal.Line) -> bytes:
    """The line as it would be with the event in it as it stands, on one line."""
    return journal.line(line.kind, line.position, line.offset, line.value.strip().replace(b"\n", b" "), line.trace) + b"\n"


def _row(partition: int, line: journal.Line) -> bytes:
    value = line.value.strip()
    tail = b"" if line.trace is None else b',"_trace":' + _quote(line.trace)
    own = (value[:-1].replace(b"\n", b" "), partition, line.position, line.offset, tail, _quote(value.decode()))
    return b'%b,"_partition":%d,"_position":%d,"_offset":%d%b,"_raw":%b}' % own


_line_head: Final = re.compile(rb'\{"kind":"(\w+)","position":(\d+),"offset":(\d+),"event":').match


def lines_of(chunk: bytes) -> list[journal.Line]:
    """The lines of a journal record. Raises ValueError on what is none."""
    try:
        return journal.read_lines(chunk)
    except ValueError:  # an event that pydantic takes and a strict reader does not is cut out unread
        return [_cut(text) for text in chunk.split(b"\n") if text]


def _cut(text: bytes) -> journal.Line:
    head = _line_head(text)
    if head is None or not text.endswith(b"}}"):
        return journal.read_lines(text)[0]
    kind: EventKind = head[1].decode()  # type: ignore[assignment]
    if kind not in EVENT_TABLES:
        raise ValueError("a journal line of no kind that has a table")
    return journal.Line(kind, int(head[2]), int(head[3]), msgspec.Raw(text[head.end() : -1]))


class _Own(msgspec.Struct):
    raw: str = msgspec.field(name="_raw")
    partition: int = msgspec.field(name="_partition")
    position: int = msgspec.field(name="_position")
    offset: int = msgspec.field(name="_offset")
    trace: str = msgspec.field(name="_trace", default="")


_own: Final = msgspec.json.Decoder(_Own).decode
_KINDS: Final[dict[str, EventKind]] = {table: kind for kind, table in EVENT_TABLES.items()}


class EventRow:
    """What a row of an event table was made from: found again from the row itself when ClickHouse refused it."""

    def __init__(self, table: str, row: bytes) -> None:
        self.kind: EventKind = _KINDS[table]
        own = _own(b"{" + row[row.rindex(b',"_partition":') + 1 :])  # quoted, the event's own text cannot hold this
        self.value: bytes = own.raw.encode()
        self.partition: int = own.partition
        self.offset: int = own.offset
        self._own = own

    def canonical(self) -> bytes:
        """The row with the event as its validated model states it: each field once, no unknown ones. Raises ValueError."""
        event = MODELS[self.kind].model_validate_json(self.value)
        stated = event.model_dump_json(exclude=set(event.model_extra or ()), exclude_unset=True)
        own = {"_partition": self.partition, "_position": self._own.position, "_offset": self.offset, "_trace": self._own.trace, "_raw": self._own.raw}
        return stated[:-1].encode() + b"," + _quote(own)[1:]

    def key(self) -> bytes:
        """The key its input record had: the contract says which."""
        event = MODELS[self.kind].model_validate_json(self.value)
        return str(getattr(event, "customer_id", self.partition)).encode()
