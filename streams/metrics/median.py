"""The lower median: an element of the sample, so that whole days and minor units stay whole."""

from __future__ import annotations

from collections.abc import Sequence


def lower_median(values: Sequence[int]) -> int:
    """The middle value, or the lower of the two middle ones. Raises IndexError on an empty sample."""
    return sorted(values)[(len(values) - 1) // 2]
