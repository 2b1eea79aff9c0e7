"""churn.salary-gone: a regular salary does not come; judged by the clock alone, ten days after it was expected."""

from __future__ import annotations

import pytest

from streams.testing import Bank

RULE = "churn.salary-gone"
DUE = "2026-07-20T00:00:00+08:00"


def test_is_raised_on_the_tenth_day(bank: Bank) -> None:
    bank.salary("c1", "32000.00", day=10, months=6)

    bank.clock("2026-07-19T23:59:59.999+08:00")
    assert bank.alerts() == []

    bank.clock(DUE)
    [alert] = bank.alerts()
    assert (alert.rule, alert.grade, alert.owner, alert.cause.kind) == (RULE, "medium", "relationship-manager", "clock")
    assert alert.raised_at == bank.time(DUE)
    assert alert.reasons[0].en == "Salary of ¥ 32,000.00, expected 10 Jul, is 10 days late; it came on day 10 for 6 months"
    assert alert.reasons[0].zh == "应于 7月10日 到账的工资 ¥ 32,000.00 已迟 10 天；此前 6 个月均在 10 日前后"
    assert [(event.kind, event.occurred_at.month) for event in bank.evidence(alert)] == [("salary", 3), ("salary", 4), ("salary", 5), ("salary", 6)]


def test_two_regular_months_are_too_few_and_three_are_enough(bank: Bank) -> None:
    bank.salary("three", "9000.00", day=10, months=1, until="2026-04")
    for month in ("2026-05", "2026-06"):
        bank.salary("two", "9000.00", day=10, months=1, until=month)
        bank.salary("three", "9000.00", day=10, months=1, until=month)
    bank.clock("2026-07-25T00:00:00")
    assert [alert.subject.customer_id for alert in bank.alerts()] == ["three"]


def test_a_salary_that_wanders_over_the_month_is_not_missed(bank: Bank) -> None:
    for month, day in ((2, 3), (3, 25), (4, 11), (5, 28), (6, 5)):
        bank.transaction("c1", "9000.00", "salary", f"2026-{month:02}-{day:02}T09:00:00")
    bank.clock("2026-08-30T00:00:00")
    assert bank.alerts() == []


def test_a_salary_in_the_last_second_is_in_time(bank: Bank) -> None:
    bank.salary("c1", "32000.00", day=10, months=6)
    bank.transaction("c1", "32000.00", "salary", "2026-07-19T23:59:59")
    bank.clock("2026-07-31T00:00:00")
    assert bank.alerts() == []


@pytest.mark.parametrize(("balance", "grade"), [("200000.00", "high"), ("199999.99", "medium")])
def test_wealth_makes_it_graver_and_is_what_is_at_stake(bank: Bank, balance: str, grade: str) -> None:
    bank.salary("c1", "32000.00", day=10, months=6, balance_after=balance)
    bank.clock(DUE)
    [alert] = bank.alerts()
    assert (alert.grade, alert.value_at_stake, alert.currency) == (grade, int(balance.replace(".", "")), "CNY")


def test_rises_while_it_is_open_and_never_falls(bank: Bank) -> None:
    bank.salary("c1", "32000.00", day=10, months=6, balance_after="30000.00")
    bank.clock(DUE)
    bank.transaction("c1", "20000000.00", "transfer", "2026-07-21T10:00:00", direction="in", balance_after="20030000.00")
    bank.transaction("c1", "20030000.00", "transfer", "2026-07-21T11:00:00", balance_after="0.00")

    [first, risen, *_] = bank.revisions()
    assert [(first.state, first.grade), (risen.state, risen.grade)] == [("raised", "medium"), ("risen", "high")]
    assert risen.alert_id == first.alert_id
    assert risen.raised_at == first.raised_at
    assert {alert.grade for alert in bank.alerts(RULE)} == {"high"}


def test_one_alert_stays_open_until_the_salary_comes(bank: Bank) -> None:
    bank.salary("c1", "32000.00", day=10, months=6)
    for day in range(20, 29):
        bank.clock(f"2026-07-{day}T00:00:00")
    [alert] = bank.revisions()
    assert alert.state == "raised"

    bank.transaction("c1", "32000.00", "salary", "2026-07-29T09:00:00")
    [alert] = bank.alerts()
    assert (alert.state, alert.revision, alert.reasons[0].en, alert.reasons[0].zh) == ("cleared", 2, "The salary has come", "工资已恢复到账")
    assert [event.occurred_at.month for event in bank.evidence(alert)] == [3, 4, 5, 6, 7]
    assert alert.cause.kind == "transaction"


def test_expires_when_nobody_acts_and_is_not_raised_again_for_the_same_salary(bank: Bank) -> None:
    bank.salary("c1", "32000.00", day=10, months=6)
    bank.clock("2026-12-31T00:00:00")
    [alert] = bank.alerts()
    assert (alert.state, alert.occurred_at) == ("expired", bank.time("2026-08-19T00:00:00"))


def test_a_later_absence_is_a_new_alert_that_names_the_old_one(bank: Bank) -> None:
    bank.salary("c1", "32000.00", day=10, months=6)
    bank.clock(DUE)
    bank.transaction("c1", "32000.00", "salary", "2026-07-25T09:00:00")
    bank.clock("2026-08-31T00:00:00")
    assert len(bank.alerts()) == 1  # one irregular month: August is not expected yet

    bank.salary("c1", "32000.00", day=10, months=3, until="2026-11")
    bank.clock("2026-12-20T00:00:00")
    first, second = bank.alerts()
    assert (second.episode, second.previous, second.raised_at) == (2, first.alert_id, bank.time("2026-12-20T00:00:00"))
    assert second.alert_id != first.alert_id
    assert first.state == "cleared"
