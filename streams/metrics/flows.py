"""Computes the ``flow.*`` and ``cash.*`` metrics, and from the same cells ``activity.frequency`` and ``activity.monetary``."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from operator import add
from typing import Any, Final, NamedTuple

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


class Facets(NamedTuple):
    """What a cell's label says."""

    direction: str
    kind: str
    channel: str
    mark: str


@lru_cache(maxsize=65536)
def label(direction: str, kind: str, channel: str, mark: str) -> str:
    """The label of a cell."""
    return f"{direction}|{kind}|{channel}|{mark}"


class _Groups:
    """Which label numbers belong to each value of each facet, in alphabetical order; good for one list of labels."""

    __slots__ = ("channels", "directions", "initiated", "kinds", "marks", "size")

    def __init__(self, labels: Sequence[str]) -> None:
        self.size = len(labels)
        read = [Facets(*text.split("|")) for text in labels]
        self.directions = dict(_grouped([facets.direction for facets in read]))
        self.kinds = _grouped([facets.kind for facets in read])
        self.channels = _grouped([facets.channel for facets in read])
        self.marks = dict(_grouped([facets.mark for facets in read]))
        self.initiated = tuple(number for number, facets in enumerate(read) if customer_initiated(facets.kind, facets.direction))


def _grouped(values: list[str]) -> list[tuple[str, tuple[int, ...]]]:
    return [(value, tuple(number for number, other in enumerate(values) if other == value)) for value in sorted(set(values))]


_groups = lru_cache(maxsize=65536)(_Groups)
_NONE: Final[tuple[int, ...]] = ()


class Flows:
    """One customer's transactions by day. Totals are in minor units of the reporting currency."""

    __slots__ = ("_known", "windows")

    def __init__(self, history: History, today: Day) -> None:
        self.windows = Windows(history, DAYS, today)
        self._known = _groups(tuple(history.labels))

    @property
    def _by(self) -> _Groups:
        if self._known.size != len(self.windows.labels):
            self._known = _groups(tuple(self.windows.labels))
        return self._known

    def amount(self, direction: str, days: int) -> int:
        """Total of a direction in the last ``days``."""
        windows, window = self.windows, INDEX[days]
        total = 0
        for number in self._by.directions.get(direction, _NONE):
            total += windows.totals[number][window]
        return total

    def count(self, direction: str, days: int) -> int:
        """Number of transactions of a direction in the last ``days``."""
        return self._sums(self._by.directions.get(direction, _NONE), days)[0]

    def marked(self, mark: str, days: int) -> tuple[int, int]:
        """Count and total of the cells with a mark."""
        numbers = self._by.marks.get(mark)
        return self._sums(numbers, days) if numbers else (0, 0)

    def initiated(self, days: int) -> tuple[int, int]:
        """Count and total of what the customer started."""
        return self._sums(self._by.initiated, days)

    def by(self, facet: str, days: int) -> tuple[dict[str, int], dict[str, int]]:
        """Counts and totals by kind or channel; zeros left out, labels in alphabetical order."""
        groups = self._by.kinds if facet == "kind" else self._by.channels
        sums = {name: self._sums(numbers, days) for name, numbers in groups}
        return {name: count for name, (count, _) in sums.items() if count}, {name: total for name, (_, total) in sums.items() if total}

    def norm(self, first_day: Day | None) -> int | None:
        """Usual outgoing amount in 30 days, from the 180 days before the last 30; None until 90 of them are known."""
        if first_day is None:
            return None
        known = min(NORM_DAYS, self.windows.today - 30 - first_day + 1)
        if known < _NORM_KNOWN_AT_LEAST:
            return None
        return (self.amount("out", _NORM_WINDOW) - self.amount("out", 30)) * 30 // known

    def _sums(self, numbers: tuple[int, ...], days: int) -> tuple[int, int]:
        windows, window = self.windows, INDEX[days]
        return sum(windows.counts[number][window] for number in numbers), sum(windows.totals[number][window] for number in numbers)

    def fill(self, metrics: dict[str, Any]) -> None:
        """Put every key that comes from the cells, zeros left out, into a snapshot.

        A row of sums over all windows a group, instead of a function a key: snapshots are written for every second event, and
        these keys are most of a snapshot. A test holds the two ways together.
        """
        by, counts, totals = self._by, self.windows.counts, self.windows.totals
        for direction in ("in", "out"):
            numbers = by.directions.get(direction)
            if numbers:
                _put(metrics, _DIRECTION_KEYS[direction], _row(counts, numbers), _row(totals, numbers))
        for keys, groups in ((_KIND_KEYS, by.kinds), (_CHANNEL_KEYS, by.channels)):
            rows = [(name, _row(counts, numbers), _row(totals, numbers)) for name, numbers in groups]
            for window, count_key, total_key in keys:
                by_count = {name: row[window] for name, row, _ in rows if row[window]}
                if by_count:
                    metrics[count_key] = by_count
                by_total = {name: row[window] for name, _, row in rows if row[window]}
                if by_total:
                    metrics[total_key] = by_total
        for mark, keys in _MARK_KEYS:
            if mark in by.marks:
                _put(metrics, keys, _row(counts, by.marks[mark]), _row(totals, by.marks[mark]))
        if by.initiated:
            _put(metrics, _INITIATED_KEYS, _row(counts, by.initiated), _row(totals, by.initiated))


Keys = tuple[tuple[int, str, str], ...]  # index of the window, key of the count, key of the total ("" where none is declared)


def _keys(count: str, total: str) -> Keys:
    return tuple((INDEX[days], f"{count}.{days}d", f"{total}.{days}d" if total else "") for days in DICTIONARY[count].windows)


_DIRECTION_KEYS: Final = {direction: _keys(f"flow.{direction}.count", f"flow.{direction}.amount") for direction in ("in", "out")}
_KIND_KEYS: Final = _keys("flow.kind.count", "flow.kind.amount")
_CHANNEL_KEYS: Final = _keys("flow.channel.count", "flow.channel.amount")
_MARK_KEYS: Final = ((NEAR, _keys("cash.near_threshold.count", "cash.near_threshold.amount")), (UNCONVERTED, _keys("flow.unconverted.count", "")))
_INITIATED_KEYS: Final = _keys("activity.frequency", "activity.monetary")


def _row(sums: list[list[int]], numbers: tuple[int, ...]) -> list[int]:
    """The sums of a group of labels in every window."""
    row = sums[numbers[0]]
    for number in numbers[1:]:
        row = list(map(add, row, sums[number]))
    return row


def _put(metrics: dict[str, Any], keys: Keys, counts: list[int], totals: list[int]) -> None:
    for window, count_key, total_key in keys:
        if counts[window]:
            metrics[count_key] = counts[window]
        if total_key and totals[window]:
            metrics[total_key] = totals[window]
