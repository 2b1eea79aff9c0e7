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
    """Running totals over a history, one band of days between each window and the next shorter one.

    A new cell enters the shortest window only; as days pass it moves on, band by band: an event costs two additions whatever
    the number of windows, and a day passing costs only the cells that cross a border on it. Totals are derived, never stored.
    """

    __slots__ = ("_cells", "_edges", "_numbers", "bands", "days", "history", "today")

    def __init__(self, history: History, days: tuple[int, ...], today: Day) -> None:
        self.history = history
        self.days = days
        self.today = today
        self._numbers = {label: number for number, label in enumerate(history.labels)}
        self._cells = history.cells
        self._rebuild()

    def _rebuild(self) -> None:
        cells = self._cells
        # _edges[i] is the index of the first cell not older than window i; the last entry the first cell after today.
        self._edges = [0] * (len(self.days) + 1)
        #: Per label number: count and total of band 0, of band 1 ...; a window's sums are those of its band and all before.
        self.bands: list[list[int]] = [[0] * (2 * len(self.days)) for _ in self.history.labels]
        longest = len(self.days) - 1
        oldest = self.today - self.days[longest]
        drop = 0
        while drop < len(cells) and cells[drop] <= oldest:
            drop += _STRIDE
        if drop:
            del cells[:drop]
        index, end, today = 0, len(cells), self.today
        for window in range(longest, -1, -1):
            limit = today - self.days[window - 1] if window else today
            self._edges[window] = index
            while index < end and cells[index] <= limit:
                band = self.bands[cells[index + 1]]
                band[2 * window] += cells[index + 2]
                band[2 * window + 1] += cells[index + 3]
                index += _STRIDE
        self._edges[len(self.days)] = index

    def advance(self, today: Day) -> None:
        """Days have passed; never backwards."""
        if today <= self.today:
            return
        self.today = today
        if not self._cells:
            return
        cells, edges, bands, days = self._cells, self._edges, self.bands, self.days
        last, counted = len(days) - 1, edges[-1]
        for window in range(len(days)):
            index, limit = edges[window], today - days[window]
            while index < counted and cells[index] <= limit:
                band, count, total = bands[cells[index + 1]], cells[index + 2], cells[index + 3]
                band[2 * window] -= count
                band[2 * window + 1] -= total
                if window < last:
                    band[2 * window + 2] += count
                    band[2 * window + 3] += total
                index += _STRIDE
            edges[window] = index
        if counted < len(cells):
            self._rebuild()
        elif edges[last] > _DROP_AT:
            drop = edges[last]
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
            self.bands.append([0] * (2 * len(self.days)))
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
            if day == self.today and index == self._edges[-1]:
                self._edges[-1] += _STRIDE
            elif day <= self.today:
                self._rebuild()
                return
        if day == self.today:
            band = self.bands[number]
            band[0] += count
            band[1] += total
        elif day < self.today:
            self._rebuild()

    @property
    def labels(self) -> list[str]:
        """Labels in order of first use: numbers for ``count`` and ``total``."""
        return self.history.labels

    def count(self, number: int, window: int) -> int:
        """Count under a label number in the window with this index."""
        return self.bands[number][0] if not window else sum(self.bands[number][0 : 2 * window + 1 : 2])

    def total(self, number: int, window: int) -> int:
        """Total under a label number in the window with this index."""
        return self.bands[number][1] if not window else sum(self.bands[number][1 : 2 * window + 2 : 2])
