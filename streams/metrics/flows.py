"""Computes the ``flow.*`` and ``cash.*`` metrics, and from the same cells ``activity.frequency`` and ``activity.monetary``."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

from schemas.events.transactions import customer_initiated
from schemas.localtime import Day
from schemas.metrics import DICTIONARY
from schemas.metrics.flows import WINDOWS
from streams.metrics.windows import History, Windows

NORM_DAYS = 180
_NORM_WINDOW = NORM_DAYS + 30
_NORM_KNOWN_AT_LEAST = 90
#: The declared windows and the one that reaches back over the norm's days.
DAYS = tuple(sorted({*WINDOWS, _NORM_WINDOW}))
INDEX = {days: DAYS.index(days) for days in DAYS}

#: Marks: a cash deposit just below the reporting limit; an amount without a reference rate.
NEAR, UNCONVERTED = "near", "unconverted"


@lru_cache(maxsize=65536)
def label(direction: str, kind: str, channel: str, mark: str) -> str:
    """The label of a cell."""
    return f"{direction}|{kind}|{channel}|{mark}"


@lru_cache(maxsize=65536)
def _groups_of(cell: str) -> tuple[str, ...]:
    """What a cell counts in: its direction, kind, channel and mark, and what the customer started."""
    direction, kind, channel, mark = cell.split("|")
    groups = [f"direction|{direction}", f"kind|{kind}", f"channel|{channel}"]
    if mark:
        groups.append(f"mark|{mark}")
    if customer_initiated(kind, direction):
        groups.append("initiated|")
    return tuple(groups)


class Flows:
    """One customer's transactions by day. Totals are in minor units of the reporting currency."""

    __slots__ = ("windows",)

    def __init__(self, history: History, today: Day) -> None:
        self.windows = Windows(history, DAYS, today, _groups_of)

    def amount(self, direction: str, days: int) -> int:
        """Total of a direction in the last ``days``."""
        return self.windows.sums(f"direction|{direction}", days)[1]

    def count(self, direction: str, days: int) -> int:
        """Number of transactions of a direction in the last ``days``."""
        return self.windows.sums(f"direction|{direction}", days)[0]

    def marked(self, mark: str, days: int) -> tuple[int, int]:
        """Count and total of the cells with a mark."""
        return self.windows.sums(f"mark|{mark}", days)

    def initiated(self, days: int) -> tuple[int, int]:
        """Count and total of what the customer started."""
        return self.windows.sums("initiated|", days)

    def by(self, facet: str, days: int) -> tuple[dict[str, int], dict[str, int]]:
        """Counts and totals by kind or channel; zeros left out, labels in alphabetical order."""
        window = INDEX[days]
        counts, totals = self.windows.counts[window], self.windows.totals[window]
        prefix = f"{facet}|"
        groups = {group.removeprefix(prefix): number for group, number in sorted(self.windows.layout.groups.items()) if group.startswith(prefix)}
        sums = {name: (counts[number], totals[number]) for name, number in groups.items()}
        return {name: count for name, (count, _) in sums.items() if count}, {name: total for name, (_, total) in sums.items() if total}

    def norm(self, first_day: Day | None) -> int | None:
        """Usual outgoing amount in 30 days, from the 180 days before the last 30; None until 90 of them are known."""
        if first_day is None:
            return None
        known = min(NORM_DAYS, self.windows.today - 30 - first_day + 1)
        if known < _NORM_KNOWN_AT_LEAST:
            return None
        return (self.amount("out", _NORM_WINDOW) - self.amount("out", 30)) * 30 // known

    def fill(self, metrics: dict[str, Any]) -> None:
        """Put every key that comes from the cells, zeros left out, into a snapshot.

        Window by window over rows of sums, instead of a function a key: snapshots are written for every second event, and these keys
        are most of a snapshot. A test holds the two ways together.
        """
        windows = self.windows
        plan = _plan(windows.layout.names)
        single, facets = plan.single, plan.facets
        for window in range(len(DAYS)):
            counts, totals = windows.counts[window], windows.totals[window]
            for number, count_keys, total_keys in single:
                if (key := count_keys[window]) and (count := counts[number]):
                    metrics[key] = count
                if (key := total_keys[window]) and (total := totals[number]):
                    metrics[key] = total
            for groups, count_keys, total_keys in facets:
                if not (key := count_keys[window]):
                    continue
                counts_by: dict[str, int] = {}
                totals_by: dict[str, int] = {}
                for name, number in groups:
                    if count := counts[number]:
                        counts_by[name] = count
                    if total := totals[number]:
                        totals_by[name] = total
                if counts_by:
                    metrics[key] = counts_by
                if totals_by:
                    metrics[total_keys[window]] = totals_by


Keys = tuple[str, ...]  # by window; "" where nothing is shown


def _keys(name: str) -> Keys:
    return tuple(f"{name}.{days}d" if name and days in DICTIONARY[name].windows else "" for days in DAYS)


#: Under which keys the count and the total of a group, or of the groups of a facet, are shown.
_SINGLE: Final = {
    "direction|in": (_keys("flow.in.count"), _keys("flow.in.amount")),
    "direction|out": (_keys("flow.out.count"), _keys("flow.out.amount")),
    f"mark|{NEAR}": (_keys("cash.near_threshold.count"), _keys("cash.near_threshold.amount")),
    f"mark|{UNCONVERTED}": (_keys("flow.unconverted.count"), _keys("")),
    "initiated|": (_keys("activity.frequency"), _keys("activity.monetary")),
}
_FACETS: Final = {
    "kind": (_keys("flow.kind.count"), _keys("flow.kind.amount")),
    "channel": (_keys("flow.channel.count"), _keys("flow.channel.amount")),
}


class _Plan:
    """Which sums are shown under which keys, shared by all customers who have the same groups. Names of a facet are in alphabetical order."""

    __slots__ = ("facets", "single")

    def __init__(self, groups: tuple[str, ...]) -> None:
        self.single: list[tuple[int, Keys, Keys]] = []
        named: dict[str, list[tuple[str, int]]] = {facet: [] for facet in _FACETS}
        for number, group in enumerate(groups):
            keys = _SINGLE.get(group)
            if keys is not None:
                self.single.append((number, *keys))
                continue
            facet, _, name = group.partition("|")
            if facet in named:
                named[facet].append((name, number))
        self.facets = [(sorted(of_facet), *_FACETS[facet]) for facet, of_facet in named.items()]


_plan = lru_cache(maxsize=16_384)(_Plan)
