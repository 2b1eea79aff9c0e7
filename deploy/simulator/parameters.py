"""What a simulated bank is a pure function of."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date
from typing import Final

from deploy.errors import UserError
from deploy.simulator.story_names import STORIES

#: Events that one customer causes in a day on average, measured; turns a wish for events into a number of customers.
EVENTS_PER_CUSTOMER_DAY: Final = 1.055


@dataclass(frozen=True)
class Parameters:
    """Size, span and contents of the bank. ``dirt`` is the share of events beside which something goes wrong upstream, 0 to 0.2."""

    seed: int = 7
    customers: int = 2000
    months: int = 6
    start: date = date(2025, 1, 1)
    stories: tuple[str, ...] = STORIES
    dirt: float = 0.0
    outlets: int = 12

    def __post_init__(self) -> None:
        if not 1 <= self.customers <= 5_000_000:
            raise UserError("customers must be 1 to 5,000,000")
        if not 1 <= self.months <= 36:
            raise UserError("months must be 1 to 36")
        if not 0 <= self.dirt <= 0.2:
            raise UserError("dirt must be 0 to 0.2", "0.0005 spoils one event in 2,000")
        if not date(1971, 1, 1) <= self.start <= date(2100, 1, 1):
            raise UserError("start must lie between 1971 and 2100")
        unknown = [name for name in self.stories if name not in STORIES]
        if unknown:
            raise UserError(f"unknown story {unknown[0]}", f"stories: {', '.join(STORIES)}")

    @property
    def days(self) -> int:
        """Number of simulated days: ``months`` calendar months from ``start``."""
        index = self.start.year * 12 + self.start.month - 1 + self.months
        year, month = divmod(index, 12)
        end = date(year, month + 1, min(self.start.day, 28))
        return (end - self.start).days + max(0, self.start.day - 28)

    @staticmethod
    def customers_for(events: int, months: int, start: date) -> int:
        """How many customers cause about this many events."""
        return max(1, math.ceil(events / (Parameters(months=months, start=start).days * EVENTS_PER_CUSTOMER_DAY)))
