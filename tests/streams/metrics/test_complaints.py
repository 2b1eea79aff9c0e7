"""Complaint cases: where a case stands follows from the times of its steps, not from the order in which they came."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest

from schemas.events import Complaint
from streams.metrics.complaints import Case, Complaints
from streams.metrics.windows import Windows

HOUR = 3_600_000
Step = tuple[str, int] | tuple[str, int, dict[str, Any]]


def _event(step: str, facts: dict[str, Any]) -> Complaint:
    fields = {"event_id": "e", "customer_id": "c", "occurred_at": "2026-01-01T00:00:00Z", "source": "t", "case_id": "k", "step": step, "approver": "head"}
    return Complaint.model_validate(fields | facts, strict=False)


def _case(*steps: Step) -> Case:
    """Steps as (name, day) or (name, day, facts), in order of arrival."""
    case = Case()
    for position, (step, day, *facts) in enumerate(steps):
        case.step(_event(step, facts[0] if facts else {}), day * 24 * HOUR + HOUR, day, position)
    return case


def _standing(case: Case) -> tuple[Any, ...]:
    return case.open, case.started_day if case.open else None, case.extended, case.complex


@pytest.mark.parametrize(
    ("steps", "standing"),
    [
        ([("received", 1)], (True, 1, False, False)),
        ([("received", 1), ("answered", 5)], (False, None, False, False)),
        ([("received", 1), ("withdrawn", 5)], (False, None, False, False)),
        ([("received", 1), ("answered", 5), ("reopened", 9)], (True, 9, False, False)),
        ([("received", 1), ("extended", 3), ("answered", 5), ("reopened", 9)], (True, 9, False, False)),
        ([("received", 1), ("extended", 3)], (True, 1, True, False)),
        ([("received", 1), ("classified", 2, {"complex": True}), ("investigated", 3)], (True, 1, False, True)),
        ([("received", 1), ("classified", 2, {"complex": True}), ("classified", 3, {"complex": False})], (True, 1, False, False)),
        ([("received", 1), ("investigated", 6), ("answered", 5)], (False, None, False, False)),
        ([("received", 1), ("reopened", 9), ("answered", 5), ("extended", 10)], (True, 9, True, False)),
    ],
)
def test_every_order_of_arrival_leads_to_the_same_standing(steps: list[Step], standing: tuple[Any, ...]) -> None:
    assert {_standing(_case(*order)) for order in permutations(steps)} == {standing}


def test_an_answer_that_comes_late_behind_a_newer_step_still_ends_the_case() -> None:
    case = _case(("received", 1), ("investigated", 6), ("answered", 5))
    assert not case.open
    assert case.out_of_order


@pytest.mark.parametrize(
    ("steps", "flagged"),
    [
        ([("received", 1), ("answered", 5)], False),
        ([("answered", 5), ("received", 1)], True),
        ([("classified", 1)], True),
        ([("received", 1), ("answered", 5), ("classified", 4)], True),
    ],
)
def test_steps_out_of_order_are_flagged(steps: list[Step], flagged: bool) -> None:
    assert _case(*steps).out_of_order is flagged


def test_a_case_whose_receipt_is_not_known_runs_from_its_first_step() -> None:
    assert _standing(_case(("classified", 4), ("investigated", 6))) == (True, 4, False, False)
    assert _standing(_case(("classified", 4), ("received", 2))) == (True, 2, False, False)
    assert not _case(("answered", 4)).open


def test_the_approver_is_that_of_the_extension_in_force() -> None:
    assert _case(("received", 1), ("extended", 2)).approver == "head"
    assert _case(("received", 1), ("extended", 2), ("reopened", 3)).approver is None


def test_a_case_is_counted_once_and_forgotten_400_days_after_its_end() -> None:
    complaints = Complaints()
    windows = Windows(complaints.received, (30, 90, 365), 1)
    for position, (step, day) in enumerate([("received", 1), ("received", 1), ("answered", 5)]):
        complaints.apply(_event(step, {}), day * 24 * HOUR, day, position, windows)
    assert windows.counts[0][0] == 1
    complaints.forget(405)
    assert complaints.cases
    complaints.forget(406)
    assert not complaints.cases
