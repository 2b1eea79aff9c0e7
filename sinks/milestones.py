"""The points of a batch's way at which a sink may be interrupted, named, so that whoever watches one can say where it is."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum


class Milestone(StrEnum):
    """What has just happened, in the order in which it happens to a batch."""

    RANGE_CHOSEN = "range chosen"  # and is not written down
    RANGE_STORED = "range stored"  # and none of its rows is sent
    INSERTED = "inserted"  # the rows of one table are confirmed
    BATCH_STORED = "batch stored"  # the rows of all tables are
    COMMITTING = "committing"  # the offsets are not yet sent
    COMMITTED = "committed"


Observer = Callable[[Milestone], None]


def unobserved(_: Milestone) -> None:
    """Nobody watches."""
