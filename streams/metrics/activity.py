"""Computes the ``activity.*`` metrics that rest on active days: recency, typical gap, silence."""

from __future__ import annotations

from bisect import bisect_left, insort
from itertools import pairwise
from typing import Any

from schemas.localtime import Day
from streams.metrics.median import lower_median

GAPS_KEPT = 24
_GAPS_AT_LEAST = 5


class Activity:
    """The last active days, oldest first, and the last day with a customer-initiated transaction."""

    __slots__ = ("_gap", "_gap_known", "days", "last_transaction")

    def __init__(self, days: list[Day] | None = None, last_transaction: Day | None = None) -> None:
        self.days: list[Day] = [] if days is None else days
        self.last_transaction = last_transaction
        self._gap: int | None = None
        self._gap_known = False

    def packed(self) -> tuple[Any, ...]:
        """What is stored."""
        return self.days, self.last_transaction

    def active(self, day: Day) -> None:
        """The customer did something on this day."""
        days = self.days
        if days and days[-1] == day:
            return
        if not days or day > days[-1]:
            days.append(day)
        elif days[bisect_left(days, day)] != day:
            insort(days, day)
        if len(days) > GAPS_KEPT + 1:
            del days[0]
        self._gap_known = False

    def transacted(self, day: Day) -> None:
        """A posted customer-initiated transaction on this day."""
        if self.last_transaction is None or day > self.last_transaction:
            self.last_transaction = day
        self.active(day)

    @property
    def typical_gap(self) -> int | None:
        """Lower median of the gaps kept, derived once a new active day."""
        if not self._gap_known:
            self._gap = self._lower_median_gap()
            self._gap_known = True
        return self._gap

    def _lower_median_gap(self) -> int | None:
        days = self.days
        if len(days) <= _GAPS_AT_LEAST:
            return None
        return lower_median([later - earlier for earlier, later in pairwise(days)])
