"""A partition's clock: a set bound behind the events applied, moved on by ticks, never back, and never by one wild timestamp.

Deadlines and absences are judged when this clock passes them. An event further ahead than ``JUMP_MS`` is a suspect: it moves
the clock only once a second event in a row stands as far ahead, and is forgotten when the stream goes on before it.
"""

from __future__ import annotations

from typing import Any

from schemas.localtime import DAY_MS, Instant

JUMP_MS = DAY_MS


class Watermark:
    """``high`` is the newest trusted time, ``clock`` how far time is held to have passed; both none before the first."""

    __slots__ = ("clock", "disorder_ms", "high", "suspect")

    def __init__(self, disorder_ms: int, high: Instant | None = None, clock: Instant | None = None, suspect: Instant | None = None) -> None:
        self.disorder_ms = disorder_ms
        self.high = high
        self.clock = clock
        self.suspect = suspect

    def packed(self) -> tuple[Any, ...]:
        """What is stored."""
        return self.disorder_ms, self.high, self.clock, self.suspect

    def event(self, at: Instant) -> None:
        """An event at ``at`` is being applied."""
        high = self.high
        if high is not None and at <= high + JUMP_MS:
            self.suspect = None
            if at > high:
                self._reach(at)
            return
        if self.suspect is None:
            self.suspect = at
            return
        first, second = sorted((self.suspect, at))
        self.suspect = None if second <= first + JUMP_MS else second
        self._reach(first if self.suspect is not None else second)

    def tick(self, at: Instant) -> None:
        """A tick at ``at`` is being applied: every topic is read to its end or stands later, so time itself has passed."""
        if self.high is None or at > self.high:
            self.high = at
            self.suspect = None
        if self.clock is None or at > self.clock:
            self.clock = at

    def now(self, at: Instant) -> Instant:
        """As of when an event at ``at`` is judged: not after the trusted time, where there is one."""
        return at if self.high is None or at < self.high else self.high

    def _reach(self, at: Instant) -> None:
        self.high = at
        clock = at - self.disorder_ms
        if self.clock is None or clock > self.clock:
            self.clock = clock
