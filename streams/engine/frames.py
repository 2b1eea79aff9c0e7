"""Frames: what one poll brought for one topic partition, handed to its lane as one piece."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from streams.engine.ports import Place
from streams.records import Record


class PolledFrame(NamedTuple):
    """``start`` and ``end`` are the consumer's positions before and after the poll.

    They include offsets that hold no record (transaction markers, compacted ones), so that consecutive frames join without a gap
    or something was lost on the way.
    """

    records: Sequence[Record]
    start: int
    end: int
    place: Place
