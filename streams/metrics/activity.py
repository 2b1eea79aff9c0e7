"""Computes the ``activity.*`` metrics that rest on active days: recency, typical gap, silence."""

from __future__ import annotations

from bisect import bisect_left, insort
from typing import Any

from schemas.localtime import Day

GAPS_KEPT = 24
_GAPS_AT_LEAST = 5


class Activity:
    """The last active days, oldest first, and the last day with a customer-initiated transaction."""

    __slots__ = ("_gaps", "days", "last_transaction")

    def __init__(self, days: list[Day] | None = None, last_transaction: Day | None = None) -> None:
        self.days: list[Day] = [] if days is None else days
        self.last_transaction = last_transaction
        self._gaps: list[int] | None = None  # smallest first, derived when first asked for and then moved on

    def packed(self) -> tuple[Any, ...]:
        """What is stored."""
        return self.days, self.last_transaction

    def active(self, day: Day) -> None:
        """The customer did something on this day."""
        days, gaps = self.days, self._gaps
        if days and days[-1] == day:
            return
        if not days or day > days[-1]:
            if gaps is not None and days:
                insort(gaps, day - days[-1])
            days.append(day)
        elif days[bisect_left(days, day)] != day:
            insort(days, day)
            gaps = self._gaps = None
        if len(days) > GAPS_KEPT + 1:
            if gaps is not None:
                del gaps[bisect_left(gaps, days[1] - days[0])]
            del days[0]

    def transacted(self, day: Day) -> None:
        """A posted customer-initiated transaction on this day."""
        if self.last_transaction is None or day > self.last_transaction:
            self.last_transaction = day
        self.active(day)

    @property
    def typical_gap(self) -> int | None:
        """Lower median of the gaps kept; None with fewer than five."""
        days, gaps = self.days, self._gaps
        if len(days) <= _GAPS_AT_LEAST:
            return None
        if gaps is None:
            gaps = self._gaps = sorted([days[index] - days[index - 1] for index in range(1, len(days))])
        return gaps[(len(gaps) - 1) // 2]
