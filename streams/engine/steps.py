"""The named steps of a lane's life, announced to an observer: where a test may strike, and what a schedule may be made of.

Between two of them lies everything that must be all or nothing. An observer is called in whatever thread takes the step, and holds
that thread up for as long as it runs; what it raises fails the lane as if the step itself had failed.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum


class Step(StrEnum):
    """In the order in which they come. The steps of a transaction are taken only on a broker that has transactions."""

    recovering = "recovering"  # earlier owners are fenced, the changelog has not been read
    opened = "opened"  # the state is recovered, nothing has been applied
    polled = "polled"  # records have arrived at the lane
    applied = "applied"  # a frame is computed, no transaction has begun
    begun = "begun"  # the transaction has begun and is empty
    outputs_sent = "outputs-sent"  # journal and outputs are on their way, the changelog is not
    states_sent = "states-sent"  # all of the frame is on its way, the commit is not
    committed = "committed"  # the frame is durable, its offsets are not marked
    marked = "marked"  # its offsets may be committed to the group
    revoked = "revoked"  # a rebalance has begun, the frame being written is not finished
    assigned = "assigned"  # the rebalance gave the lane to this worker


Observer = Callable[[Step, int], None]


def unobserved(_step: Step, _number: int) -> None:
    """The observer of a worker that nobody watches."""
