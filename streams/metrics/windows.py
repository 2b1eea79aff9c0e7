"""Sliding windows in local days: counts and totals by label, kept exact as days pass and as late events land in their own day."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from itertools import accumulate

import msgspec

from schemas.localtime import Day


class History(msgspec.Struct, array_like=True):
    """What is stored: cells, oldest day first, as four columns of one length; ``labels`` names the ``numbers``.

    ``steps`` are the days, each as its distance from the one before (the first from 0): like counts and label numbers mostly small, so
    stored in a byte. The sums over windows of ``spans`` days as of ``today`` are stored beside the cells, because to take them anew costs
    more than all else about a customer who is not in hand.
    """

    labels: list[str] = msgspec.field(default_factory=list)
    steps: list[int] = msgspec.field(default_factory=list)
    numbers: list[int] = msgspec.field(default_factory=list)
    counts: list[int] = msgspec.field(default_factory=list)
    totals: list[int] = msgspec.field(default_factory=list)
    spans: list[int] = msgspec.field(default_factory=list)
    today: Day = 0
    edges: list[int] = msgspec.field(default_factory=list)
    count_sums: list[list[int]] = msgspec.field(default_factory=list)
    total_sums: list[list[int]] = msgspec.field(default_factory=list)

    def insert(self, index: int, days: array[int], number: int, count: int, total: int) -> None:
        """Put in a cell, whose day is ``days[index]`` already."""
        self.steps.insert(index, days[index] - days[index - 1] if index else days[index])
        if index + 1 < len(days):
            self.steps[index + 1] = days[index + 1] - days[index]
        self.numbers.insert(index, number)
        self.counts.insert(index, count)
        self.totals.insert(index, total)

    def drop(self, cells: int, days: array[int]) -> None:
        """Forget the oldest cells; ``days`` are without them already."""
        del self.steps[:cells], self.numbers[:cells], self.counts[:cells], self.totals[:cells]
        if days:
            self.steps[0] = days[0]


_DROP_AT = 16  # cells out of every window are dropped this many at a time


class Windows:
    """Running sums over a history. ``counts[number][window]`` and ``totals[number][window]`` are those of a label in a window.

    An event adds to every window, a day passing takes away what leaves one on it: reading a sum, which rules and snapshots do far
    more often than either, is a look-up.
    """

    __slots__ = ("_dates", "_edges", "_numbers", "counts", "days", "history", "today", "totals")

    def __init__(self, history: History, days: tuple[int, ...], today: Day) -> None:
        self.history = history
        self.days = days
        self._numbers = {label: number for number, label in enumerate(history.labels)}
        self._dates = array("i", accumulate(history.steps))
        if history.spans == list(days) and history.today <= today:
            self.today, self._edges, self.counts, self.totals = history.today, history.edges, history.count_sums, history.total_sums
            self.advance(today)
        else:
            self.today = today
            self._rebuild()

    def _rebuild(self) -> None:
        """Take all sums anew: from window to window, shortest first, each cell is added once and then carried on."""
        history, dates, today = self.history, self._dates, self.today
        self._drop(bisect_right(dates, today - self.days[-1]))
        # _edges[i] is the index of the first cell not older than window i; the last entry that of the first cell after today.
        end = bisect_right(dates, today)
        self._edges = history.edges = [bisect_right(dates, today - days) for days in self.days]
        self._edges.append(end)
        size = len(history.labels)
        counts, totals = [0] * size, [0] * size
        by_window: list[tuple[list[int], list[int]]] = []
        for edge in self._edges[:-1]:
            for number, count, total in zip(history.numbers[edge:end], history.counts[edge:end], history.totals[edge:end], strict=True):
                counts[number] += count
                totals[number] += total
            by_window.append((counts[:], totals[:]))
            end = edge
        self.counts = history.count_sums = [list(sums) for sums in zip(*[counts for counts, _ in by_window], strict=True)]
        self.totals = history.total_sums = [list(sums) for sums in zip(*[totals for _, totals in by_window], strict=True)]
        history.spans, history.today = list(self.days), today

    def _drop(self, cells: int) -> None:
        if cells:
            del self._dates[:cells]
            self.history.drop(cells, self._dates)

    def advance(self, today: Day) -> None:
        """Days have passed; never backwards."""
        if today <= self.today:
            return
        history, dates = self.history, self._dates
        self.today = history.today = today
        if not dates:
            return
        edges = self._edges
        counted = edges[-1]
        for window, days in enumerate(self.days):
            index, limit = edges[window], today - days
            while index < counted and dates[index] <= limit:
                number = history.numbers[index]
                self.counts[number][window] -= history.counts[index]
                self.totals[number][window] -= history.totals[index]
                index += 1
            edges[window] = index
        if counted < len(dates):
            self._rebuild()
        elif (drop := edges[-2]) > _DROP_AT:
            self._drop(drop)
            edges[:] = [edge - drop for edge in edges]

    def add(self, day: Day, label: str, count: int, total: int) -> None:
        """Add to a day's cell. A day older than the longest window is already out of every window and is dropped."""
        if day <= self.today - self.days[-1]:
            return
        history, dates = self.history, self._dates
        number = self._numbers.get(label)
        if number is None:
            number = self._numbers[label] = len(history.labels)
            history.labels.append(label)
            self.counts.append([0] * len(self.days))
            self.totals.append([0] * len(self.days))
        at = index = bisect_right(dates, day)
        while at and dates[at - 1] == day:
            at -= 1
            if history.numbers[at] == number:
                history.counts[at] += count
                history.totals[at] += total
                break
        else:
            dates.insert(index, day)
            history.insert(index, dates, number, count, total)
            if day < self.today or (day == self.today and index != self._edges[-1]):
                self._rebuild()
                return
            if day == self.today:
                self._edges[-1] += 1
        if day == self.today:
            self.counts[number] = [sum_ + count for sum_ in self.counts[number]]
            self.totals[number] = [sum_ + total for sum_ in self.totals[number]]
        elif day < self.today:
            self._rebuild()

    @property
    def labels(self) -> list[str]:
        """Labels in order of first use: numbers for ``counts`` and ``totals``."""
        return self.history.labels
