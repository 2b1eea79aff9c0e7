"""What a metric is: declared once, read by the engine, rules, ClickHouse columns, the dictionary page and dashboards."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Unit(StrEnum):
    """What a value of the metric counts, and so how it is stored and shown."""

    COUNT = "count"  # whole number
    MONEY = "money"  # whole number of minor units of the pack's reporting currency
    DAYS = "days"  # whole local days
    SECONDS = "seconds"  # real number; this and the next two are published to 6 decimals
    RATIO = "ratio"  # real number, 1 = 100 %
    SCORE = "score"  # real number on the metric's own scale
    INSTANT = "instant"  # milliseconds since 1970-01-01T00:00:00Z
    DAY_OF_MONTH = "day_of_month"  # 1 to 31


class Subject(StrEnum):
    """What the metric is about. A customer has complaints and loans; each open one is a subject of its own for rules."""

    CUSTOMER = "customer"
    COMPLAINT = "complaint"
    LOAN = "loan"


@dataclass(frozen=True, slots=True)
class Metric:
    """One entry of the dictionary.

    ``windows`` are sliding, in local days, and end on the day the metric is read: ``name.30d`` is today and the 29 days
    before. ``by`` names the facet of a metric whose value is a map from label to number.
    """

    name: str
    unit: Unit
    subject: Subject
    zh: str
    en: str
    definition: str
    source: str
    windows: tuple[int, ...] = ()
    by: str | None = None

    def snapshot_keys(self) -> tuple[str, ...]:
        """The names under which values appear in a snapshot and in a rule."""
        return tuple(f"{self.name}.{days}d" for days in self.windows) or (self.name,)

    @property
    def family(self) -> str:
        """First part of the name: events touch families, and rules are evaluated by the families they read."""
        return self.name.partition(".")[0]

    @property
    def whole(self) -> bool:
        """Whether values are integers."""
        return self.unit in (Unit.COUNT, Unit.MONEY, Unit.DAYS, Unit.INSTANT, Unit.DAY_OF_MONTH)
