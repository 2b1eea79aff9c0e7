"""The journal's format: chunks of JSON Lines, one line an applied event, in the order in which it was applied.

A line is ``{"kind":K,"position":P,"offset":O,"event":{...}}``: kind first, so that a reader can sort lines without parsing
them; ``position`` counts the partition's entries from 0; ``offset`` is the event's own in the input topic of that kind (same
partition number); ``event`` is the event's bytes as received. Bytes that would break a line (a line feed in pretty-printed
JSON) go into ``"raw"`` as a JSON string instead. ``trace`` carries a W3C traceparent, where the record had one; ``place`` the
time at which a wild tick was taken.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import msgspec

from schemas.events.envelope import EventKind
from schemas.journal_line import line

__all__ = ["JournalEntry", "Line", "line", "read_chunk", "read_line", "read_lines"]


class Line(msgspec.Struct):
    """One line as it stands in a chunk: for whoever reads many at once."""

    kind: EventKind
    position: int
    offset: int
    event: msgspec.Raw = msgspec.Raw()
    raw: str | None = None
    trace: str | None = None
    place: int | None = None

    @property
    def value(self) -> bytes:
        """The event, byte for byte as the input topic held it."""
        return bytes(self.event) if self.raw is None else self.raw.encode()


_decoder = msgspec.json.Decoder(Line)


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """One applied event. ``value`` is byte for byte what the input topic held.

    ``place`` (epoch ms) is where in time a tick was taken, where that is earlier than the tick itself says.
    """

    kind: EventKind
    position: int
    offset: int
    value: bytes
    trace: str | None = None
    place: int | None = None


def read_line(text: bytes) -> JournalEntry:
    """The entry of one line. Raises ValueError (msgspec.DecodeError) on a line that is not one."""
    fields = _decoder.decode(text)
    return JournalEntry(fields.kind, fields.position, fields.offset, fields.value, fields.trace, fields.place)


def read_lines(value: bytes) -> list[Line]:
    """All lines of one journal record, fast. Raises ValueError (msgspec.DecodeError) where one is none, or where an event is not strict JSON."""
    return _decoder.decode_lines(value)


def read_chunk(value: bytes) -> Iterator[JournalEntry]:
    """The entries of one journal record, in order."""
    for text in value.split(b"\n"):
        if text:
            yield read_line(text)
