"""Computes the ``salary.*`` metrics from the months in which a salary or pension came."""

from __future__ import annotations

from calendar import monthrange
from datetime import date
from typing import Any

from schemas.localtime import Day, to_date, to_day
from streams.metrics.median import lower_median

KINDS = frozenset({"salary", "pension"})
MONTHS_KEPT = 13
_MONTHS_READ = 6
_TOLERANCE_DAYS = 3
_NO_DAY = 32  # later than any day of a month


class Month:
    """One local calendar month: ``number`` is year x 12 + month - 1, ``day`` that of its first salary, ``total`` in minor units.

    What was taken back may arrive before what it takes back: such a month's ``total`` is not above 0, and the month counts as one
    without a salary until more comes in.
    """

    __slots__ = ("day", "number", "total")

    def __init__(self, number: int, day: int, total: int) -> None:
        self.number = number
        self.day = day
        self.total = total

    def packed(self) -> tuple[Any, ...]:
        """What is stored."""
        return self.number, self.day, self.total


class _Usual:
    __slots__ = ("amount", "day", "expected_day", "regular_months")

    def __init__(self, amount: int, day: int, regular_months: int, expected_day: Day) -> None:
        self.amount = amount
        self.day = day
        self.regular_months = regular_months
        self.expected_day = expected_day


class Salary:
    """The last months in which a salary came or was taken back, oldest first. What they come to is derived once a payment."""

    __slots__ = ("_known", "_usual_known", "months")

    def __init__(self, months: list[list[int]] | None = None) -> None:
        self.months: list[Month] = [] if months is None else [Month(*stored) for stored in months]
        self._usual_known = False
        self._known: _Usual | None = None

    def packed(self) -> tuple[Any, ...]:
        """What is stored."""
        return ([month.packed() for month in self.months],)

    def paid(self, day: Day, amount: int) -> None:
        """A salary came in on this day; a negative amount takes one back in the month of that day."""
        if not amount:
            return
        self._usual_known = False
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
        usual = self._usual
        return None if usual is None else usual.amount

    def day(self) -> int | None:
        usual = self._usual
        return None if usual is None else usual.day

    def regular_months(self) -> int:
        usual = self._usual
        return 0 if usual is None else usual.regular_months

    def expected_day(self) -> Day | None:
        """Local day on which the next salary is expected."""
        usual = self._usual
        return None if usual is None else usual.expected_day

    @property
    def _usual(self) -> _Usual | None:
        if not self._usual_known:
            self._known = self._derive()
            self._usual_known = True
        return self._known

    def _derive(self) -> _Usual | None:
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
