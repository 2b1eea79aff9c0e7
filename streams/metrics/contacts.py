"""Computes the ``contact.*`` metrics: interactions by kind, waits and abandonment."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final, NamedTuple

from schemas.events.interactions import Interaction
from schemas.localtime import Day
from schemas.metrics import DICTIONARY
from schemas.metrics.contacts import WINDOWS
from schemas.quick import QuickInteraction
from streams.metrics.windows import History, Windows


class _Keys(NamedTuple):
    """Under which keys a window is shown ("": not at all)."""

    number: str
    kind: str
    waited: str
    mean: str
    abandoned: str


_NAMES: Final = ("contact.count", "contact.kind.count", "contact.waited.count", "contact.wait.mean", "contact.abandoned.count")
_KEYS: Final = tuple(_Keys(*(f"{name}.{days}d" if days in DICTIONARY[name].windows else "" for name in _NAMES)) for days in WINDOWS)


@lru_cache(maxsize=4096)
def _groups_of(label: str) -> tuple[str, ...]:
    """What a cell counts in: its kind, whether the contact states a wait, whether the customer gave up."""
    kind, waited, left = label.split("|")
    return tuple(group for group in (f"kind|{kind}", waited, left) if group)


@lru_cache(maxsize=4096)
def _kinds(groups: tuple[str, ...]) -> list[tuple[str, int]]:
    """Kinds in alphabetical order, with their numbers among the groups."""
    return sorted((group[5:], number) for number, group in enumerate(groups) if group.startswith("kind|"))


class Contacts:
    """One customer's contacts by day; totals are waits in milliseconds."""

    __slots__ = ("windows",)

    def __init__(self, history: History, today: Day) -> None:
        self.windows = Windows(history, WINDOWS, today, _groups_of)

    def contacted(self, event: Interaction | QuickInteraction, day: Day) -> None:
        waited = "waited" if event.wait_seconds is not None else ""
        left = "left" if event.outcome == "abandoned" else ""
        self.windows.add(day, f"{event.kind}|{waited}|{left}", 1, round((event.wait_seconds or 0) * 1000))

    def __bool__(self) -> bool:
        return bool(self.windows)

    def fill(self, metrics: dict[str, Any]) -> None:
        """Put every ``contact.*`` key, zeros left out, into a snapshot: one pass, as ``Flows.fill`` does."""
        windows = self.windows
        kinds = _kinds(windows.layout.names)
        waits, lefts = windows.layout.groups.get("waited"), windows.layout.groups.get("left")
        for counts, totals, keys in zip(windows.counts, windows.totals, _KEYS, strict=True):
            by_kind = {kind: count for kind, number in kinds if (count := counts[number])}
            if not by_kind:
                continue
            metrics[keys.number] = sum(by_kind.values())
            metrics[keys.kind] = by_kind
            if keys.waited and waits is not None and (waited := counts[waits]):
                metrics[keys.waited] = waited
                metrics[keys.mean] = _mean_seconds(totals[waits], waited)
            if keys.abandoned and lefts is not None and (abandoned := counts[lefts]):
                metrics[keys.abandoned] = abandoned

    def count(self, days: int) -> int:
        return sum(self.by_kind(days).values())

    def by_kind(self, days: int) -> dict[str, int]:
        counts = self.windows.counts[WINDOWS.index(days)]
        return {kind: count for kind, number in _kinds(self.windows.layout.names) if (count := counts[number])}

    def waits(self, days: int) -> tuple[int, float | None]:
        """Number of contacts that state a wait, and the mean wait in seconds."""
        n, total = self.windows.sums("waited", days)
        return n, _mean_seconds(total, n) if n else None

    def abandoned(self, days: int) -> int:
        return self.windows.sums("left", days)[0]


def _mean_seconds(milliseconds: int, n: int) -> float:
    return round(milliseconds / n / 1000, 6)
