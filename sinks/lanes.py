"""Batches of several topic partitions, written side by side: a lane is a connection to ClickHouse, and one batch at a time.

A batch is a few statements that wait for each other's answers; ClickHouse has more than one core. Partitions do not depend on each
other: each has its own ranges and tokens. Of one partition there is never more than one batch under way.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from sinks.hand import Hand
from sinks.range_store import RangeStore
from sinks.writer import Delayed, Writer


@dataclass(frozen=True, slots=True)
class Lane:
    """For one thread at a time."""

    writer: Writer
    ranges: RangeStore


class Lanes:
    """All calls come from one thread, which works in the first lane itself."""

    def __init__(self, lanes: Sequence[Lane]) -> None:
        self._lanes = lanes
        self._pool = ThreadPoolExecutor(len(lanes) - 1, "sink-lane") if len(lanes) > 1 else None

    @property
    def first(self) -> Lane:
        """The calling thread's."""
        return self._lanes[0]

    def each(self, work: Callable[[Lane, Hand], None], hands: Sequence[Hand]) -> None:
        """Do ``work`` for each hand, at most as many as there are lanes, all at once. Returns when the last has ended.

        Raises what one raised: of several, what is not mended by waiting. The others are done all the same.
        """
        begun = [self._pool.submit(work, lane, item) for lane, item in zip(self._lanes[1:], hands[1:], strict=False)] if self._pool else []
        errors: list[BaseException] = []
        try:
            work(self._lanes[0], hands[0])
        except Exception as error:
            errors.append(error)
        errors += [raised for one in begun if (raised := one.exception()) is not None]
        if errors:
            raise next((error for error in errors if not isinstance(error, Delayed)), errors[0])

    def close(self) -> None:
        """End the threads."""
        if self._pool is not None:
            self._pool.shutdown()
