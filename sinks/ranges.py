"""Which offsets to insert as one: a pure state machine, so that a retry makes exactly the ranges it made before.

A range is written down before its rows are inserted, and the next one only after all rows of the last were confirmed. So the
stored range of a partition is the only one in doubt: what lies before it is in ClickHouse, what lies after it is not. Its rows
are inserted again under the same token, which ClickHouse drops if they are there.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True, order=True)
class Range:
    """Offsets ``first`` to ``last`` of one topic partition, both included; offsets in between may not exist."""

    first: int
    last: int

    def __post_init__(self) -> None:
        if not 0 <= self.first <= self.last:
            raise ValueError(f"no range of offsets: {self.first} to {self.last}")

    def __str__(self) -> str:
        return f"{self.first}-{self.last}"


class Case(StrEnum):
    """How records in hand lie to the stored range."""

    NONE = "none"  # nothing stored: the partition is new
    NEW = "new"  # behind it: the stored range is done
    SAME = "same"  # exactly it: a retry
    OVERLAPPING = "overlapping"  # it, and more behind it
    CONTAINED = "contained"  # within it, its end not yet in hand
    PREVIOUS = "previous"  # before it: done long ago


class Do(StrEnum):
    """What to do with a part of the records in hand."""

    RECORD = "record"  # write the range down, then insert it
    REPEAT = "repeat"  # insert it under the token of the stored range
    SKIP = "skip"  # it is in ClickHouse
    WAIT = "wait"  # gather until the stored range is complete


@dataclass(frozen=True, slots=True)
class Step:
    """Do ``do`` with the records in hand whose offsets lie in ``range``."""

    do: Do
    range: Range


def case_of(stored: Range | None, hand: Range) -> Case:
    """How the records from ``hand.first`` to ``hand.last`` lie to the stored range."""
    if stored is None:
        return Case.NONE
    if hand.first > stored.last:
        return Case.NEW
    if hand.last < stored.first:
        return Case.PREVIOUS
    if hand.last > stored.last:
        return Case.OVERLAPPING
    if hand.last < stored.last:
        return Case.CONTAINED
    return Case.SAME


def next_step(stored: Range | None, hand: Range, reached: int) -> Step:
    """The next thing to do with the records in hand. Done with it, ask again with what is left.

    ``reached`` is the offset up to which the partition has been read: past the stored range it is complete even if its last
    offsets no longer exist. Records before the stored range are skipped first.
    """
    case = case_of(stored, hand)
    if stored is None or case is Case.NEW:
        return Step(Do.RECORD, hand)
    if hand.first < stored.first:
        return Step(Do.SKIP, Range(hand.first, min(hand.last, stored.first - 1)))
    if case is Case.CONTAINED and reached <= stored.last:
        return Step(Do.WAIT, hand)
    return Step(Do.REPEAT, stored)


def token(topic: str, incarnation: str, partition: int, offsets: Range, table: str) -> str:
    """The deduplication token of one insert. It rests on offsets only: the rows need not be the same byte for byte."""
    return f"{topic}@{incarnation}-{partition}-{offsets}-{table}"
