"""Writes the journal's lines; ``schemas.journal`` says what they hold, and reads them."""

from __future__ import annotations

from typing import Final

import msgspec

from schemas.events.envelope import EventKind

_quote: Final = msgspec.json.encode


def line(kind: EventKind, position: int, offset: int, value: bytes, trace: str | None = None, place: int | None = None) -> bytes:
    """One journal line, without its line feed."""
    tail = b"" if trace is None else b',"trace":' + _quote(trace)
    if place is not None:
        tail += b',"place":%d' % place
    if b"\n" in value or value[:1] != b"{" or value[-1:] != b"}":
        return b'{"kind":"%s","position":%d,"offset":%d,"raw":%s%s}' % (kind.encode(), position, offset, _quote(value.decode()), tail)
    return b'{"kind":"%s","position":%d,"offset":%d,"event":%s%s}' % (kind.encode(), position, offset, value, tail)
