"""The garbage collector's pace for a process that keeps customers in hand."""

from __future__ import annotations

import gc
from typing import Final

_ALLOCATIONS: Final = 100_000


def slow_collector() -> None:
    """Look for cycles seldom, and never among what start-up left.

    Customers in hand are some forty containers each, none of them in a cycle: at Python's own pace (every 700 allocations) the
    collector walks over them again and again, for a seventh of the core's time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_ALLOCATIONS, 20, 20)
