"""Computes the ``salary.*`` metrics from the months in which a salary or pension came."""

from __future__ import annotations

from calendar import monthrange

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


class Salary(msgspec.Struct, array_like=True):
    """The last months in which a salary came or was taken back, oldest first."""

    months: list[Month] = msgspec.field(default_factory=list)

    def paid(self, day: Day, amount: int) -> None:
        """A salary came in on this day; a negative amount takes one back in the month of that day."""
        if not amount:
            return
        date = to_date(day)
        number = date.year * 12 + date.month - 1
        months = self.months
        index = len(months)
        while index and months[index - 1].number > number:
            index -= 1
        first = date.day if amount > 0 else _NO_DAY
        if index and months[index - 1].number == number:
            month = months[index - 1]
            month.total += amount
            month.day = min(month.day, first)
        else:
            months.insert(index, Month(number, first, amount))
            if len(months) > MONTHS_KEPT:
                del months[0]

    def with_salary(self) -> list[Month]:
        """The months that had a salary."""
        return [month for month in self.months if month.total > 0]

    def amount(self) -> int | None:
        months = self.with_salary()
        return lower_median([month.total for month in months[-_MONTHS_READ:]]) if months else None

    def day(self) -> int | None:
        months = self.with_salary()
        return lower_median([month.day for month in months[-_MONTHS_READ:]]) if months else None

    def regular_months(self) -> int:
        usual = self.day()
        if usual is None:
            return 0
        run = 0
        months = self.with_salary()
        expected = months[-1].number
        for month in reversed(months):
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
        year, month = divmod(self.with_salary()[-1].number + 1, 12)
        return to_day(to_date(0).replace(year=year, month=month + 1, day=min(usual, monthrange(year, month + 1)[1])))
