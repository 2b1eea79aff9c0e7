"""Computes the ``contact.*`` metrics: interactions by kind, waits and abandonment."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

from schemas.events.interactions import Interaction
from schemas.localtime import Day
from schemas.metrics import KEYS
from schemas.metrics.contacts import WINDOWS
from schemas.quick import QuickInteraction
from streams.metrics.windows import History, Windows

_KEYS: Final = tuple(
    (f"contact.count.{days}d", f"contact.kind.count.{days}d", f"contact.waited.count.{days}d", f"contact.wait.mean.{days}d", f"contact.abandoned.count.{days}d")
    for days in WINDOWS
)


class Contacts:
    """One customer's contacts by day; totals are waits in milliseconds."""

    __slots__ = ("windows",)

    def __init__(self, history: History, today: Day) -> None:
        self.windows = Windows(history, WINDOWS, today)

    def contacted(self, event: Interaction | QuickInteraction, day: Day) -> None:
        waited = "waited" if event.wait_seconds is not None else ""
        left = "left" if event.outcome == "abandoned" else ""
        self.windows.add(day, f"{event.kind}|{waited}|{left}", 1, round((event.wait_seconds or 0) * 1000))

    def __bool__(self) -> bool:
        return bool(self.windows.labels)

    def fill(self, metrics: dict[str, Any]) -> None:
        """Put every ``contact.*`` key, zeros left out, into a snapshot: one pass, as ``Flows.fill`` does."""
        windows = self.windows
        sums = [(kind, wait, left, windows.counts[number], windows.totals[number]) for kind, wait, left, number in _read(tuple(windows.labels))]
        for window, (count_key, kind_key, waited_key, mean_key, abandoned_key) in enumerate(_KEYS):
            total = waited = waits = abandoned = 0
            by_kind: dict[str, int] = {}
            for kind, wait, left, counts, totals in sums:
                count = counts[window]
                if count:
                    total += count
                    by_kind[kind] = by_kind.get(kind, 0) + count
                    if wait:
                        waited += count
                        waits += totals[window]
                    if left:
                        abandoned += count
            if not total:
                continue
            metrics[count_key] = total
            metrics[kind_key] = by_kind
            if waited and waited_key in KEYS:
                metrics[waited_key] = waited
                metrics[mean_key] = _mean_seconds(waits, waited)
            if abandoned and abandoned_key in KEYS:
                metrics[abandoned_key] = abandoned

    def count(self, days: int) -> int:
        return sum(self.by_kind(days).values())

    def by_kind(self, days: int) -> dict[str, int]:
        counts: dict[str, int] = {}
        window = WINDOWS.index(days)
        for number, text in enumerate(self.windows.labels):
            kind = text.partition("|")[0]
            counts[kind] = counts.get(kind, 0) + self.windows.counts[number][window]
        return {kind: counts[kind] for kind in sorted(counts) if counts[kind]}

    def waits(self, days: int) -> tuple[int, float | None]:
        """Number of contacts that state a wait, and the mean wait in seconds."""
        n = total = 0
        window = WINDOWS.index(days)
        for number, text in enumerate(self.windows.labels):
            if "|waited|" in text:
                n += self.windows.counts[number][window]
                total += self.windows.totals[number][window]
        return n, _mean_seconds(total, n) if n else None

    def abandoned(self, days: int) -> int:
        window = WINDOWS.index(days)
        return sum(self.windows.counts[number][window] for number, text in enumerate(self.windows.labels) if text.endswith("|left"))


@lru_cache(maxsize=4096)
def _read(labels: tuple[str, ...]) -> tuple[tuple[str, str, str, int], ...]:
    """What each label says, with its number; kinds in alphabetical order."""
    read = []
    for number, text in enumerate(labels):
        kind, waited, left = text.split("|")
        read.append((kind, waited, left, number))
    return tuple(sorted(read, key=lambda entry: entry[0]))


def _mean_seconds(milliseconds: int, n: int) -> float:
    return round(milliseconds / n / 1000, 6)
