"""Money that comes by the calendar: salaries, pensions, takings, interest, premiums."""

from __future__ import annotations

from random import Random
from typing import Final

from deploy.simulator.agenda import Agenda
from deploy.simulator.calendar import Calendar
from deploy.simulator.desk import Desk
from deploy.simulator.people import Customer

_PENSION_DAY: Final = 15
_SALARY_DAY: Final = 10
_INTEREST_DAY: Final = 21
_INTEREST_PER_QUARTER: Final = 0.0005  # 0.2 % a year on demand deposits


class Income:
    """Each regular payment has its next date on the agenda."""

    def __init__(self, random: Random, agenda: Agenda, desk: Desk, calendar: Calendar) -> None:
        self._random = random
        self._agenda = agenda
        self._desk = desk
        self._calendar = calendar

    def plan(self, customer: Customer) -> None:
        """Start the customer's regular payments."""
        first = self._calendar.date(max(0, customer.joined))
        if customer.income == "salary":
            self._plan_salary(customer, first.year, first.month)
        elif customer.income == "pension":
            self._plan(customer, first.year, first.month, _PENSION_DAY, self.pension)
        elif customer.income == "own_business":
            self._agenda.at(max(0, customer.joined) + self._random.randrange(1, 9), self._second(), self.takings, customer)
        self._plan(customer, first.year, (first.month + 2) // 3 * 3, _INTEREST_DAY, self.interest)
        if customer.is_person and self._random.random() < 0.15:
            self._plan(customer, first.year, first.month, self._random.randrange(2, 28), self.premium)

    def _second(self) -> int:
        return self._random.randrange(8 * 3600, 11 * 3600)

    def _plan(self, customer: Customer, year: int, month: int, day: int, action: object) -> None:
        when = self._calendar.day_of(year, month, day)
        if when < max(0, customer.joined):
            year, month = year + month // 12, month % 12 + 1
            when = max(0, self._calendar.day_of(year, month, day))
        self._agenda.at(when, self._second(), action, customer)  # type: ignore[arg-type]

    def _plan_salary(self, customer: Customer, year: int, month: int) -> None:
        self._plan(customer, year, month, _SALARY_DAY + self._random.choice((-1, 0, 0, 0, 1)), self.salary)

    def salary(self, day: int, second: int, customer: Customer) -> None:
        """A month's salary, unless it has stopped for good."""
        if customer.salary_stops is not None and day >= customer.salary_stops:
            return
        amount = round(customer.monthly * self._random.uniform(0.99, 1.01) / 100) * 100
        self._desk.book(second, customer, "salary", amount, True, "system", counterparty={"account": f"employer-{customer.id[-2:]}", "bank": "bank-a"})
        now = self._calendar.date(day)
        self._plan_salary(customer, now.year, now.month + 1)

    def pension(self, day: int, second: int, customer: Customer) -> None:
        """A month's pension."""
        self._desk.book(second, customer, "pension", customer.monthly, True, "system", counterparty={"account": "pension-office", "bank": "bank-a"})
        now = self._calendar.date(day)
        self._plan(customer, now.year, now.month + 1, _PENSION_DAY, self.pension)

    def takings(self, day: int, second: int, customer: Customer) -> None:
        """A week's takings of one's own business."""
        amount = max(100, round(customer.monthly / 4.3 * self._random.uniform(0.6, 1.4)))
        self._desk.book(second, customer, "transfer", amount, True, "mobile", counterparty={"account": "payment-platform", "bank": "bank-p"})
        self._agenda.at(day + self._random.randrange(6, 9), self._second(), self.takings, customer)

    def interest(self, day: int, second: int, customer: Customer) -> None:
        """A quarter's interest."""
        amount = int(max(0, customer.balance) * _INTEREST_PER_QUARTER)
        if amount:
            self._desk.book(second, customer, "interest", amount, True, "system")
        now = self._calendar.date(day)
        self._plan(customer, now.year, now.month + 3, _INTEREST_DAY, self.interest)

    def premium(self, day: int, second: int, customer: Customer) -> None:
        """A month's insurance premium, by direct debit."""
        self._desk.book(second, customer, "insurance_premium", max(2_000, customer.monthly // 60), False, "system")
        now = self._calendar.date(day)
        self._plan(customer, now.year, now.month + 1, now.day, self.premium)
