"""The lines of many journal records by kind, as text that ClickHouse reads as it is: no Python object for an event.

Only lines as ``schemas.journal.line`` writes them, with the event as it stands: a line with the event quoted in ``raw``, a tick
with its ``place``, or anything unknown, and all of the batch is read line by line instead.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy
import pyarrow
import pyarrow.compute as compute

from schemas.events import EventKind
from sinks.tables import EVENT_TABLES

#: So many bytes at a time stay in the processor's cache, and in memory that was used before: a third off.
_AT_ONCE: Final = 2 * 2**20
#: Arrow counts a text's bytes in 31 bits.
_LARGEST: Final = 2**31 - 2**20
_LINE_FEED: Final = ord("\n")
_KINDS: Final[dict[EventKind, bytes]] = {kind: f'{{"kind":"{kind}",'.encode() for kind in EVENT_TABLES}
_HEAD: Final = rf'^\{{"kind":"(?:{"|".join(EVENT_TABLES)})","position":[0-9]+,"offset":[0-9]+,"event":\{{'
_TRACED: Final = r'\},"trace":"[^"\\]*"\}\n$'


@dataclass(slots=True)
class Text:
    """Lines of one kind in their order, each with its line feed: ``pieces`` follow each other."""

    count: int = 0
    pieces: list[Any] = field(default_factory=list)


def split(chunks: Sequence[bytes]) -> dict[EventKind, Text] | None:
    """The lines of journal records by kind; None where one of them is not of the common form."""
    found: dict[EventKind, Text] = {}
    for some in _groups(chunks):
        whole = b"\n".join((*some, b""))
        if len(whole) > _LARGEST:
            return None
        lines = _lines(whole)
        if not compute.all(compute.match_substring_regex(lines, _HEAD)).as_py() or not _ends_well(lines):
            return None
        for kind, head in _KINDS.items():
            of_kind = lines.filter(compute.starts_with(lines, head))
            if len(of_kind):
                text = found.setdefault(kind, Text())
                text.count += len(of_kind)
                text.pieces.append(_text(of_kind))
    return found


def _groups(chunks: Sequence[bytes]) -> Iterator[list[bytes]]:
    group: list[bytes] = []
    size = 0
    for chunk in chunks:
        group.append(chunk)
        size += len(chunk)
        if size >= _AT_ONCE:
            yield group
            group, size = [], 0
    if group:
        yield group


def _lines(whole: bytes) -> Any:
    """Each with its line feed, where it stands: nothing is copied, and what is picked of them is already the text to send."""
    ends = numpy.flatnonzero(numpy.frombuffer(whole, numpy.uint8) == _LINE_FEED)
    bounds = numpy.zeros(len(ends) + 1, numpy.int32)
    bounds[1:] = ends + 1
    return pyarrow.Array.from_buffers(pyarrow.binary(), len(ends), [None, pyarrow.py_buffer(bounds), pyarrow.py_buffer(whole)])


def _ends_well(lines: Any) -> bool:
    """Whether behind each event there is nothing but a trace, if that. Nothing else ends so: an event ends with a brace."""
    bare = compute.ends_with(lines, b"}}\n")
    if compute.all(bare).as_py():
        return True
    others = lines.filter(compute.invert(bare))
    return bool(compute.all(compute.match_substring_regex(others, _TRACED)).as_py())


def _text(lines: Any) -> Any:
    """The bytes of lines that follow each other in memory, as those do that a filter picked."""
    _, bounds, bytes_ = lines.buffers()
    edges = numpy.frombuffer(bounds, numpy.int32)
    return bytes_[int(edges[lines.offset]) : int(edges[lines.offset + len(lines)])]
