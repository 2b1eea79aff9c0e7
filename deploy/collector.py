"""The garbage collector's pace for a process that keeps customers in hand."""

from __future__ import annotations

import gc
from typing import Final

_ALLOCATIONS: Final = 3_000_000


def slow_collector() -> None:
    """Look for cycles seldom, and never among what start-up left.

    A customer in hand is some 140 containers, none of them in a cycle, and a worker keeps up to twenty thousand customers. At a pace below
    that the collector walks over them again and again: a quarter of the core's time where customers come and go, in pauses of up to
    a second. What a worker leaves in cycles is a few objects a second.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_ALLOCATIONS, 20, 20)
