"""Ordinary complaints, taken, looked into and answered in time; a few take long."""

from __future__ import annotations

from random import Random
from typing import Final

from deploy.simulator.agenda import Agenda
from deploy.simulator.calendar import DAY
from deploy.simulator.desk import Desk
from deploy.simulator.people import Customer
from deploy.simulator.spending import Spending

_PER_CUSTOMER_DAY: Final = 0.00016
_BUSINESS: Final = ("deposit", "loan", "card", "card", "payment", "wealth", "electronic_banking", "account")
_REASON: Final = ("service", "service", "facilities", "rules_process", "selling", "disclosure", "pricing", "fund_safety", "collection")


class ComplaintDesk:
    """Opens complaints at random and sees them through."""

    def __init__(self, random: Random, agenda: Agenda, desk: Desk, spending: Spending, customers: list[Customer]) -> None:
        self._random = random
        self._agenda = agenda
        self._desk = desk
        self._spending = spending
        self._customers = customers
        self._cases = 0

    def plan(self, day: int) -> None:
        """Decide who complains on a day."""
        expected = len(self._customers) * _PER_CUSTOMER_DAY
        while self._random.random() < expected:
            expected -= 1
            customer = self._random.choice(self._customers)
            if not customer.in_story and not customer.complaining and customer.joined <= day:
                self._agenda.at(day, self._random.randrange(9 * 3600, 18 * 3600), self.receive, customer)

    def next_case(self) -> str:
        """A new case number."""
        self._cases += 1
        return f"TS-{self._cases:05d}"

    def receive(self, day: int, second: int, customer: Customer) -> None:
        """A complaint comes in; its further steps are planned."""
        random, case = self._random, self.open(second, customer)
        pace = 0.4 if random.random() < 0.9 else 1.0
        plan = self._agenda.at
        plan(day + 1, 9 * 3600 + random.randrange(7000), self.step, customer, case, "accepted", {"owner": f"handler-{random.randrange(1, 9)}"})
        if random.random() < 0.05:
            plan(day + 2, 10 * 3600 + random.randrange(7000), self.step, customer, case, "withdrawn", {})
            return
        found = day + 1 + round(pace * random.randrange(3, 7))
        plan(found, 11 * 3600 + random.randrange(7000), self.step, customer, case, "investigated", {"at_fault": random.random() < 0.4})
        answered = found + round(pace * random.randrange(2, 5))
        plan(answered, 14 * 3600 + random.randrange(7000), self.step, customer, case, "answered", {})
        plan(answered, 17 * 3600 + random.randrange(3600), self.step, customer, case, "closed", {})
        if random.random() < 0.4:
            plan(answered + 1, 12 * 3600 + random.randrange(20_000), self._spending.answer, customer, "cooperation", 0 if pace < 1 else 1)

    def open(self, second: int, customer: Customer) -> str:
        """Receive and classify a complaint; returns its case number."""
        random, case = self._random, self.next_case()
        facets = {"business": random.choice(_BUSINESS), "reason": random.choice(_REASON)}
        channel = random.choice(("phone", "phone", "branch", "online", "mobile", "mail"))
        customer.complaining = True
        self._desk.case(second, customer, case, "received", channel=channel, outlet_id=customer.outlet, people=1, **facets)
        self._agenda.at(self._agenda.day, min(second + 1800, DAY - 1), self.step, customer, case, "classified", {"severity": "normal", **facets})
        return case

    def step(self, _: int, second: int, customer: Customer, case: str, step: str, facts: dict[str, object]) -> None:
        """One further step of a case."""
        if step in ("answered", "closed", "withdrawn"):
            customer.complaining = False
        self._desk.case(second, customer, case, step, **facts)
