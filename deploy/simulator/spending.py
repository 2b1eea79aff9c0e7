"""What customers do on their own account, each at their own rhythm: purchases, transfers, cash, logins, visits. The hot path."""

from __future__ import annotations

from bisect import bisect
from random import Random
from typing import Final

from deploy.simulator.agenda import Agenda
from deploy.simulator.calendar import lived_second
from deploy.simulator.desk import Desk
from deploy.simulator.people import Customer

_PERSON: Final = (
    ("login", 0.24),
    ("card_purchase", 0.42),
    ("transfer_out", 0.11),
    ("transfer_in", 0.045),
    ("withdrawal", 0.05),
    ("deposit", 0.02),
    ("utility_payment", 0.055),
    ("visit", 0.02),
    ("call", 0.02),
    ("enquiry", 0.01),
    ("message", 0.005),
    ("large_purchase", 0.005),
)
_ENTERPRISE: Final = (("login", 0.25), ("transfer_out", 0.34), ("transfer_in", 0.34), ("visit", 0.04), ("call", 0.03))
_CATEGORIES: Final = ("grocery", "restaurant", "clothing", "transport", "fuel", "pharmacy", "household", "leisure")
_OTHER_BANKS: Final = ("bank-b", "bank-c", "bank-d", "bank-e")
_CASH_CEILING: Final = 3_000_000  # ordinary people do not pay in more than CNY 30,000 at a time


def _cumulative(shares: tuple[tuple[str, float], ...]) -> tuple[list[float], tuple[str, ...]]:
    total, bounds, whole = 0.0, [], sum(share for _, share in shares)
    for _, share in shares:
        total += share / whole
        bounds.append(total)
    bounds[-1] = 1.0
    return bounds, tuple(name for name, _ in shares)


_PERSON_BOUNDS, _PERSON_ACTS = _cumulative(_PERSON)
_ENTERPRISE_BOUNDS, _ENTERPRISE_ACTS = _cumulative(_ENTERPRISE)


class Spending:
    """Each customer has one next activity on the agenda at any time."""

    def __init__(self, random: Random, agenda: Agenda, desk: Desk) -> None:
        self._random = random
        self._agenda = agenda
        self._desk = desk

    def plan(self, customer: Customer) -> None:
        """Put the customer's next activity on the agenda."""
        day = int(customer.clock)
        self._agenda.at(day, lived_second(customer.clock - day), self.act, customer)

    def act(self, day: int, second: int, customer: Customer) -> None:
        """One activity, and the plan for the next."""
        if customer.silent_from is not None and day >= customer.silent_from:
            return
        random = self._random
        if customer.income == "enterprise":
            self._business(second, customer, _ENTERPRISE_ACTS[bisect(_ENTERPRISE_BOUNDS, random.random())])
        else:
            self._person(day, second, customer, _PERSON_ACTS[bisect(_PERSON_BOUNDS, random.random())])
        gap = random.expovariate(customer.rate)
        if not customer.in_story and random.random() < 0.002:
            gap += random.uniform(6, 14)  # a holiday
        customer.clock += min(gap, 25.0)
        day = int(customer.clock)
        self._agenda.at(day, lived_second(customer.clock - day), self.act, customer)

    def _amount(self, customer: Customer, share: float) -> int:
        """A spending around ``share`` of the usual one; less when the balance is low, more when it is high."""
        ease = customer.balance / customer.target
        ease = 0.2 if ease < 0.2 else 1.8 if ease > 1.8 else ease
        amount = int(customer.spend * share * ease * (0.25 + self._random.expovariate(1.3)))
        return max(100, min(amount, customer.balance // 8))

    def _person(self, day: int, second: int, customer: Customer, act: str) -> None:
        random, desk = self._random, self._desk
        if act == "card_purchase":
            category = _CATEGORIES[int(random.random() * 8)]
            merchant = {"id": f"m{int(random.random() * 5000):04d}", "category": category}
            desk.book(second, customer, act, self._amount(customer, 0.85), False, "pos", merchant=merchant)
        elif act == "login":
            desk.contact(second, customer, act, "mobile" if random.random() < 0.85 else "online")
        elif act == "transfer_out":
            desk.book(second, customer, "transfer", self._amount(customer, 2.6), False, "mobile", counterparty=self._elsewhere())
        elif act == "transfer_in":
            amount = max(100, int(customer.spend * (0.3 + random.expovariate(0.9))))
            desk.book(second, customer, "transfer", amount, True, "mobile", counterparty=self._elsewhere())
        elif act == "withdrawal":
            amount = max(10_000, self._amount(customer, 2.0) // 10_000 * 10_000)
            desk.book(second, customer, act, min(amount, 2_000_000), False, "atm", outlet_id=customer.outlet)
        elif act == "deposit":
            amount = max(10_000, int(customer.spend * (0.5 + random.expovariate(0.8))) // 10_000 * 10_000)
            desk.book(second, customer, act, min(amount, _CASH_CEILING), True, "branch", outlet_id=customer.outlet)
        elif act == "utility_payment":
            desk.book(second, customer, act, self._amount(customer, 0.8), False, "mobile")
        elif act == "large_purchase":
            desk.book(second, customer, "card_purchase", self._amount(customer, 9.0), False, "pos", merchant={"id": "m9001", "category": "durables"})
        else:
            self._service(day, second, customer, act)

    def _business(self, second: int, customer: Customer, act: str) -> None:
        if act == "transfer_out":
            ease = min(1.6, max(0.2, customer.balance / customer.target))
            amount = int(customer.spend * ease * (0.6 + self._random.expovariate(2.5)))
            self._desk.book(second, customer, "transfer", max(100, amount), False, "online", counterparty=self._elsewhere())
        elif act == "transfer_in":
            amount = int(customer.spend * (0.6 + self._random.expovariate(2.5)))
            self._desk.book(second, customer, "transfer", max(100, amount), True, "online", counterparty=self._elsewhere())
        elif act == "login":
            self._desk.contact(second, customer, act, "online")
        else:
            self._service(self._agenda.day, second, customer, act)

    def _service(self, day: int, second: int, customer: Customer, act: str) -> None:
        random, desk = self._random, self._desk
        if act == "visit":
            wait, handling = round(random.expovariate(1 / 480)), round(60 + random.expovariate(1 / 420))
            desk.contact(second, customer, act, "branch", outlet_id=customer.outlet, wait_seconds=wait, handling_seconds=handling, outcome="served")
            if random.random() < 0.12:
                self._agenda.at(day, second + 3600 + int(random.random() * 7200), self.answer, customer, "service", 0)
        elif act == "call":
            wait = round(random.expovariate(1 / 70))
            if wait > 180 and random.random() < 0.6:
                desk.contact(second, customer, act, "phone", wait_seconds=wait, outcome="abandoned")
                return
            outcome = "resolved" if random.random() < 0.85 else "unresolved"
            desk.contact(second, customer, act, "phone", wait_seconds=wait, handling_seconds=round(40 + random.expovariate(1 / 160)), outcome=outcome)
        elif act == "enquiry":
            desk.contact(second, customer, act, "chat", handling_seconds=round(30 + random.expovariate(1 / 200)), outcome="served")
        else:
            desk.contact(second, customer, act, "mail", initiator="customer", outcome="served")

    def answer(self, _: int, second: int, customer: Customer, dimension: str, lower: int) -> None:
        """A CSAT answer, 1 to 5, ``lower`` points below the usual."""
        score = self._random.choice((3, 4, 4, 4, 5, 5, 5, 5, 5, 5))
        self._desk.contact(
            second, customer, "survey_answer", "mobile", instrument="csat", dimension=dimension, score=max(1, score - lower), scale_min=1, scale_max=5
        )

    def _elsewhere(self) -> dict[str, str]:
        draw = self._random.random()
        return {"bank": _OTHER_BANKS[int(draw * 4)], "account": f"x{int(draw * 1e7):07d}"}
