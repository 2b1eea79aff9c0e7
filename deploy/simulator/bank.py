"""The bank's life, day by day: who lives in it, what they do, and the lines that come of it in order of time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from random import Random
from typing import Any

from deploy.inputs import InputLine, tick
from deploy.simulator.agenda import Agenda
from deploy.simulator.calendar import Calendar
from deploy.simulator.complaints import ComplaintDesk
from deploy.simulator.contacts import Contacts
from deploy.simulator.desk import Desk
from deploy.simulator.dirt import Dirt
from deploy.simulator.income import Income
from deploy.simulator.loans import Lending
from deploy.simulator.parameters import Parameters
from deploy.simulator.people import Customer, populate
from deploy.simulator.spending import Spending
from deploy.simulator.stories import Label, Stories

_TICK_SECOND = 300
_SOURCE = "simulator"


class Simulation:
    """One run. ``labels`` and ``left_out`` are known at once; ``days`` may be read once, ``summary`` afterwards."""

    def __init__(self, parameters: Parameters) -> None:
        self.parameters = parameters
        self._calendar = Calendar(parameters.start)
        self._agenda = Agenda()
        self._desk = Desk(parameters.seed, self._calendar)
        self._dirt = Dirt(Random(f"dirt {parameters.seed}"), parameters.dirt)
        self._counts: Counter[str] = Counter()
        random = Random(f"bank {parameters.seed}")
        customers = populate(random, parameters.customers, parameters.outlets, parameters.start, parameters.days)
        self._spending = Spending(random, self._agenda, self._desk)
        self._income = Income(random, self._agenda, self._desk, self._calendar)
        lending = Lending(random, self._agenda, self._desk, self._calendar, parameters.days)
        self._complaints = ComplaintDesk(random, self._agenda, self._desk, self._spending, customers)
        self._contacts = Contacts(random, self._agenda, self._desk, self._calendar, customers)
        for number, customer in enumerate(customers):
            lending.plan(customer)
            self._agenda.at(max(0, customer.joined), number % 1500 if customer.joined < 0 else 9 * 3600, self._join, customer)
        stories = Stories(Random(f"stories {parameters.seed}"), self._agenda, self._desk, self._calendar, self._complaints, customers, parameters.days)
        stories.plant(parameters.stories)
        self.labels: list[Label] = stories.labels
        self.left_out: dict[str, str] = stories.left_out

    def _join(self, day: int, second: int, customer: Customer) -> None:
        self._desk.profile(second, customer)
        if customer.joined >= 0:
            self._agenda.at(day, second + 60, self._open_account, customer)
            customer.clock += 1
        self._spending.plan(customer)
        self._income.plan(customer)

    def _open_account(self, day: int, second: int, customer: Customer) -> None:
        self._desk.note(second, customer, "product_opened", 0, product_id="current-account")
        self._agenda.at(day, second + 60, self._first_deposit, customer)

    def _first_deposit(self, _: int, second: int, customer: Customer) -> None:
        self._desk.book(second, customer, "deposit", 100_000, True, "branch", outlet_id=customer.outlet)

    def days(self) -> Iterator[list[InputLine]]:
        """The lines of each day in order of time, a tick with every midnight; last, the tick that closes the last day."""
        days = self.parameters.days
        for day in range(days):
            self._desk.open_day(day)
            if day:
                self._agenda.at(day, _TICK_SECOND, self._tick)
            self._complaints.plan(day)
            self._contacts.plan(day)
            self._agenda.live(day)
            yield self._counted(self._dirt.spoil(self._desk.lines))
        yield self._counted([tick(f"{_SOURCE}-tick-end", self._calendar.stamp(days + 1, 0), _SOURCE)])

    def _tick(self, day: int, second: int) -> None:
        stamp = self._calendar.stamp(day, second)
        self._desk.lines.append(tick(f"{_SOURCE}-tick-{stamp[:10]}", stamp, _SOURCE))

    def _counted(self, lines: list[InputLine]) -> list[InputLine]:
        self._counts.update(line.topic for line in lines)
        return lines

    def summary(self) -> dict[str, Any]:
        """What was made: parameters, lines by topic, planted stories, and what was spoiled on purpose."""
        made = self.parameters
        return {
            "seed": made.seed,
            "customers": made.customers,
            "days": made.days,
            "start": made.start.isoformat(),
            "lines": self._counts.total(),
            "topics": dict(sorted(self._counts.items())),
            "stories": dict(Counter(label.story for label in self.labels)),
            "stories_left_out": self.left_out,
            "dirt": dict(sorted(self._dirt.counts.items())),
        }
