"""Applied events of one table as they come out of the journal, in both forms in which ClickHouse takes them.

As Arrow columns (``sinks.arrow``), which is fast, or as one JSON object a row, which ClickHouse parses itself: for a batch that
holds an event the fast way does not take, and to find the row that ClickHouse refuses. Both give the same rows.
"""

from __future__ import annotations

import re
from typing import Any, Final, Protocol

import msgspec
import pyarrow

from schemas import journal
from schemas.events import MODELS, EventKind
from sinks.arrow import Stream, stream
from sinks.lines import Lines
from sinks.tables import EVENT_TABLES, Table

_quote: Final = msgspec.json.encode


class Events(Protocol):
    """Events of one table from one partition of the journal."""

    def __len__(self) -> int: ...

    def columns(self, table: Table) -> Stream | None:
        """All events as columns of the table; None where one of them is spelled in a way that only ClickHouse or the model reads."""

    def rows(self) -> list[bytes]:
        """Each event as a JSON object: its own JSON, then our columns behind it."""


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

    def columns(self, table: Table) -> Stream | None:
        """See Events."""
        lines = self._lines
        texts = [bytes(line.event) for line in lines]
        if b"" in texts:
            texts = [line.value.strip() for line in lines]
        values = pyarrow.array(texts, pyarrow.binary())
        if any(b"\n" in text for text in texts):
            texts = [text.replace(b"\n", b" ") for text in texts]
        traces = pyarrow.array([line.trace for line in lines], pyarrow.string())
        positions, offsets = (pyarrow.array(numbers, pyarrow.uint64()) for numbers in ([line.position for line in lines], [line.offset for line in lines]))
        return stream(table.columns, pyarrow.array(texts, pyarrow.binary()), _ours(self.partition, Lines(values, positions, offsets, traces)))

    def rows(self) -> list[bytes]:
        """See Events."""
        return [_row(self.partition, line.position, line.offset, line.trace, line.value.strip()) for line in self._lines]


class EventColumns:
    """Taken in all at once."""

    def __init__(self, partition: int, lines: Lines) -> None:
        self.partition = partition
        self._lines = lines

    def __len__(self) -> int:
        return len(self._lines.values)

    def columns(self, table: Table) -> Stream | None:
        """See Events."""
        return stream(table.columns, self._lines.values, _ours(self.partition, self._lines))

    def rows(self) -> list[bytes]:
        """See Events."""
        values, positions, offsets, traces = self._lines
        of_each = [None] * len(self) if traces is None else traces.to_pylist()
        own = zip(positions.to_pylist(), offsets.to_pylist(), of_each, values.to_pylist(), strict=True)
        return [_row(self.partition, position, offset, trace, value) for position, offset, trace, value in own]


def _ours(partition: int, lines: Lines) -> dict[str, Any]:
    count = len(lines.values)
    return {
        "_partition": pyarrow.repeat(pyarrow.scalar(partition, pyarrow.uint32()), count),
        "_position": lines.positions,
        "_offset": lines.offsets,
        "_trace": pyarrow.nulls(count, pyarrow.string()) if lines.traces is None else lines.traces,
        "_raw": lines.values,
    }


def _row(partition: int, position: int, offset: int, trace: str | None, value: bytes) -> bytes:
    tail = b"" if trace is None else b',"_trace":' + _quote(trace)
    own = (value[:-1].replace(b"\n", b" "), partition, position, offset, tail, _quote(value.decode()))
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
