"""The lines of many journal records at once, as Arrow arrays: no Python object for an event.

Only lines as ``schemas.journal.line`` writes them, with the event as it stands: a line with the event quoted in ``raw``, a tick
with its ``place``, or anything unknown, and all of the batch is read line by line instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import pyarrow
import pyarrow.compute as compute

from schemas.events import EventKind
from sinks.tables import EVENT_TABLES

#: Arrow counts a text's bytes in 31 bits.
LARGEST: Final = 2**31 - 2**20


class Lines(NamedTuple):
    """All lines of one kind in their order: Arrow arrays of one length. ``traces`` is None where no line has one."""

    values: Any
    positions: Any
    offsets: Any
    traces: Any


def split(chunks: Sequence[bytes]) -> dict[EventKind, Lines] | None:
    """The lines of journal records by kind; None where one of them is not of the common form."""
    if sum(map(len, chunks)) + len(chunks) > LARGEST:
        return None
    lines = compute.split_pattern(pyarrow.array([b"\n".join(chunks)], pyarrow.binary()), b"\n").values
    found: dict[EventKind, Lines] = {}
    known = 0
    for kind in EVENT_TABLES:
        head = b'{"kind":"%s","position":' % kind.encode()
        of_kind = lines.filter(compute.starts_with(lines, head))
        if len(of_kind):
            cut = _cut(compute.binary_slice(of_kind, len(head), LARGEST))
            if cut is None:
                return None
            found[kind] = cut
            known += len(of_kind)
    return found if known == len(lines) else None


def _cut(lines: Any) -> Lines | None:
    """Each line from behind ``"position":`` on, taken apart."""
    halves = _halves(lines, b',"event":')
    numbers = halves and _halves(halves[0], b',"offset":')
    if not halves or not numbers:
        return None
    values = compute.binary_slice(halves[1], 0, -1)
    bare, traced = compute.ends_with(halves[1], b"}}"), compute.ends_with(halves[1], b'"}')  # nothing else ends so: an event ends with a brace
    if not compute.all(compute.or_(bare, traced)).as_py():
        return None
    traces = None
    if compute.any(traced).as_py():
        ends = _halves(halves[1].filter(traced), b',"trace":"', reverse=True)
        if ends is None or compute.any(compute.match_substring(ends[1], b"\\")).as_py() or not compute.all(compute.ends_with(ends[0], b"}")).as_py():
            return None
        values = compute.replace_with_mask(values, traced, ends[0])
        nothing = pyarrow.nulls(len(lines), pyarrow.binary())
        traces = compute.replace_with_mask(nothing, traced, compute.binary_slice(ends[1], 0, -2))
    try:
        positions, offsets = (number.cast(pyarrow.string()).cast(pyarrow.uint64()) for number in numbers)
        return Lines(values, positions, offsets, None if traces is None else traces.cast(pyarrow.string()))
    except pyarrow.ArrowInvalid:
        return None


def _halves(texts: Any, mark: bytes, *, reverse: bool = False) -> tuple[Any, Any] | None:
    """What stands before and behind a mark; None where a text has none."""
    parts = compute.split_pattern(texts, mark, max_splits=1, reverse=reverse)
    if compute.min(compute.list_value_length(parts)).as_py() != 2:
        return None
    return compute.list_element(parts, 0), compute.list_element(parts, 1)
