"""complaint.limit-50, -80, -passed: the regulator's clock runs on every open case: 15 days, 30 where complex, 30 more with approval.

The day of receipt does not count: a complaint of 1 July is to be answered by 16 July.
"""

from __future__ import annotations

import pytest

from streams.testing import Bank

RULES = ("complaint.limit-50", "complaint.limit-80", "complaint.limit-passed")


def received(bank: Bank, at: str = "2026-07-01T10:00:00", case: str = "TS-1", **fields: object) -> str:
    return bank.complaint("c1", case, "received", at, **fields)


@pytest.mark.parametrize(
    ("rule", "before", "at", "grade", "owner", "en", "zh"),
    [
        (
            RULES[0],
            "2026-07-08T23:59:59.999",
            "2026-07-09T00:00:00",
            "low",
            "complaint-handler",
            "Complaint of 1 Jul is open for 8 days, 50 % of its limit; answer due by 16 Jul (threshold 50 %)",
            "7月1日 收到的投诉已历 8 天，用去时限 50 %，最迟 7月16日 答复（阈值 50 %）",
        ),
        (
            RULES[1],
            "2026-07-13T19:11:59.999",
            "2026-07-13T19:12:00",
            "high",
            "branch-head",
            "Complaint of 1 Jul is open for 12 days, 80 % of its limit; answer due by 16 Jul (threshold 80 %)",
            "7月1日 收到的投诉已历 12 天，用去时限 80 %，最迟 7月16日 答复（阈值 80 %）",
        ),
        (
            RULES[2],
            "2026-07-16T23:59:59.999",
            "2026-07-17T00:00:00",
            "critical",
            "head-office",
            "Complaint of 1 Jul was to be answered by 16 Jul and is not, after 16 days",
            "7月1日 收到的投诉应于 7月16日 前答复，至今未答复，已历 16 天",
        ),
    ],
)
def test_is_raised_to_the_instant(bank: Bank, rule: str, before: str, at: str, grade: str, owner: str, en: str, zh: str) -> None:
    case = received(bank)
    bank.clock(before)
    assert bank.alerts(rule) == []

    bank.clock(at)
    [alert] = bank.alerts(rule)
    assert (alert.raised_at, alert.grade, alert.owner, alert.cause.kind) == (bank.time(at), grade, owner, "clock")
    assert (alert.reasons[0].en, alert.reasons[0].zh) == (en, zh)
    assert (alert.subject.kind, alert.subject.id, alert.due_at) == ("complaint", "TS-1", bank.time("2026-07-17T00:00:00"))
    assert [event.event_id for event in bank.evidence(alert)] == [case]
    assert alert.action.do_not is not None
    assert alert.action.do_not.en.startswith("offer products: a complaint is open; ")


@pytest.mark.parametrize("step", ["answered", "closed", "withdrawn"])
def test_the_answer_ends_all_three(bank: Bank, step: str) -> None:
    received(bank)
    bank.clock("2026-07-17T00:00:00")
    assert [alert.rule for alert in bank.open_alerts()] == list(RULES)

    answer = bank.complaint("c1", "TS-1", step, "2026-07-18T10:00:00")
    assert {(alert.state, alert.reasons[0].en) for alert in bank.alerts()} == {("cleared", "The complaint has been answered or closed")}
    assert {bank.evidence(alert)[-1].event_id for alert in bank.alerts()} == {answer}
    bank.clock("2027-01-01T00:00:00")
    assert len(bank.revisions()) == 6


def test_answered_in_the_last_second_is_in_time(bank: Bank) -> None:
    received(bank)
    bank.complaint("c1", "TS-1", "answered", "2026-07-16T23:59:59")
    bank.clock("2026-09-01T00:00:00")
    assert bank.alerts("complaint.limit-passed") == []


def test_a_step_on_the_way_does_not_stop_the_clock(bank: Bank) -> None:
    received(bank)
    for step in ("classified", "accepted", "investigated", "escalated"):
        bank.complaint("c1", "TS-1", step, "2026-07-05T10:00:00")
    bank.clock("2026-07-17T00:00:00")
    assert [alert.rule for alert in bank.open_alerts()] == list(RULES)


@pytest.mark.parametrize("complex_from", ["2026-07-01T10:00:00", "2026-07-05T10:00:00"])
def test_a_complex_case_has_thirty_days(bank: Bank, complex_from: str) -> None:
    received(bank)
    bank.complaint("c1", "TS-1", "classified", complex_from, complex=True)
    bank.clock("2026-12-01T00:00:00")
    passed = bank.alerts("complaint.limit-passed")
    assert [alert.raised_at for alert in passed] == [bank.time("2026-08-01T00:00:00")]
    assert [alert.raised_at for alert in bank.alerts("complaint.limit-50")] == [bank.time("2026-07-16T12:00:00")]


def test_an_approved_extension_moves_the_limit_by_thirty_days(bank: Bank) -> None:
    received(bank)
    bank.clock("2026-07-14T00:00:00")
    assert [alert.rule for alert in bank.open_alerts()] == ["complaint.limit-50", "complaint.limit-80"]

    bank.complaint("c1", "TS-1", "extended", "2026-07-14T10:00:00", approver="head-of-service")
    assert {(alert.state, alert.reasons[0].en) for alert in bank.alerts()} == {("cleared", "The limit was extended: answer due by 15 Aug")}
    assert {alert.reasons[0].zh for alert in bank.alerts()} == {"期限已延长，最迟 8月15日 答复"}
    assert {alert.due_at for alert in bank.alerts()} == {bank.time("2026-08-16T00:00:00")}

    bank.clock("2026-08-15T23:59:59.999")
    assert bank.alerts("complaint.limit-passed") == []
    bank.clock("2026-08-16T00:00:00")
    [passed] = bank.alerts("complaint.limit-passed")
    assert passed.reasons[0].en == "Complaint of 1 Jul was to be answered by 15 Aug and is not, after 46 days"
    first, again = bank.alerts("complaint.limit-50")
    assert (again.previous, again.raised_at) == (first.alert_id, bank.time("2026-07-24T00:00:00"))


def test_an_extension_after_the_limit_has_passed_ends_the_breach_alert_but_not_its_record(bank: Bank) -> None:
    received(bank)
    bank.clock("2026-07-17T00:00:00")
    bank.complaint("c1", "TS-1", "extended", "2026-07-18T10:00:00", approver="head-of-service")
    [passed] = bank.alerts("complaint.limit-passed")
    assert (passed.state, passed.raised_at) == ("cleared", bank.time("2026-07-17T00:00:00"))


def test_without_an_approver_there_is_no_extension(bank: Bank) -> None:
    received(bank)
    value = b'{"event_id":"x","customer_id":"c1","occurred_at":"2026-07-05T10:00:00+08:00","source":"t","case_id":"TS-1","step":"extended"}'
    bank.raw("complaint", b"c1", value)
    assert bank.count("dead_lettered") == 1
    bank.clock("2026-07-17T00:00:00")
    assert [alert.rule for alert in bank.alerts()] == list(RULES)


def test_a_reopened_case_starts_a_clock_of_its_own_without_the_old_extension(bank: Bank) -> None:
    received(bank)
    bank.complaint("c1", "TS-1", "extended", "2026-07-02T10:00:00", approver="head-of-service")
    bank.complaint("c1", "TS-1", "closed", "2026-07-03T10:00:00")
    bank.complaint("c1", "TS-1", "reopened", "2026-07-20T10:00:00")
    bank.clock("2026-08-05T00:00:00")
    assert [(alert.rule, alert.due_at) for alert in bank.open_alerts()] == [(rule, bank.time("2026-08-05T00:00:00")) for rule in RULES]


def test_each_case_has_its_own_clock(bank: Bank) -> None:
    received(bank)
    received(bank, "2026-07-04T10:00:00", "TS-2")
    bank.clock("2026-07-20T00:00:00")
    assert [(alert.subject.id, alert.raised_at.astimezone(bank.pack.timezone).day) for alert in bank.alerts("complaint.limit-passed")] == [
        ("TS-1", 17),
        ("TS-2", 20),
    ]
    [alert] = [alert for alert in bank.alerts("complaint.limit-50") if alert.subject.id == "TS-2"]
    assert [(reason.code, reason.en) for reason in alert.reasons[1:]] == [("complaints-repeated", "2 complaints within 90 days")]


def test_an_answer_that_comes_before_its_receipt_ends_the_case_all_the_same(bank: Bank) -> None:
    bank.complaint("c1", "TS-1", "answered", "2026-07-06T10:00:00")
    received(bank)
    bank.clock("2026-09-01T00:00:00")
    assert bank.alerts() == []
    assert bank.metrics("c1")["complaint.out_of_order.count"] == 1
    assert bank.metrics("c1")["complaint.open.count"] == 0


def test_expires_after_ninety_days_of_nobody_caring(bank: Bank) -> None:
    received(bank)
    bank.clock("2027-01-01T00:00:00")
    assert [(alert.rule, alert.state, alert.occurred_at) for alert in bank.alerts()] == [
        (RULES[0], "expired", bank.time("2026-10-07T00:00:00")),
        (RULES[1], "expired", bank.time("2026-10-11T19:12:00")),
        (RULES[2], "expired", bank.time("2026-10-15T00:00:00")),
    ]
