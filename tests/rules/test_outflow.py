"""anomaly.outflow: more than three times the usual thirty days' outflow, and at least CNY 50,000."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from streams.testing import Bank

RULE = "anomaly.outflow"
SPIKE = datetime.fromisoformat("2026-07-31T10:00:00+08:00")


def usual(bank: Bank, amount: str = "20000.00", months: int = 7, balance: str | None = None) -> None:
    """A transfer every thirty days up to thirty days before the spike: the norm is this amount."""
    more = {"balance_after": balance} if balance else {}
    for back in range(months, 0, -1):
        bank.transaction("c1", amount, "transfer", SPIKE - timedelta(days=30 * back), **more)


@pytest.mark.parametrize(("amount", "raised"), [("59999.99", 0), ("60000.00", 0), ("60000.01", 1)])
def test_three_times_the_norm_is_not_yet_above_it(bank: Bank, amount: str, raised: int) -> None:
    usual(bank)
    bank.transaction("c1", amount, "transfer", SPIKE)
    assert bank.metrics("c1")["flow.out.norm.30d"] == 2_000_000
    assert len(bank.alerts(RULE)) == raised


@pytest.mark.parametrize(("amount", "raised"), [("49999.99", 0), ("50000.00", 1)])
def test_small_sums_are_nobodys_alarm(bank: Bank, amount: str, raised: int) -> None:
    usual(bank, "10.00")
    bank.transaction("c1", amount, "transfer", SPIKE)
    assert len(bank.alerts(RULE)) == raised


def test_says_how_many_times_the_norm(bank: Bank) -> None:
    usual(bank)
    spike = bank.transaction("c1", "82000.00", "transfer", SPIKE)
    [alert] = bank.alerts()
    assert (alert.rule, alert.grade, alert.owner, alert.score) == (RULE, "medium", "risk-officer", 60)
    assert alert.reasons[0].en == "Outflow of ¥ 82,000.00 in 30 days is 4.1× the 6-month norm of ¥ 20,000.00 (threshold 3×)"
    assert alert.reasons[0].zh == "30 天流出 ¥ 82,000.00，为此前六个月常态 ¥ 20,000.00 的 4.1×（阈值 3×）"
    assert (alert.value_at_stake, alert.cause.event_id) == (8_200_000, spike)
    assert bank.evidence(alert)[-1].event_id == spike


def test_no_norm_is_known_before_ninety_days_of_history(bank: Bank) -> None:
    usual(bank, months=3)
    bank.transaction("c1", "900000.00", "transfer", SPIKE)
    assert bank.metrics("c1")["flow.out.norm.30d"] is None
    assert bank.alerts() == []


@pytest.mark.parametrize(("amount", "grade"), [("499999.99", "medium"), ("500000.00", "high")])
def test_half_a_million_is_grave(bank: Bank, amount: str, grade: str) -> None:
    usual(bank)
    bank.transaction("c1", amount, "transfer", SPIKE)
    assert [alert.grade for alert in bank.alerts()] == [grade]


def test_an_emptied_account_is_a_second_reason_and_makes_it_grave(bank: Bank) -> None:
    usual(bank, balance="100000.00")
    bank.transaction("c1", "82000.00", "transfer", SPIKE, balance_after="18000.00")
    [alert] = bank.alerts(RULE)
    assert (alert.grade, alert.score) == ("high", 90)
    assert alert.reasons[1].code == "balance-falling"
    assert alert.reasons[1].en == "Balance 81.5 % below its average of 30 days, now ¥ 18,000.00 (threshold 40 %)"
    assert alert.reasons[1].zh == "余额低于近 30 天日均 81.5 %，现为 ¥ 18,000.00（阈值 40 %）"


def test_rises_with_a_second_transfer_in_the_same_episode(bank: Bank) -> None:
    usual(bank)
    bank.transaction("c1", "82000.00", "transfer", SPIKE)
    bank.transaction("c1", "418000.00", "transfer", SPIKE + timedelta(days=1))
    assert [(alert.state, alert.grade, alert.occurrences) for alert in bank.revisions()] == [("raised", "medium", 1), ("risen", "high", 2)]
    [alert] = bank.alerts()
    assert alert.value_at_stake == 50_000_000


def test_clears_by_itself_once_the_spike_has_left_the_window(bank: Bank) -> None:
    usual(bank)
    bank.transaction("c1", "82000.00", "transfer", SPIKE)
    bank.clock("2026-08-29T23:59:59.999")
    assert [alert.state for alert in bank.alerts()] == ["raised"]
    bank.clock("2026-08-30T00:00:00")
    [alert] = bank.alerts()
    assert (alert.state, alert.cause.kind, alert.reasons[0].en) == ("cleared", "clock", "Outflow of 30 days is back to ¥ 0.00")
    assert alert.reasons[0].zh == "30 天流出回落至 ¥ 0.00"


def test_is_quiet_for_thirty_days_after_it_cleared_then_links_back(bank: Bank) -> None:
    usual(bank)
    bank.transaction("c1", "82000.00", "transfer", SPIKE)
    bank.transaction("c1", "300000.00", "transfer", "2026-09-10T10:00:00")
    assert [alert.state for alert in bank.alerts()] == ["cleared"]

    bank.clock("2026-09-28T23:59:59.999")
    assert len(bank.alerts()) == 1
    bank.clock("2026-09-29T00:00:00")  # the cooldown is over and the outflow still stands
    first, second = bank.alerts()
    assert (second.previous, second.cause.kind, second.raised_at) == (first.alert_id, "clock", bank.time("2026-09-29T00:00:00"))


def test_expires_forty_five_days_after_it_last_rose(bank: Bank) -> None:
    usual(bank)
    for day in range(0, 60, 5):
        bank.transaction("c1", "400000.00", "transfer", SPIKE + timedelta(days=day))
    [alert] = bank.alerts()
    assert (alert.state, alert.occurred_at) == ("expired", bank.time(SPIKE + timedelta(days=5 + 45)))
