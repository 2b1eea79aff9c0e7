"""The lines of many journal records by kind, as text that ClickHouse reads as it is: no Python object for an event.

Only lines as ``schemas.journal.line`` writes them, with the event as it stands: a line with the event quoted in ``raw``, a tick
with its ``place``, or anything unknown, and all of the batch is read line by line instead.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import pyarrow
import pyarrow.compute as compute

from schemas.events import EventKind
from sinks.tables import EVENT_TABLES

#: So many bytes at a time stay in the processor's cache, and in memory that was used before: a third off.
_AT_ONCE: Final = 2 * 2**20
#: Arrow counts a text's bytes in 31 bits.
_LARGEST: Final = 2**31 - 2**20
_KINDS: Final[dict[EventKind, bytes]] = {kind: f'{{"kind":"{kind}",'.encode() for kind in EVENT_TABLES}
_HEAD: Final = rf'^\{{"kind":"(?:{"|".join(EVENT_TABLES)})","position":[0-9]+,"offset":[0-9]+,"event":\{{'
_TRACED: Final = r'\},"trace":"[^"\\]*"\}$'


@dataclass(slots=True)
class Text:
    """Lines of one kind in their order, each with its line feed: ``pieces`` follow each other."""

    count: int = 0
    pieces: list[Any] = field(default_factory=list)


def split(chunks: Sequence[bytes]) -> dict[EventKind, Text] | None:
    """The lines of journal records by kind; None where one of them is not of the common form."""
    found: dict[EventKind, Text] = {}
    for some in _groups(chunks):
        whole = b"\n".join(some)
        if len(whole) > _LARGEST:
            return None
        lines = compute.split_pattern(pyarrow.array([whole], pyarrow.binary()), b"\n").values
        if not compute.all(compute.match_substring_regex(lines, _HEAD)).as_py() or not _ends_well(lines):
            return None
        for kind, head in _KINDS.items():
            of_kind = lines.filter(compute.starts_with(lines, head))
            if len(of_kind):
                text = found.setdefault(kind, Text())
                text.count += len(of_kind)
                text.pieces += (_joined(of_kind), b"\n")
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


def _ends_well(lines: Any) -> bool:
    """Whether behind each event there is nothing but a trace, if that. Nothing else ends so: an event ends with a brace."""
    bare = compute.ends_with(lines, b"}}")
    if compute.all(bare).as_py():
        return True
    others = lines.filter(compute.invert(bare))
    return bool(compute.all(compute.match_substring_regex(others, _TRACED)).as_py())


def _joined(lines: Any) -> Any:
    whole = pyarrow.ListArray.from_arrays(pyarrow.array([0, len(lines)], pyarrow.int32()), lines)
    return compute.binary_join(whole, b"\n")[0].as_buffer()
