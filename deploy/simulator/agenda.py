"""What will happen when: every process of the bank keeps its next step here, so that memory holds one day and one step ahead."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from deploy.simulator.calendar import DAY

Action = Callable[..., None]


class Agenda:
    """Steps by day; those of the current day in order of time, then in the order in which they were planned."""

    def __init__(self) -> None:
        self.day = -1
        self._now = 0
        self._later: defaultdict[int, list[tuple[int, int, Action, tuple[Any, ...]]]] = defaultdict(list)
        self._today: list[tuple[int, int, Action, tuple[Any, ...]]] = []
        self._planned = 0

    def at(self, day: int, second: int, action: Action, *args: Any) -> None:
        """Plan ``action(day, second, *args)``. What would lie in the past happens now."""
        if second >= DAY:
            day, second = day + second // DAY, second % DAY
        self._planned += 1
        if day > self.day:
            self._later[day].append((second, self._planned, action, args))
        else:
            heapq.heappush(self._today, (max(second, self._now), self._planned, action, args))

    def live(self, day: int) -> None:
        """Do everything planned for a day, steps planned on the way included."""
        self.day, self._now = day, 0
        today = self._today = self._later.pop(day, [])
        heapq.heapify(today)
        pop = heapq.heappop
        while today:
            second, _, action, args = pop(today)
            self._now = second
            action(day, second, *args)
