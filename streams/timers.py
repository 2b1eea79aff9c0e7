"""When which customer must next be looked at, although nothing may happen to it."""

from __future__ import annotations

from heapq import heapify, heappop, heappush

from schemas.localtime import Instant
from streams.customer.state import NEVER


class Timers:
    """One wake instant a key, earliest first; keys due at the same instant come in key order, so that replays agree."""

    def __init__(self, wakes: dict[bytes, Instant]) -> None:
        self._wakes = {key: wake for key, wake in wakes.items() if wake < NEVER}
        self._heap = [(wake, key) for key, wake in self._wakes.items()]
        heapify(self._heap)

    def set(self, key: bytes, wake: Instant) -> None:
        """The key is due at ``wake`` and at no other time (NEVER: not at all)."""
        if self._wakes.get(key, NEVER) == wake:
            return
        if wake >= NEVER:
            self._wakes.pop(key, None)
            return
        self._wakes[key] = wake
        heappush(self._heap, (wake, key))
        if len(self._heap) > 1024 and len(self._heap) > 4 * len(self._wakes):
            self._heap = [(due, name) for name, due in self._wakes.items()]
            heapify(self._heap)

    def is_due(self, clock: Instant) -> bool:
        """Whether any key is due at or before ``clock``."""
        heap, wakes = self._heap, self._wakes
        while heap and heap[0][0] <= clock:
            wake, key = heap[0]
            if wakes.get(key) == wake:
                return True
            heappop(heap)
        return False

    def pop_due(self, clock: Instant) -> tuple[Instant, bytes] | None:
        """The earliest key due at or before ``clock``, taken out; None if none is."""
        heap, wakes = self._heap, self._wakes
        while heap and heap[0][0] <= clock:
            wake, key = heappop(heap)
            if wakes.get(key) == wake:
                del wakes[key]
                return wake, key
        return None
