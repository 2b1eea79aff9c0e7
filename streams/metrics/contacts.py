"""Computes the ``contact.*`` metrics: interactions by kind, waits and abandonment."""

from __future__ import annotations

from schemas.events.interactions import Interaction
from schemas.metrics.contacts import WINDOWS
from streams.calendar import Day
from streams.metrics.windows import History, Windows


class Contacts:
    """One customer's contacts by day; totals are waits in milliseconds."""

    __slots__ = ("windows",)

    def __init__(self, history: History, today: Day) -> None:
        self.windows = Windows(history, WINDOWS, today)

    def contacted(self, event: Interaction, day: Day) -> None:
        waited = "waited" if event.wait_seconds is not None else ""
        left = "left" if event.outcome == "abandoned" else ""
        self.windows.add(day, f"{event.kind}|{waited}|{left}", 1, round((event.wait_seconds or 0) * 1000))

    def count(self, days: int) -> int:
        return sum(self.by_kind(days).values())

    def by_kind(self, days: int) -> dict[str, int]:
        counts: dict[str, int] = {}
        window = WINDOWS.index(days)
        for number, text in enumerate(self.windows.labels):
            kind = text.partition("|")[0]
            counts[kind] = counts.get(kind, 0) + self.windows.count(number, window)
        return {kind: counts[kind] for kind in sorted(counts) if counts[kind]}

    def waits(self, days: int) -> tuple[int, float | None]:
        """Number of contacts that state a wait, and the mean wait in seconds."""
        n = total = 0
        window = WINDOWS.index(days)
        for number, text in enumerate(self.windows.labels):
            if "|waited|" in text:
                n += self.windows.count(number, window)
                total += self.windows.total(number, window)
        return n, round(total / n / 1000, 6) if n else None

    def abandoned(self, days: int) -> int:
        window = WINDOWS.index(days)
        return sum(self.windows.count(number, window) for number, text in enumerate(self.windows.labels) if text.endswith("|left"))
