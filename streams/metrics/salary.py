"""Computes the ``salary.*`` metrics from the months in which a salary or pension came."""

from __future__ import annotations

from calendar import monthrange

import msgspec

from streams.calendar import Day, to_date, to_day
from streams.metrics.median import lower_median

KINDS = frozenset({"salary", "pension"})
MONTHS_KEPT = 13
_MONTHS_READ = 6
_TOLERANCE_DAYS = 3


class Month(msgspec.Struct, array_like=True):
    """One local calendar month: ``number`` is year x 12 + month - 1, ``day`` that of its first salary, ``total`` in minor units."""

    number: int
    day: int
    total: int


class Salary(msgspec.Struct, array_like=True):
    """The last months with a salary, oldest first."""

    months: list[Month] = msgspec.field(default_factory=list)

    def paid(self, day: Day, amount: int) -> None:
        """A salary came in on this day (a negative amount takes one back; a month left with nothing had none)."""
        date = to_date(day)
        number = date.year * 12 + date.month - 1
        months = self.months
        index = len(months)
        while index and months[index - 1].number > number:
            index -= 1
        if index and months[index - 1].number == number:
            month = months[index - 1]
            month.total += amount
            if amount > 0:
                month.day = min(month.day, date.day)
            if month.total <= 0:
                del months[index - 1]
        elif amount > 0:
            months.insert(index, Month(number, date.day, amount))
            if len(months) > MONTHS_KEPT:
                del months[0]

    def amount(self) -> int | None:
        return lower_median([month.total for month in self.months[-_MONTHS_READ:]]) if self.months else None

    def day(self) -> int | None:
        return lower_median([month.day for month in self.months[-_MONTHS_READ:]]) if self.months else None

    def regular_months(self) -> int:
        usual = self.day()
        if usual is None:
            return 0
        run = 0
        expected = self.months[-1].number
        for month in reversed(self.months):
            if month.number != expected or abs(month.day - usual) > _TOLERANCE_DAYS:
                break
            run += 1
            expected -= 1
        return run

    def expected_day(self) -> Day | None:
        """Local day on which the next salary is expected."""
        usual = self.day()
        if usual is None:
            return None
        year, month = divmod(self.months[-1].number + 1, 12)
        return to_day(to_date(0).replace(year=year, month=month + 1, day=min(usual, monthrange(year, month + 1)[1])))
