"""Computes the ``salary.*`` metrics from the months in which a salary or pension came."""

from __future__ import annotations

from calendar import monthrange
from datetime import date
from functools import cached_property
from typing import NamedTuple

import msgspec

from schemas.localtime import Day, to_date, to_day
from streams.metrics.median import lower_median

KINDS = frozenset({"salary", "pension"})
MONTHS_KEPT = 13
_MONTHS_READ = 6
_TOLERANCE_DAYS = 3
_NO_DAY = 32  # later than any day of a month


class Month(msgspec.Struct, array_like=True):
    """One local calendar month: ``number`` is year x 12 + month - 1, ``day`` that of its first salary, ``total`` in minor units.

    What was taken back may arrive before what it takes back: such a month's ``total`` is not above 0, and the month counts as one
    without a salary until more comes in.
    """

    number: int
    day: int
    total: int


class _Usual(NamedTuple):
    amount: int
    day: int
    regular_months: int
    expected_day: Day


class Salary(msgspec.Struct, array_like=True, dict=True):
    """The last months in which a salary came or was taken back, oldest first. What they come to is derived once a payment."""

    months: list[Month] = msgspec.field(default_factory=list)

    def paid(self, day: Day, amount: int) -> None:
        """A salary came in on this day; a negative amount takes one back in the month of that day."""
        if not amount:
            return
        self.__dict__.pop("_usual", None)
        paid_on = to_date(day)
        number = paid_on.year * 12 + paid_on.month - 1
        months = self.months
        index = len(months)
        while index and months[index - 1].number > number:
            index -= 1
        first = paid_on.day if amount > 0 else _NO_DAY
        if index and months[index - 1].number == number:
            month = months[index - 1]
            month.total += amount
            month.day = min(month.day, first)
        else:
            months.insert(index, Month(number, first, amount))
            if len(months) > MONTHS_KEPT:
                del months[0]

    def __bool__(self) -> bool:
        """Whether any month had a salary."""
        return self._usual is not None

    def amount(self) -> int | None:
        return self._usual.amount if self._usual else None

    def day(self) -> int | None:
        return self._usual.day if self._usual else None

    def regular_months(self) -> int:
        return self._usual.regular_months if self._usual else 0

    def expected_day(self) -> Day | None:
        """Local day on which the next salary is expected."""
        return self._usual.expected_day if self._usual else None

    @cached_property
    def _usual(self) -> _Usual | None:
        months = [month for month in self.months if month.total > 0]
        if not months:
            return None
        read = months[-_MONTHS_READ:]
        day = lower_median([month.day for month in read])
        regular, expected = 0, months[-1].number
        for month in reversed(months):
            if month.number != expected or abs(month.day - day) > _TOLERANCE_DAYS:
                break
            regular += 1
            expected -= 1
        year, following = divmod(months[-1].number + 1, 12)
        expected_on = date(year, following + 1, min(day, monthrange(year, following + 1)[1]))
        return _Usual(lower_median([month.total for month in read]), day, regular, to_day(expected_on))
