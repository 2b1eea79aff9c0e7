"""Computes the ``complaint.*`` and ``one_complaint.*`` metrics: cases by their steps, and each open case's clock."""

from __future__ import annotations

import msgspec

from schemas.events.complaints import Complaint
from streams.calendar import Day, Instant
from streams.metrics.windows import History, Windows

DAYS = (30, 90, 365)
_ENDS = frozenset({"answered", "closed", "withdrawn"})
_KEPT_AFTER_END_DAYS = 400
_POSITIONS_KEPT = 8


class Case(msgspec.Struct, array_like=True):
    """One case. ``started_day`` is when its clock started; steps older than ``last_step_at`` state facets but not the state."""

    received_day: Day | None = None
    started_day: Day | None = None
    open: bool = False
    complex: bool = False
    extended: bool = False
    out_of_order: bool = False
    last_step_at: Instant = 0
    last_day: Day = 0
    approver: str | None = None
    owner: str | None = None
    outlet_id: str | None = None
    positions: list[int] = msgspec.field(default_factory=list)

    def step(self, event: Complaint, at: Instant, day: Day, position: int) -> None:
        """Apply one step; one that comes out of order is applied and flagged."""
        self.positions.append(position)
        del self.positions[1 : max(1, len(self.positions) - _POSITIONS_KEPT)]
        if event.complex is not None:
            self.complex = event.complex
        self.owner = event.owner or self.owner
        self.outlet_id = event.outlet_id or self.outlet_id
        self.last_day = max(self.last_day, day)
        first = self.last_step_at == 0
        newly_received = event.step == "received" and self.received_day is None
        if at < self.last_step_at or (self.received_day is None and not newly_received):
            self.out_of_order = True
        if event.step == "received" and (self.received_day is None or day < self.received_day):
            self.received_day = day
        if at < self.last_step_at:
            if newly_received and self.open and self.started_day is not None:
                self.started_day = min(self.started_day, day)
            return
        self.last_step_at = at
        if event.step in _ENDS:
            self.open = False
        elif first or newly_received or event.step == "reopened":
            self.open = True
            self.extended = False
            self.approver = None
            self.started_day = day
        if event.step == "extended":
            self.extended = True
            self.approver = event.approver


class Complaints(msgspec.Struct, array_like=True):
    """One customer's cases by their id, and the days on which cases were received."""

    cases: dict[str, Case] = msgspec.field(default_factory=dict)
    received: History = msgspec.field(default_factory=History)

    def apply(self, event: Complaint, at: Instant, day: Day, position: int, windows: Windows) -> Case:
        case = self.cases.get(event.case_id)
        if case is None:
            case = self.cases[event.case_id] = Case()
        first_received = event.step == "received" and case.received_day is None
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
