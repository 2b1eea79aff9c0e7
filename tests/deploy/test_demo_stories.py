"""A story counts as found only by an expected rule, on its own subject, in time."""

from __future__ import annotations

from dataclasses import replace

import pytest

from deploy.demo.story_score import score
from deploy.simulator import Label
from schemas.outputs import Alert
from streams.testing import Bank

STORY = Label("salary_gone", "c1", "c1", "2026-07-05T00:00:00+08:00", ("churn.salary-gone",), "2026-07-23T00:00:00+08:00")


@pytest.fixture(scope="module")
def alert() -> Alert:
    """Raised on 20 July."""
    bank = Bank()
    bank.salary("c1", "32000.00", day=10, months=6)
    bank.clock("2026-07-20T00:00:00")
    [alert] = bank.alerts("churn.salary-gone")
    return alert


def test_in_time_it_is_found(alert: Alert) -> None:
    result = score([STORY], [alert])
    assert (result.found, result.missed, result.planted, result.other) == ((STORY,), (), 1, 0)


@pytest.mark.parametrize(
    ("label", "planted"),
    [
        (replace(STORY, detect_by="2026-07-19T00:00:00+08:00"), 1),  # too late to count as found, yet the story's own alert
        (replace(STORY, customer_id="c2", subject="c2"), 0),
        (replace(STORY, expected_rules=("churn.silence",)), 0),
        (replace(STORY, starts_at="2026-07-21T00:00:00+08:00", detect_by="2026-08-01T00:00:00+08:00"), 0),  # raised before it began
    ],
)
def test_otherwise_it_is_missed(alert: Alert, label: Label, planted: int) -> None:
    result = score([label], [alert])
    assert (result.found, result.missed, result.planted, result.other) == ((), (label,), planted, 1 - planted)


def test_a_case_must_be_the_very_case() -> None:
    bank = Bank()
    bank.complaint("c1", "TS-1", "received", "2026-07-01T10:00:00", channel="phone", business="card", reason="service")
    bank.clock("2026-07-25T00:00:00")
    label = Label("complaint_passes_limit", "c1", "TS-1", "2026-07-01T00:00:00+08:00", ("complaint.limit-passed",), "2026-07-31T00:00:00+08:00")
    assert score([label], bank.revisions()).found == (label,)
    other = replace(label, subject="TS-2")
    assert score([other], bank.revisions()).missed == (other,)


def test_revisions_of_one_alert_count_once(alert: Alert) -> None:
    assert score([STORY], [alert, alert.model_copy(update={"revision": 2, "state": "cleared"})]).planted == 1
