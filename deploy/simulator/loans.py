"""Loans: disbursed, due every month, repaid on the day; now and then a few days late."""

from __future__ import annotations

from random import Random
from typing import Final

from deploy.simulator.agenda import Agenda
from deploy.simulator.calendar import Calendar
from deploy.simulator.desk import Desk
from deploy.simulator.people import Customer, Loan

_LATE_SHARE: Final = 0.004
_TERM: Final = 36


class Lending:
    """Every loan has its next due day on the agenda."""

    def __init__(self, random: Random, agenda: Agenda, desk: Desk, calendar: Calendar, days: int) -> None:
        self._random = random
        self._agenda = agenda
        self._desk = desk
        self._calendar = calendar
        self._days = days

    def plan(self, customer: Customer) -> None:
        """Give some customers a loan: most had it before the simulation began, some take it within."""
        if not customer.is_person or customer.joined > 0 or self._random.random() >= 0.15:
            return
        random = self._random
        loan = Loan(
            loan_id=f"l{customer.id[1:]}",
            account_id=f"la{customer.id[1:]}",
            instalment=max(10_000, customer.monthly * random.randrange(10, 22) // 100 // 100 * 100),
            due_on=random.randrange(3, 29),
            number=random.randrange(1, 20),
            last=_TERM,
        )
        customer.loan = loan
        if random.random() < 0.12 and self._days > 60:
            loan.number = 1
            self._agenda.at(random.randrange(5, self._days - 40), 10 * 3600, self.disburse, customer, loan)
        else:
            first = self._calendar.date(0)
            when = self._calendar.day_of(first.year, first.month, loan.due_on)
            self._plan_due(customer, loan, when if when >= 1 else self._calendar.day_of(first.year, first.month + 1, loan.due_on))

    def _plan_due(self, customer: Customer, loan: Loan, day: int) -> None:
        self._agenda.at(day, 1800, self.due, customer, loan)

    def disburse(self, day: int, second: int, customer: Customer, loan: Loan) -> None:
        """The money comes in and goes to the seller within the hour."""
        amount = loan.instalment * 7
        self._desk.note(second, customer, "product_opened", amount, product_line="loan", account_id=loan.account_id, loan_id=loan.loan_id)
        self._agenda.at(day, second + 60, self._pay_out, customer, loan, amount)
        now = self._calendar.date(day)
        self._plan_due(customer, loan, self._calendar.day_of(now.year, now.month + 1, loan.due_on))

    def _pay_out(self, day: int, second: int, customer: Customer, loan: Loan, amount: int) -> None:
        self._desk.book(second, customer, "loan_disbursement", amount, True, "branch", outlet_id=customer.outlet, loan_id=loan.loan_id)
        self._agenda.at(day, second + 1800, self._pay_seller, customer, amount * 9 // 10)

    def _pay_seller(self, _: int, second: int, customer: Customer, amount: int) -> None:
        seller = {"bank": "bank-c", "account": "seller-account"}
        self._desk.book(second, customer, "transfer", amount, False, "branch", outlet_id=customer.outlet, counterparty=seller)

    def due(self, day: int, second: int, customer: Customer, loan: Loan) -> None:
        """An instalment falls due; its repayment and the next due day are planned."""
        self._desk.note(
            second, customer, "instalment_due", loan.instalment, product_line="loan", account_id=loan.account_id, loan_id=loan.loan_id, instalment=loan.number
        )
        if loan.stops_at is None or loan.number < loan.stops_at:
            late = self._random.randrange(1, 5) if not customer.in_story and self._random.random() < _LATE_SHARE else 0
            self._agenda.at(day + late, 9 * 3600 + self._random.randrange(3600), self.repay, customer, loan, loan.number)
        if loan.number < loan.last:
            loan.number += 1
            now = self._calendar.date(day)
            self._plan_due(customer, loan, self._calendar.day_of(now.year, now.month + 1, loan.due_on))

    def repay(self, _: int, second: int, customer: Customer, loan: Loan, number: int) -> None:
        """One instalment is paid from the deposit account."""
        self._desk.book(second, customer, "loan_repayment", loan.instalment, False, "system", loan_id=loan.loan_id, instalment=number)
