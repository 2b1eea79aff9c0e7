"""Sliding windows in local days: counts and totals by label, kept exact as days pass and as late events land in their own day."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from functools import lru_cache
from itertools import accumulate
from typing import Any, Final

import msgspec

from schemas.localtime import Day

#: How a history's columns are read from where they are stored: they stay bytes until a cell is wanted.
Stored = tuple[list[str], msgspec.Raw, msgspec.Raw, msgspec.Raw, msgspec.Raw, list[int], int, list[int], list[list[int]], list[list[int]]]
_column: Final = msgspec.msgpack.Decoder(list[int]).decode


class History:
    """What is stored: cells, oldest day first, as four columns of one length; ``labels`` names the ``numbers``.

    ``steps`` are the days, each as its distance from the one before (the first from 0): like counts and label numbers mostly small, so
    stored in a byte. The sums over windows of ``spans`` days as of ``today`` are stored beside the cells, a row a window, because to take
    them anew costs more than all else about a customer who is not in hand.

    Columns that come as bytes stay so until ``open`` is called: most of a snapshot is sums, and the bytes go back as they came.
    """

    __slots__ = ("_bytes", "count_sums", "counts", "edges", "labels", "numbers", "spans", "steps", "today", "total_sums", "totals")

    def __init__(
        self,
        labels: list[str] | None = None,
        steps: list[int] | msgspec.Raw | None = None,
        numbers: list[int] | msgspec.Raw | None = None,
        counts: list[int] | msgspec.Raw | None = None,
        totals: list[int] | msgspec.Raw | None = None,
        spans: list[int] | None = None,
        today: Day = 0,
        edges: list[int] | None = None,
        count_sums: list[list[int]] | None = None,
        total_sums: list[list[int]] | None = None,
    ) -> None:
        self.labels: list[str] = [] if labels is None else labels
        self._bytes: tuple[Any, ...] | None = (steps, numbers, counts, totals) if isinstance(steps, msgspec.Raw) else None
        self.steps: list[int] = steps if isinstance(steps, list) else []
        self.numbers: list[int] = numbers if isinstance(numbers, list) else []
        self.counts: list[int] = counts if isinstance(counts, list) else []
        self.totals: list[int] = totals if isinstance(totals, list) else []
        self.spans: list[int] = [] if spans is None else spans
        self.today = today
        self.edges: list[int] = [] if edges is None else edges
        self.count_sums: list[list[int]] = [] if count_sums is None else count_sums
        self.total_sums: list[list[int]] = [] if total_sums is None else total_sums

    def open(self) -> None:
        """Read the columns: needed before a cell is looked at or changed."""
        if self._bytes is not None:
            steps, numbers, counts, totals = self._bytes
            self.steps, self.numbers, self.counts, self.totals = _column(steps), _column(numbers), _column(counts), _column(totals)
            self._bytes = None

    def packed(self) -> tuple[Any, ...]:
        """What is stored."""
        columns = (self.steps, self.numbers, self.counts, self.totals) if self._bytes is None else self._bytes
        return (
            self.labels,
            *columns,
            self.spans,
            self.today,
            self.edges,
            self.count_sums,
            self.total_sums,
        )

    def insert(self, index: int, days: list[Day], number: int, count: int, total: int) -> None:
        """Put in a cell, whose day is ``days[index]`` already."""
        self.steps.insert(index, days[index] - days[index - 1] if index else days[index])
        if index + 1 < len(days):
            self.steps[index + 1] = days[index + 1] - days[index]
        self.numbers.insert(index, number)
        self.counts.insert(index, count)
        self.totals.insert(index, total)

    def drop(self, cells: int, days: list[Day]) -> None:
        """Forget the oldest cells; ``days`` are without them already."""
        del self.steps[:cells], self.numbers[:cells], self.counts[:cells], self.totals[:cells]
        if days:
            self.steps[0] = days[0]


_DROP_AT = 16  # cells out of every window are dropped this many at a time


GroupsOf = Callable[[str], tuple[str, ...]]


def _itself(label: str) -> tuple[str, ...]:
    return (label,)


class Layout:
    """What follows from labels alone, shared by all customers who have the same: their ``numbers``, which ``groups`` there are, numbered in
    order of first use, and in which of them each label counts (``members``, by the label's number).
    """

    __slots__ = ("groups", "members", "names", "numbers")

    def __init__(self, labels: tuple[str, ...], groups_of: GroupsOf) -> None:
        self.numbers = {label: number for number, label in enumerate(labels)}
        self.groups: dict[str, int] = {}
        self.members: list[list[int]] = []
        for label in labels:
            for group in groups_of(label):
                self.groups.setdefault(group, len(self.groups))
            self.members.append([self.groups[group] for group in groups_of(label)])
        self.names = tuple(self.groups)


_layout = lru_cache(maxsize=16_384)(Layout)


class Windows:
    """Running sums over a history. ``counts[window][group]`` and ``totals[window][group]`` are those of a group of labels in a window.

    A cell counts in every group that ``groups_of`` names for its label. An event adds to its groups in every window, a day passing takes
    away what leaves one on it: reading a sum, which rules and snapshots do far more often than either, is a look-up.
    """

    __slots__ = ("_dates", "_edges", "_groups_of", "_opened", "counts", "days", "history", "layout", "today", "totals")

    def __init__(self, history: History, days: tuple[int, ...], today: Day, groups_of: GroupsOf = _itself) -> None:
        self.history = history
        self.days = days
        self.layout = _layout(tuple(history.labels), groups_of)
        self._groups_of = groups_of
        self._dates: list[Day] = []
        self._opened = False
        if history.spans == list(days) and history.today <= today:
            self.today, self._edges, self.counts, self.totals = history.today, history.edges, history.count_sums, history.total_sums
            self.advance(today)
        else:
            self._take_anew(today)

    def _open(self) -> None:
        """Read the cells, and their days."""
        self._opened = True
        self.history.open()
        self._dates = list(accumulate(self.history.steps))

    def _take_anew(self, today: Day) -> None:
        history = self.history
        history.spans = list(self.days)
        # _edges[i] is the index of the first cell not older than window i; the last entry that of the first cell after today.
        self._edges = history.edges = [0] * (len(self.days) + 1)
        self.counts = history.count_sums = [[0] * len(self.layout.groups) for _ in self.days]
        self.totals = history.total_sums = [[0] * len(self.layout.groups) for _ in self.days]
        self._pass_to(today)

    def advance(self, today: Day) -> None:
        """Days have passed; never backwards."""
        if today > self.today:
            self._pass_to(today)

    def _pass_to(self, today: Day) -> None:
        """Take out of each window the cells that left it, and into it those whose day has come."""
        if not self._opened:
            self._open()
        history, dates, edges = self.history, self._dates, self._edges
        self.today = history.today = today
        if not dates:
            return
        counted = edges[-1]
        end = edges[-1] = bisect_right(dates, today, counted)
        numbers, counts, totals, members = history.numbers, history.counts, history.totals, self.layout.members
        for window, days in enumerate(self.days):
            index, limit = edges[window], today - days
            if index < end and dates[index] <= limit:
                count_sums, total_sums = self.counts[window], self.totals[window]
                while index < end and dates[index] <= limit:
                    if index < counted:
                        count, total = counts[index], totals[index]
                        for group in members[numbers[index]]:
                            count_sums[group] = count_sums[group] - count
                            total_sums[group] = total_sums[group] - total
                    index += 1
                edges[window] = index
            if counted < end:
                count_sums, total_sums = self.counts[window], self.totals[window]
                for entering in range(max(index, counted), end):
                    count, total = counts[entering], totals[entering]
                    for group in members[numbers[entering]]:
                        count_sums[group] = count_sums[group] + count
                        total_sums[group] = total_sums[group] + total
        drop = edges[-2]
        if drop > _DROP_AT:
            del dates[:drop]
            history.drop(drop, dates)
            edges[:] = [edge - drop for edge in edges]

    def add(self, day: Day, label: str, count: int, total: int) -> None:
        """Add to a day's cell. A day older than the longest window is already out of every window and is dropped."""
        ago = self.today - day
        if ago >= self.days[-1]:
            return
        if not self._opened:
            self._open()
        first = 0  # of the windows that reach back to that day
        while self.days[first] <= ago:
            first += 1
        history, dates = self.history, self._dates
        number = self.layout.numbers.get(label)
        if number is None:
            number = self._begin(label)
        at = index = bisect_right(dates, day) if dates and dates[-1] > day else len(dates)
        while at and dates[at - 1] == day:
            at -= 1
            if history.numbers[at] == number:
                history.counts[at] += count
                history.totals[at] += total
                break
        else:
            dates.insert(index, day)
            history.insert(index, dates, number, count, total)
            if ago >= 0:
                edges = self._edges
                edges[-1] += 1
                for window in range(first):
                    edges[window] += 1
        if ago >= 0:
            members = self.layout.members[number]
            for window in range(first, len(self.days)):
                count_sums, total_sums = self.counts[window], self.totals[window]
                for group in members:
                    # Not += on an item: compiled, that adds objects instead of integers.
                    count_sums[group] = count_sums[group] + count
                    total_sums[group] = total_sums[group] + total

    def _begin(self, label: str) -> int:
        """A label's first use."""
        labels = self.history.labels
        labels.append(label)
        new = -len(self.layout.groups)
        self.layout = _layout(tuple(labels), self._groups_of)
        new += len(self.layout.groups)
        for sums in (*self.counts, *self.totals):
            sums += [0] * new
        return len(labels) - 1

    def sums(self, group: str, days: int) -> tuple[int, int]:
        """Count and total of a group in one of the windows; zero where it never occurred."""
        number = self.layout.groups.get(group)
        if number is None:
            return 0, 0
        window = self.days.index(days)
        return self.counts[window][number], self.totals[window][number]

    def __bool__(self) -> bool:
        """Whether anything was ever counted."""
        return bool(self.history.labels)
