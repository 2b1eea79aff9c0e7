"""Computes the ``complaint.*`` and ``one_complaint.*`` metrics: cases by their steps, and each open case's clock."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from schemas.events.complaints import Complaint
from schemas.localtime import Day, Instant
from streams.metrics.windows import History, Windows

DAYS = (30, 90, 365)
_ENDS = frozenset({"answered", "closed", "withdrawn"})
_KEPT_AFTER_END_DAYS = 400
_POSITIONS_KEPT = 8

#: When a step happened, its journal position (of two at the same instant the one that came later counts) and its local day.
When = tuple[Instant, int, Day]


class Case:
    """One case: when each of the steps that matter happened. Where it stands follows from these times, in whatever order the steps came."""

    __slots__ = (
        "classed",
        "ended",
        "extension",
        "first",
        "last_day",
        "newest_at",
        "out_of_order",
        "outlet_id",
        "owner",
        "positions",
        "received",
        "reopened",
    )

    def __init__(
        self,
        first: Sequence[int] | None = None,
        newest_at: Instant | None = None,
        received: Sequence[int] | None = None,
        reopened: Sequence[int] | None = None,
        ended: Sequence[int] | None = None,
        extension: Sequence[Any] | None = None,
        classed: Sequence[Any] | None = None,
        last_day: Day = 0,
        out_of_order: bool = False,
        owner: str | None = None,
        outlet_id: str | None = None,
        positions: list[int] | None = None,
    ) -> None:
        self.first = _when(first)
        self.newest_at = newest_at
        self.received = _when(received)
        self.reopened = _when(reopened)
        self.ended = _when(ended)
        self.extension: tuple[Instant, int, str | None] | None = None if extension is None else (extension[0], extension[1], extension[2])
        self.classed: tuple[Instant, int, bool] | None = None if classed is None else (classed[0], classed[1], classed[2])
        self.last_day = last_day
        self.out_of_order = out_of_order
        self.owner = owner
        self.outlet_id = outlet_id
        self.positions: list[int] = [] if positions is None else positions

    def packed(self) -> tuple[Any, ...]:
        """What is stored."""
        return (
            self.first,
            self.newest_at,
            self.received,
            self.reopened,
            self.ended,
            self.extension,
            self.classed,
            self.last_day,
            self.out_of_order,
            self.owner,
            self.outlet_id,
            self.positions,
        )

    def step(self, event: Complaint, at: Instant, day: Day, position: int) -> None:
        """Apply one step; one that comes out of order is applied and flagged."""
        self.positions.append(position)
        del self.positions[1 : max(1, len(self.positions) - _POSITIONS_KEPT)]
        self.owner = event.owner or self.owner
        self.outlet_id = event.outlet_id or self.outlet_id
        self.last_day = max(self.last_day, day) if self.first else day
        when = (at, position, day)
        name = event.step
        if (self.newest_at is not None and at < self.newest_at) or (self.received is None and name != "received"):
            self.out_of_order = True
        self.newest_at = at if self.newest_at is None else max(self.newest_at, at)
        if self.first is None or when < self.first:
            self.first = when
        if name == "received" and self.received is None:
            self.received = when
        elif name == "reopened" and (self.reopened is None or when > self.reopened):
            self.reopened = when
        elif name in _ENDS and (self.ended is None or when > self.ended):
            self.ended = when
        elif name == "extended" and (self.extension is None or (at, position) > self.extension[:2]):
            self.extension = (at, position, event.approver)
        if event.complex is not None and (self.classed is None or (at, position) > self.classed[:2]):
            self.classed = (at, position, event.complex)

    @property
    def _opened(self) -> When | None:
        """When it last began to be open: received (as long as that is not known, its first step) or reopened."""
        began = self.received or self.first
        return self.reopened if began is None or (self.reopened is not None and self.reopened > began) else began

    @property
    def open(self) -> bool:
        opened = self._opened
        return opened is not None and (self.ended is None or self.ended < opened)

    @property
    def started_day(self) -> Day | None:
        """Local day on which the clock started."""
        opened = self._opened
        return None if opened is None else opened[2]

    @property
    def complex(self) -> bool:
        return self.classed is not None and self.classed[2]

    @property
    def extended(self) -> bool:
        """Whether the limit is extended; a reopened case begins without."""
        opened = self._opened
        return self.extension is not None and opened is not None and self.extension[:2] >= opened[:2]

    @property
    def approver(self) -> str | None:
        return self.extension[2] if self.extension is not None and self.extended else None


def _when(stored: Sequence[int] | None) -> When | None:
    return None if stored is None else (stored[0], stored[1], stored[2])


class Complaints:
    """One customer's cases by their id, and the days on which cases were received."""

    __slots__ = ("cases", "received")

    def __init__(self, cases: dict[str, list[Any]] | None = None, received: list[Any] | None = None) -> None:
        self.cases: dict[str, Case] = {} if cases is None else {name: Case(*stored) for name, stored in cases.items()}
        self.received = History() if received is None else History(*received)

    def packed(self) -> tuple[Any, ...]:
        """What is stored."""
        return {name: case.packed() for name, case in self.cases.items()}, self.received.packed()

    def apply(self, event: Complaint, at: Instant, day: Day, position: int, windows: Windows) -> Case:
        case = self.cases.get(event.case_id)
        if case is None:
            case = self.cases[event.case_id] = Case()
        first_received = event.step == "received" and case.received is None
        case.step(event, at, day, position)
        if first_received:
            windows.add(day, "received", 1, event.people or 1)
        return case

    def forget(self, today: Day) -> None:
        """Drop cases that ended long ago: a reopening after that starts a case of its own."""
        old = [case_id for case_id, case in self.cases.items() if not case.open and case.last_day < today - _KEPT_AFTER_END_DAYS]
        for case_id in old:
            del self.cases[case_id]

    def open_cases(self) -> dict[str, Case]:
        return {case_id: case for case_id, case in self.cases.items() if case.open}
