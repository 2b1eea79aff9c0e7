"""Computes the ``activity.*`` metrics that rest on active days: recency, typical gap, silence."""

from __future__ import annotations

from bisect import bisect_left, insort
from itertools import pairwise

import msgspec

from schemas.localtime import Day
from streams.metrics.median import lower_median

GAPS_KEPT = 24
_GAPS_AT_LEAST = 5


class Activity(msgspec.Struct, array_like=True, dict=True):
    """The last active days, oldest first, and the last day with a customer-initiated transaction."""

    days: list[Day] = msgspec.field(default_factory=list)
    last_transaction: Day | None = None

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
        self.__dict__.pop("gap", None)

    def transacted(self, day: Day) -> None:
        """A posted customer-initiated transaction on this day."""
        if self.last_transaction is None or day > self.last_transaction:
            self.last_transaction = day
        self.active(day)

    @property
    def typical_gap(self) -> int | None:
        """Lower median of the gaps kept, derived once a new active day."""
        known = self.__dict__
        if "gap" not in known:
            known["gap"] = self._lower_median_gap()
        gap: int | None = known["gap"]
        return gap

    def _lower_median_gap(self) -> int | None:
        days = self.days
        if len(days) <= _GAPS_AT_LEAST:
            return None
        return lower_median([later - earlier for earlier, later in pairwise(days)])
