"""The planted stories: who they happen to, what happens, and the label that says what should be noticed and by when."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from random import Random
from typing import Any, Final

from deploy.simulator.agenda import Agenda
from deploy.simulator.calendar import Calendar
from deploy.simulator.complaints import ComplaintDesk
from deploy.simulator.desk import Desk
from deploy.simulator.people import Customer
from deploy.simulator.story_names import EXPECTED_RULES, STORIES

__all__ = ["STORIES", "Label", "Stories"]

_CUSTOMERS_PER_STORY: Final = 700
_WEALTHY: Final = 100_000_000  # CNY 1,000,000
_COMPETITOR: Final = {"bank": "bank-e", "account": "own-account-elsewhere"}


@dataclass(frozen=True)
class Label:
    """What was planted. ``subject`` is the customer, loan or case; ``detect_by`` the latest moment at which a warning is in time."""

    story: str
    customer_id: str
    subject: str
    starts_at: str
    expected_rules: tuple[str, ...]
    detect_by: str

    def as_dict(self) -> dict[str, Any]:
        """The label as one JSON object."""
        return asdict(self) | {"expected_rules": list(self.expected_rules)}


class Stories:
    """Plants every wanted story once per 700 customers, at least once, each on a customer of its own."""

    def __init__(self, random: Random, agenda: Agenda, desk: Desk, calendar: Calendar, complaints: ComplaintDesk, customers: list[Customer], days: int) -> None:
        self._random = random
        self._agenda = agenda
        self._desk = desk
        self._calendar = calendar
        self._complaints = complaints
        self._days = days
        self._people = [customer for customer in customers if customer.is_person and customer.is_here()]
        self._each = max(1, len(customers) // _CUSTOMERS_PER_STORY)
        self.labels: list[Label] = []
        self.left_out: dict[str, str] = {}

    def plant(self, names: tuple[str, ...]) -> None:
        """Plant the stories named; one that does not fit is left out, with the reason in ``left_out``."""
        plots: dict[str, tuple[int, int, Callable[[Customer], bool], Callable[[Customer, int], Label]]] = {
            # story: first day it may start, days it takes, whom it can happen to, how it goes
            "salary_gone": (115, 20, lambda c: c.income == "salary", self._salary_gone),
            "wealthy_silent": (100, 36, lambda c: c.loan is None and c.rate >= 0.5 and c.income in ("salary", "pension"), self._wealthy_silent),
            "deposits_drain": (125, 28, lambda c: c.loan is None, self._deposits_drain),
            "instalment_rolls_90": (31, 124, lambda c: c.loan is not None and c.loan.number > 1, self._instalment_rolls_90),
            "complaint_passes_limit": (40, 45, Customer.is_here, self._complaint_passes_limit),
            "ignored_complaint_reopened": (60, 45, Customer.is_here, self._ignored_complaint_reopened),
            "structured_cash": (60, 4, lambda c: c.income == "own_business", self._structured_cash),
        }
        for name in (name for name in STORIES if name in names):
            earliest, takes, fits, plot = plots[name]
            latest = self._days - takes
            if latest < earliest:
                self.left_out[name] = f"needs {earliest + takes} days, the bank lives {self._days}"
                continue
            chosen = list(self._choose(fits))
            if not chosen:
                self.left_out[name] = "no customer that it could happen to: simulate more customers"
            for customer in chosen:
                customer.in_story = True
                self.labels.append(plot(customer, self._random.randrange(earliest, latest + 1)))

    def _choose(self, fits: Callable[[Customer], bool]) -> Iterator[Customer]:
        able = [customer for customer in self._people if not customer.in_story and fits(customer)]
        return iter(self._random.sample(able, min(self._each, len(able))))

    def _label(self, story: str, customer: Customer, subject: str, starts: int, by: int) -> Label:
        return Label(story, customer.id, subject, self._calendar.stamp(starts, 0), EXPECTED_RULES[story], self._calendar.stamp(by, 0))

    def _salary_gone(self, customer: Customer, day: int) -> Label:
        """The salary of a month, and every later one, does not come."""
        when = self._calendar.date(day)
        expected = self._calendar.day_of(when.year, when.month, 10)
        if expected + 14 > self._days:
            expected = self._calendar.day_of(when.year, when.month - 1, 10) if when.month > 1 else self._calendar.day_of(when.year - 1, 12, 10)
        customer.salary_stops = expected - 5
        return self._label("salary_gone", customer, customer.id, expected - 5, expected + 13)

    def _wealthy_silent(self, customer: Customer, day: int) -> Label:
        """A wealthy customer does nothing any more; the money stays for now."""
        self._make_wealthy(customer)
        customer.silent_from = day
        return self._label("wealthy_silent", customer, customer.id, day, day + 34)

    def _deposits_drain(self, customer: Customer, day: int) -> Label:
        """Most of a large balance goes to a competitor in some three weeks."""
        self._make_wealthy(customer)
        for step in range(8):
            self._agenda.at(day + step * 2 + self._random.randrange(2), self._random.randrange(9 * 3600, 20 * 3600), self._drain, customer)
        return self._label("deposits_drain", customer, customer.id, day, day + 20)

    def _make_wealthy(self, customer: Customer) -> None:
        customer.balance = customer.target = max(customer.target, self._random.randrange(_WEALTHY, 4 * _WEALTHY))
        customer.profile["tier"] = "gold"

    def _drain(self, _: int, second: int, customer: Customer) -> None:
        amount = customer.balance * 22 // 100 // 100_000 * 100_000
        if amount > 0:
            self._desk.book(second, customer, "transfer", amount, False, "mobile", counterparty=_COMPETITOR)

    def _instalment_rolls_90(self, customer: Customer, day: int) -> Label:
        """From one instalment on, nothing is repaid."""
        loan = customer.loan
        assert loan is not None
        first = self._calendar.date(0)
        months = [self._calendar.day_of(first.year, first.month + ahead, loan.due_on) for ahead in range(40)]
        dues = [due for due in months if due >= 1]
        missed = max(index for index, due in enumerate(dues) if due <= day)
        loan.stops_at = loan.number + missed
        loan.last = max(loan.last, loan.stops_at + 12)
        return self._label("instalment_rolls_90", customer, loan.loan_id, dues[missed], dues[missed] + 92)

    def _complaint_passes_limit(self, customer: Customer, day: int) -> Label:
        """A complaint is taken and then forgotten until long after its limit."""
        case = self._take(customer, day)
        self._step(day + 40, customer, case, "answered", {})
        self._step(day + 41, customer, case, "closed", {})
        return self._label("complaint_passes_limit", customer, case, day, day + 30)

    def _ignored_complaint_reopened(self, customer: Customer, day: int) -> Label:
        """Closed without a real answer, reopened by an angry customer who says so in a survey, then taken to the regulator."""
        case = self._take(customer, day)
        self._step(day + 4, customer, case, "closed", {"at_fault": False})
        self._step(day + 8, customer, case, "reopened", {"channel": "phone", "severity": "serious"})
        for ahead, dimension in ((9, "cooperation"), (10, "overall"), (10, "service")):
            self._agenda.at(day + ahead, self._random.randrange(10 * 3600, 20 * 3600), self._rate_badly, customer, dimension, case)
        self._agenda.at(day + 11, 11 * 3600 + self._random.randrange(3600), self._call_in_vain, customer, case)
        self._step(day + 18, customer, case, "escalated", {"channel": "regulator", "severity": "major"})
        return self._label("ignored_complaint_reopened", customer, case, day + 8, day + 14)

    def _take(self, customer: Customer, day: int) -> str:
        case = self._complaints.next_case()
        facets = {"business": "card", "reason": "service"}
        more = {"channel": "phone", "outlet_id": customer.outlet, "people": 1, **facets}
        self._agenda.at(day, 10 * 3600 + self._random.randrange(20_000), self._complaints.step, customer, case, "received", more)
        self._step(day + 1, customer, case, "classified", {"severity": "normal", **facets})
        self._step(day + 2, customer, case, "accepted", {"owner": f"handler-{self._random.randrange(1, 9)}"})
        return case

    def _step(self, day: int, customer: Customer, case: str, step: str, facts: dict[str, object]) -> None:
        self._agenda.at(day, 10 * 3600 + self._random.randrange(20_000), self._complaints.step, customer, case, step, facts)

    def _rate_badly(self, _: int, second: int, customer: Customer, dimension: str, case: str) -> None:
        self._desk.contact(second, customer, "survey_answer", "mobile", instrument="csat", dimension=dimension, score=1, scale_min=1, scale_max=5, case_id=case)

    def _call_in_vain(self, _: int, second: int, customer: Customer, case: str) -> None:
        self._desk.contact(second, customer, "call", "phone", wait_seconds=960, handling_seconds=75, outcome="unresolved", case_id=case)

    def _structured_cash(self, customer: Customer, day: int) -> Label:
        """Cash is paid in at several outlets on one day, each time just below the reporting limit."""
        for number in range(self._random.randrange(3, 6)):
            second = 9 * 3600 + number * 5400 + self._random.randrange(3600)
            self._agenda.at(day, second, self._pay_in, customer, f"outlet-{number + 1:02d}")
        return self._label("structured_cash", customer, customer.id, day, day + 1)

    def _pay_in(self, _: int, second: int, customer: Customer, outlet: str) -> None:
        amount = self._random.randrange(470, 500) * 10_000 - 10_000
        self._desk.book(second, customer, "deposit", amount, True, "branch", outlet_id=outlet)
