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


class _Line(msgspec.Struct):
    kind: EventKind
    position: int
    offset: int
    event: msgspec.Raw = msgspec.Raw()
    raw: str | None = None
    trace: str | None = None
    place: int | None = None


_decode = msgspec.json.Decoder(_Line).decode
_quote = msgspec.json.encode


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


def line(kind: EventKind, position: int, offset: int, value: bytes, trace: str | None = None, place: int | None = None) -> bytes:
    """One journal line, without its line feed."""
    tail = b"" if trace is None else b',"trace":' + _quote(trace)
    if place is not None:
        tail += b',"place":%d' % place
    if b"\n" in value or value[:1] != b"{" or value[-1:] != b"}":
        return b'{"kind":"%s","position":%d,"offset":%d,"raw":%s%s}' % (kind.encode(), position, offset, _quote(value.decode()), tail)
    return b'{"kind":"%s","position":%d,"offset":%d,"event":%s%s}' % (kind.encode(), position, offset, value, tail)


def read_line(text: bytes) -> JournalEntry:
    """The entry of one line. Raises ValueError (msgspec.DecodeError) on a line that is not one."""
    fields = _decode(text)
    value = bytes(fields.event) if fields.raw is None else fields.raw.encode()
    return JournalEntry(fields.kind, fields.position, fields.offset, value, fields.trace, fields.place)


def read_chunk(value: bytes) -> Iterator[JournalEntry]:
    """The entries of one journal record, in order."""
    for text in value.split(b"\n"):
        if text:
            yield read_line(text)
