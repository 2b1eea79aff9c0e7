"""Computes the ``flow.*`` metrics, and from the same cells ``activity.frequency`` and ``activity.monetary``."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from schemas.events.transactions import CUSTOMER_INITIATED
from schemas.metrics.flows import WINDOWS
from streams.calendar import Day
from streams.metrics.windows import History, Windows

NORM_DAYS = 180
_NORM_WINDOW = NORM_DAYS + 30
_NORM_KNOWN_AT_LEAST = 90
#: The declared windows and the one that reaches back over the norm's days.
DAYS = tuple(sorted({*WINDOWS, _NORM_WINDOW}))
INDEX = {days: DAYS.index(days) for days in DAYS}


class Facets(NamedTuple):
    """What a cell's label says."""

    direction: str
    kind: str
    channel: str
    mark: str

    @property
    def initiated(self) -> bool:
        return self.kind in CUSTOMER_INITIATED


#: Marks: a cash deposit just below the reporting limit; an amount without a reference rate.
NEAR, UNCONVERTED = "near", "unconverted"


@lru_cache(maxsize=65536)
def label(direction: str, kind: str, channel: str, mark: str) -> str:
    return f"{direction}|{kind}|{channel}|{mark}"


@lru_cache(maxsize=65536)
def facets(text: str) -> Facets:
    return Facets(*text.split("|"))


class Flows:
    """One customer's transactions by day. Totals are in minor units of the reporting currency."""

    __slots__ = ("windows",)

    def __init__(self, history: History, today: Day) -> None:
        self.windows = Windows(history, DAYS, today)

    def amount(self, direction: str, days: int) -> int:
        window, windows = INDEX[days], self.windows
        return sum(windows.total(number, window) for number, text in enumerate(windows.labels) if text.startswith(direction))

    def count(self, direction: str, days: int) -> int:
        window, windows = INDEX[days], self.windows
        return sum(windows.count(number, window) for number, text in enumerate(windows.labels) if text.startswith(direction))

    def marked(self, mark: str, days: int) -> tuple[int, int]:
        """Count and total of the cells with a mark."""
        window, windows = INDEX[days], self.windows
        numbers = [number for number, text in enumerate(windows.labels) if text.endswith(mark)]
        return sum(windows.count(n, window) for n in numbers), sum(windows.total(n, window) for n in numbers)

    def initiated(self, days: int) -> tuple[int, int]:
        """Count and total of what the customer started."""
        window, windows = INDEX[days], self.windows
        numbers = [number for number, text in enumerate(windows.labels) if facets(text).initiated]
        return sum(windows.count(n, window) for n in numbers), sum(windows.total(n, window) for n in numbers)

    def by(self, facet: str, days: int) -> tuple[dict[str, int], dict[str, int]]:
        """Counts and totals by kind or channel; zeros left out, labels in alphabetical order."""
        window, windows = INDEX[days], self.windows
        counts: dict[str, int] = {}
        totals: dict[str, int] = {}
        for number, text in enumerate(windows.labels):
            name = getattr(facets(text), facet)
            counts[name] = counts.get(name, 0) + windows.count(number, window)
            totals[name] = totals.get(name, 0) + windows.total(number, window)
        return _without_zeros(counts), _without_zeros(totals)

    def norm(self, first_day: Day | None) -> int | None:
        """Usual outgoing amount in 30 days, from the 180 days before the last 30; None until 90 of them are known."""
        if first_day is None:
            return None
        known = min(NORM_DAYS, self.windows.today - 30 - first_day + 1)
        if known < _NORM_KNOWN_AT_LEAST:
            return None
        return (self.amount("out", _NORM_WINDOW) - self.amount("out", 30)) * 30 // known


def _without_zeros(values: dict[str, int]) -> dict[str, int]:
    return {name: values[name] for name in sorted(values) if values[name]}
