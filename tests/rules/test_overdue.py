"""credit.overdue-1, -30, -90: an instalment stays unpaid; one alert at a time a loan, handed on as the arrears age."""

from __future__ import annotations

from datetime import timedelta

import pytest

from streams.testing import Bank

STAGES = [
    ("credit.overdue-1", "2026-03-06", "low", "1 day", "1 天"),
    ("credit.overdue-30", "2026-04-04", "high", "30 days", "30 天"),
    ("credit.overdue-90", "2026-06-03", "critical", "90 days", "90 天"),
]


def due(bank: Bank, at: str = "2026-03-05T08:00:00", amount: str = "2500.00", loan: str = "L1") -> None:
    bank.transaction("c1", amount, "instalment_due", at, loan_id=loan, product_line="loan")


def repay(bank: Bank, at: str, amount: str = "2500.00", loan: str = "L1") -> None:
    bank.transaction("c1", amount, "loan_repayment", at, loan_id=loan, product_line="loan")


@pytest.mark.parametrize(("rule", "day", "grade", "en", "zh"), STAGES)
def test_is_raised_with_the_day_and_not_before(bank: Bank, rule: str, day: str, grade: str, en: str, zh: str) -> None:
    due(bank)

    bank.clock(bank.time(f"{day}T00:00:00") - timedelta(milliseconds=1))
    assert bank.alerts(rule) == []

    bank.clock(f"{day}T00:00:00")
    [alert] = bank.alerts(rule)
    assert (alert.raised_at, alert.grade, alert.owner, alert.cause.kind) == (bank.time(f"{day}T00:00:00"), grade, "risk-officer", "clock")
    assert (alert.subject.kind, alert.subject.id, alert.subject.customer_id, alert.value_at_stake) == ("loan", "L1", "c1", 250_000)
    assert alert.reasons[0].en == f"The instalment due 5 Mar is {en} overdue; 1 unpaid, ¥ 2,500.00 in all (threshold {en})"
    assert alert.reasons[0].zh == f"3月5日 到期的还款已逾期 {zh}，1 期共欠 ¥ 2,500.00（阈值 {zh}）"
    assert [event.kind for event in bank.evidence(alert)] == ["instalment_due"]


def test_the_graver_warning_takes_over_at_the_same_instant(bank: Bank) -> None:
    due(bank)
    bank.clock("2026-07-01T00:00:00")
    life = [(alert.rule, alert.state, alert.occurred_at) for alert in bank.revisions()]
    thirty, ninety = bank.time("2026-04-04T00:00:00"), bank.time("2026-06-03T00:00:00")
    assert sorted(life[1:3]) == [("credit.overdue-1", "cleared", thirty), ("credit.overdue-30", "raised", thirty)]
    assert sorted(life[3:5]) == [("credit.overdue-30", "cleared", ninety), ("credit.overdue-90", "raised", ninety)]
    assert len(life) == 5
    [cleared] = bank.alerts("credit.overdue-1")
    assert cleared.reasons[0].en == "30 days past due: the graver warning takes over"
    assert cleared.reasons[0].zh == "逾期已达 30 天，由更高级别预警接替"


def test_paid_on_the_day_it_falls_due_is_not_overdue(bank: Bank) -> None:
    due(bank)
    repay(bank, "2026-03-05T23:59:59")
    bank.clock("2026-12-01T00:00:00")
    assert bank.alerts() == []


def test_a_part_is_not_enough_and_the_whole_ends_it(bank: Bank) -> None:
    due(bank)
    repay(bank, "2026-03-08T10:00:00", "2499.99")
    assert [alert.state for alert in bank.alerts()] == ["raised"]

    repay(bank, "2026-03-09T10:00:00", "0.01")
    [alert] = bank.alerts()
    assert (alert.state, alert.reasons[0].en, alert.reasons[0].zh) == ("cleared", "The overdue instalment has been paid", "逾期款项已清偿或降至阈值以下")
    bank.clock("2026-12-01T00:00:00")
    assert len(bank.alerts()) == 1


def test_paying_the_oldest_instalment_brings_the_arrears_back_below_thirty_days(bank: Bank) -> None:
    due(bank)
    due(bank, "2026-04-05T08:00:00")
    assert [alert.rule for alert in bank.open_alerts()] == ["credit.overdue-30"]

    repay(bank, "2026-04-10T10:00:00")
    [after] = bank.open_alerts()
    [first, again] = bank.alerts("credit.overdue-1")
    assert after == again
    assert (again.previous, again.reasons[0].en) == (
        first.alert_id,
        "The instalment due 5 Apr is 5 days overdue; 1 unpaid, ¥ 2,500.00 in all (threshold 1 day)",
    )


def test_each_loan_has_its_own_alert_and_each_miss_its_own_episode(bank: Bank) -> None:
    due(bank)
    due(bank, "2026-03-05T08:00:00", "900.00", "L2")
    bank.clock("2026-03-07T00:00:00")
    assert [(alert.subject.id, alert.value_at_stake) for alert in bank.alerts()] == [("L1", 250_000), ("L2", 90_000)]

    repay(bank, "2026-03-07T10:00:00")
    due(bank, "2026-04-02T08:00:00")
    bank.clock("2026-04-03T00:00:00")
    first, other, second = bank.alerts("credit.overdue-1")
    assert (second.subject.id, second.previous, second.raised_at) == ("L1", first.alert_id, bank.time("2026-04-03T00:00:00"))
    assert other.state == "raised"
    assert [event.kind for event in bank.evidence(second)] == ["instalment_due", "loan_repayment", "instalment_due"]


def test_a_repayment_taken_back_makes_it_overdue_again(bank: Bank) -> None:
    due(bank)
    repay(bank, "2026-03-05T09:00:00")
    bank.transaction("c1", "2500.00", "loan_repayment", "2026-03-10T09:00:00", loan_id="L1", product_line="loan", status="reversed")
    [alert] = bank.alerts()
    assert (alert.rule, alert.raised_at, alert.cause.kind) == ("credit.overdue-1", bank.time("2026-03-10T09:00:00"), "transaction")


def test_nobody_acts_on_a_default_for_half_a_year(bank: Bank) -> None:
    due(bank)
    bank.clock("2027-03-01T00:00:00")
    [alert] = bank.alerts("credit.overdue-90")
    assert (alert.state, alert.occurred_at) == ("expired", bank.time("2026-11-30T00:00:00"))
