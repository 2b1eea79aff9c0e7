"""Sliding windows in local days: counts and totals by label, kept exact as days pass and as late events land in their own day."""

from __future__ import annotations

import msgspec

from schemas.localtime import Day


class History(msgspec.Struct, array_like=True):
    """What is stored: ``cells`` is a flat run of (day, label number, count, total), oldest day first; ``labels`` names the numbers."""

    labels: list[str] = msgspec.field(default_factory=list)
    cells: list[int] = msgspec.field(default_factory=list)


_STRIDE = 4
_DROP_AT = 16 * _STRIDE  # cells out of every window are dropped this many at a time


class Windows:
    """Running sums over a history. ``counts[number][window]`` and ``totals[number][window]`` are those of a label in a window.

    An event adds to every window, a day passing takes away what leaves one on it: reading a sum, which rules and snapshots do far
    more often than either, is a look-up. Sums are derived, never stored.
    """

    __slots__ = ("_cells", "_edges", "_numbers", "counts", "days", "history", "today", "totals")

    def __init__(self, history: History, days: tuple[int, ...], today: Day) -> None:
        self.history = history
        self.days = days
        self.today = today
        self._numbers = {label: number for number, label in enumerate(history.labels)}
        self._cells = history.cells
        self._rebuild()

    def _rebuild(self) -> None:
        cells, days, today = self._cells, self.days, self.today
        oldest, drop = today - days[-1], 0
        while drop < len(cells) and cells[drop] <= oldest:
            drop += _STRIDE
        del cells[:drop]
        # _edges[i] is the index of the first cell not older than window i; the last entry that of the first cell after today.
        edges = [0] * (len(days) + 1)
        self.counts: list[list[int]] = [[0] * len(days) for _ in self.history.labels]
        self.totals: list[list[int]] = [[0] * len(days) for _ in self.history.labels]
        index, end, longest = 0, len(cells), len(days) - 1
        reached = longest  # the shortest window that the cell at index lies in
        while index < end and cells[index] <= today:
            while reached and cells[index] > today - days[reached - 1]:
                reached -= 1
                edges[reached] = index
            counts, totals = self.counts[cells[index + 1]], self.totals[cells[index + 1]]
            for window in range(reached, longest + 1):
                counts[window] += cells[index + 2]
                totals[window] += cells[index + 3]
            index += _STRIDE
        for window in range(reached):
            edges[window] = index
        edges[-1] = index
        self._edges = edges

    def advance(self, today: Day) -> None:
        """Days have passed; never backwards."""
        if today <= self.today:
            return
        self.today = today
        cells = self._cells
        if not cells:
            return
        edges, days = self._edges, self.days
        counted = edges[-1]
        for window in range(len(days)):
            index, limit = edges[window], today - days[window]
            while index < counted and cells[index] <= limit:
                number = cells[index + 1]
                self.counts[number][window] -= cells[index + 2]
                self.totals[number][window] -= cells[index + 3]
                index += _STRIDE
            edges[window] = index
        if counted < len(cells):
            self._rebuild()
        elif edges[-2] > _DROP_AT:
            drop = edges[-2]
            del cells[:drop]
            self._edges = [edge - drop for edge in edges]

    def add(self, day: Day, label: str, count: int, total: int) -> None:
        """Add to a day's cell. A day older than the longest window is already out of every window and is dropped."""
        if day <= self.today - self.days[-1]:
            return
        number = self._numbers.get(label)
        if number is None:
            number = self._numbers[label] = len(self.history.labels)
            self.history.labels.append(label)
            self.counts.append([0] * len(self.days))
            self.totals.append([0] * len(self.days))
        cells = self._cells
        index = len(cells)
        while index and cells[index - _STRIDE] > day:
            index -= _STRIDE
        at = index
        while at and cells[at - _STRIDE] == day:
            at -= _STRIDE
            if cells[at + 1] == number:
                cells[at + 2] += count
                cells[at + 3] += total
                break
        else:
            cells[index:index] = (day, number, count, total)
            if day < self.today or (day == self.today and index != self._edges[-1]):
                self._rebuild()
                return
            if day == self.today:
                self._edges[-1] += _STRIDE
        if day == self.today:
            self.counts[number] = [sum_ + count for sum_ in self.counts[number]]
            self.totals[number] = [sum_ + total for sum_ in self.totals[number]]
        elif day < self.today:
            self._rebuild()

    @property
    def labels(self) -> list[str]:
        """Labels in order of first use: numbers for ``counts`` and ``totals``."""
        return self.history.labels
