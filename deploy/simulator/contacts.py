"""What the bank does towards its customers: campaigns with a holdout, NPS surveys, birthday greetings."""

from __future__ import annotations

from random import Random
from typing import Final

from deploy.simulator.agenda import Agenda
from deploy.simulator.calendar import Calendar
from deploy.simulator.desk import Desk
from deploy.simulator.people import Customer

_CAMPAIGN_DAY: Final = 5
_REACH: Final = 0.10
_HOLDOUT: Final = 0.2
_NPS_MONTHLY: Final = 0.012


class Contacts:
    """Runs once a day; the contacts of the day are spread over office hours."""

    def __init__(self, random: Random, agenda: Agenda, desk: Desk, calendar: Calendar, customers: list[Customer]) -> None:
        self._random = random
        self._agenda = agenda
        self._desk = desk
        self._calendar = calendar
        self._people = [customer for customer in customers if customer.is_person]
        self._birthdays: dict[str, list[Customer]] = {}
        for customer in self._people:
            self._birthdays.setdefault(customer.profile["birth_date"][5:], []).append(customer)

    def plan(self, day: int) -> None:
        """Decide the day's contacts."""
        random, now = self._random, self._calendar.date(day)
        for customer in self._birthdays.get(f"{now:%m-%d}", ()):
            if customer.joined <= day:
                self._agenda.at(day, 9 * 3600 + random.randrange(3600), self.greet, customer)
        if now.day == _CAMPAIGN_DAY:
            campaign = f"campaign-{now:%Y-%m}"
            for customer in random.sample(self._people, int(len(self._people) * _REACH)):
                if customer.joined <= day and customer.profile["marketing_consent"]:
                    self._agenda.at(day, 10 * 3600 + random.randrange(20_000), self.offer, customer, campaign)
        for _ in range(int(len(self._people) * _NPS_MONTHLY / 30 + random.random())):
            customer = random.choice(self._people)
            if customer.joined <= day and not customer.in_story and not customer.complaining:
                self._agenda.at(day, 12 * 3600 + random.randrange(20_000), self.recommend, customer)

    def greet(self, _: int, second: int, customer: Customer) -> None:
        """A birthday greeting."""
        self._desk.contact(second, customer, "care_contact", "mobile", initiator="bank", topic="birthday")

    def offer(self, day: int, second: int, customer: Customer, campaign: str) -> None:
        """A campaign reaches the customer, or is held back to measure its effect."""
        random = self._random
        arm = "holdout" if random.random() < _HOLDOUT else "treated"
        cost = {"cost": "1.50", "currency": "CNY"} if arm == "treated" else {}
        self._desk.contact(second, customer, "campaign_contact", "phone", campaign_id=campaign, arm=arm, **cost)
        if random.random() < (0.06 if arm == "treated" else 0.02) and customer.silent_from is None:
            self._agenda.at(day + random.randrange(1, 6), 10 * 3600 + random.randrange(30_000), self.respond, customer, campaign, arm)

    def respond(self, _: int, second: int, customer: Customer, campaign: str, arm: str) -> None:
        """The customer takes the offer, or turns it down."""
        outcome = "accepted" if self._random.random() < 0.7 else "declined"
        self._desk.contact(second, customer, "campaign_response", "phone", campaign_id=campaign, arm=arm, outcome=outcome)

    def recommend(self, _: int, second: int, customer: Customer) -> None:
        """An answer to "would you recommend us", 0 to 10."""
        score = self._random.choice((4, 6, 7, 7, 8, 8, 8, 9, 9, 9, 10, 10))
        self._desk.contact(second, customer, "survey_answer", "mobile", instrument="nps", score=score, scale_min=0, scale_max=10)
