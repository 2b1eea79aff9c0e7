"""What people say of an alert moves its life on: it can be taken on, put off, closed and judged, and the clock respects it."""

from __future__ import annotations

import pytest

from schemas.outputs import Alert
from streams.testing import Bank


def salary_gone(bank: Bank, **fields: object) -> Alert:
    bank.salary("c1", "32000.00", day=10, months=6, **fields)
    bank.clock("2026-07-20T00:00:00")
    [alert] = bank.alerts()
    return alert


def now(bank: Bank) -> Alert:
    [alert] = bank.alerts()
    return alert


@pytest.mark.parametrize("action", ["acknowledged", "in_progress", "waiting"])
def test_acting_puts_the_expiry_off(bank: Bank, action: str) -> None:
    alert = salary_gone(bank)
    said = bank.feedback(alert, action, "2026-08-10T10:00:00")
    taken = now(bank)
    assert (taken.state, taken.revision, taken.cause.kind, taken.cause.event_id) == (action, 2, "feedback", said)
    assert taken.reasons == alert.reasons

    bank.clock("2026-09-09T09:59:59.999")
    assert now(bank).state == action
    bank.clock("2026-09-09T10:00:00")
    assert now(bank).state == "expired"


def test_the_salary_clears_it_whoever_works_on_it(bank: Bank) -> None:
    bank.feedback(salary_gone(bank), "in_progress", "2026-07-21T10:00:00")
    bank.transaction("c1", "32000.00", "salary", "2026-07-22T09:00:00")
    assert now(bank).state == "cleared"


@pytest.mark.parametrize("action", ["dismissed", "resolved"])
def test_closed_by_people_it_stays_closed_for_this_absence(bank: Bank, action: str) -> None:
    bank.feedback(salary_gone(bank), action, "2026-07-21T10:00:00", reason="changed employer", assessment="useful")
    assert (now(bank).state, now(bank).assessment) == (action, "useful")

    bank.clock("2026-12-31T00:00:00")
    assert len(bank.revisions()) == 2


def test_a_snooze_ends_by_itself(bank: Bank) -> None:
    alert = salary_gone(bank)
    bank.feedback(alert, "acknowledged", "2026-07-20T12:00:00")
    bank.feedback(alert, "snoozed", "2026-07-21T10:00:00", until="2026-07-28T08:00:00", reason="on holiday", approver="branch-head-3")
    assert (now(bank).state, now(bank).snoozed_until) == ("snoozed", bank.time("2026-07-28T08:00:00"))

    bank.clock("2026-07-28T07:59:59.999")
    assert now(bank).state == "snoozed"
    bank.clock("2026-07-28T08:00:00")
    assert (now(bank).state, now(bank).snoozed_until, now(bank).cause.kind) == ("acknowledged", None, "clock")


def test_a_snooze_fails_open_when_the_matter_gets_graver(bank: Bank) -> None:
    alert = salary_gone(bank)
    bank.feedback(alert, "snoozed", "2026-07-21T10:00:00", until="2026-07-28T08:00:00", reason="on holiday", approver="branch-head-3")
    bank.transaction("c1", "1.00", "interest", "2026-07-22T10:00:00", balance_after="900000.00")
    assert (now(bank).state, now(bank).grade, now(bank).snoozed_until) == ("risen", "high", None)


def test_the_gravest_cannot_be_snoozed(bank: Bank) -> None:
    for hour in range(6):
        bank.transaction("c1", "48000.00", "deposit", f"2026-07-01T{hour + 9:02}:00:00")
    alert = now(bank)
    assert alert.grade == "critical"
    bank.feedback(alert, "snoozed", "2026-07-02T10:00:00", until="2026-07-28T08:00:00", reason="not now", approver="branch-head-3")
    assert now(bank) == alert


def test_a_snooze_into_the_past_changes_nothing(bank: Bank) -> None:
    alert = salary_gone(bank)
    bank.feedback(alert, "snoozed", "2026-07-21T10:00:00", until="2026-07-20T08:00:00", reason="on holiday", approver="branch-head-3")
    assert now(bank) == alert


def test_an_alert_is_judged_even_after_it_closed(bank: Bank) -> None:
    alert = salary_gone(bank)
    bank.transaction("c1", "32000.00", "salary", "2026-07-22T09:00:00")
    bank.feedback(alert, "assessed", "2026-07-30T10:00:00", assessment="false_positive")
    assert (now(bank).state, now(bank).assessment, now(bank).revision) == ("cleared", "false_positive", 3)


def test_nothing_reopens_a_closed_alert(bank: Bank) -> None:
    alert = salary_gone(bank)
    bank.feedback(alert, "dismissed", "2026-07-21T10:00:00")
    for action in ("acknowledged", "in_progress", "resolved"):
        bank.feedback(alert, action, "2026-07-22T10:00:00")
    assert (now(bank).state, now(bank).revision) == ("dismissed", 2)


def test_feedback_on_nobodys_alert_or_under_another_customer_changes_nothing(bank: Bank) -> None:
    alert = salary_gone(bank)
    bank.event("feedback", "c1", "2026-07-21T10:00:00", alert_id="0" * 32, action="dismissed", actor="tester")
    bank.event("feedback", "c2", "2026-07-21T10:00:00", alert_id=alert.alert_id, action="dismissed", actor="tester")
    assert now(bank) == alert
    assert bank.count("applied") == len(bank.frames)
