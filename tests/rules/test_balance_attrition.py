"""churn.balance-attrition: the balance stands 40 % or more below its average of thirty days, on an account worth keeping."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from streams.testing import Bank

RULE = "churn.balance-attrition"
DAY = datetime.fromisoformat("2026-07-10T10:00:00+08:00")


def saver(bank: Bank, balance: str = "100000.00") -> None:
    """The same balance for ninety days."""
    for back in (90, 60, 30):
        bank.transaction("c1", "10.00", "interest", DAY - timedelta(days=back), balance_after=balance)


def leaves(bank: Bank, balance: str, at: datetime = DAY, amount: str = "10.00") -> str:
    return bank.transaction("c1", amount, "transfer", at, balance_after=balance)


@pytest.mark.parametrize(("balance", "raised"), [("59184.00", 0), ("59183.67", 1), ("59183.00", 1)])
def test_at_forty_percent_of_the_average_with_the_day_itself_in_it(bank: Bank, balance: str, raised: int) -> None:
    """29 days of 100,000.00 and one of 59,183.67 average 98,639.45; 40 % below is 59,183.67."""
    saver(bank)
    leaves(bank, balance)
    assert len(bank.alerts(RULE)) == raised


@pytest.mark.parametrize(("balance", "raised"), [("50500.00", 0), ("50600.00", 1)])
def test_accounts_below_fifty_thousand_on_average_are_left_alone(bank: Bank, balance: str, raised: int) -> None:
    """89 days of the balance and one of nothing: 49,938.88 and 50,037.77."""
    saver(bank, balance)
    leaves(bank, "0.00")
    assert len(bank.alerts(RULE)) == raised


def test_says_from_what_to_what(bank: Bank) -> None:
    saver(bank)
    event = leaves(bank, "30000.00")
    [alert] = bank.alerts()
    assert (alert.rule, alert.grade, alert.owner, alert.cause.event_id) == (RULE, "medium", "relationship-manager", event)
    assert alert.reasons[0].en == "Balance 69.3 % below its average of 30 days, from ¥ 97,666.66 to ¥ 30,000.00 (threshold 40 %)"
    assert alert.reasons[0].zh == "余额低于近 30 天日均 69.3 %，由 ¥ 97,666.66 降至 ¥ 30,000.00（阈值 40 %）"
    assert alert.value_at_stake == (89 * 10_000_000 + 3_000_000) // 90
    assert bank.evidence(alert)[-1].event_id == event
    assert alert.action.do_not is not None
    assert alert.action.do_not.en == "put pressure on the customer to keep the deposit"


@pytest.mark.parametrize(
    ("before", "after", "grade"),
    [("202000.00", "60000.00", "high"), ("200000.00", "60000.00", "medium"), ("1100000.00", "210000.00", "critical"), ("1100000.00", "230000.00", "high")],
)
def test_how_grave_follows_from_what_there_was_and_how_much_has_gone(bank: Bank, before: str, after: str, grade: str) -> None:
    saver(bank, before)
    leaves(bank, after)
    assert [alert.grade for alert in bank.alerts()] == [grade]


def test_rises_to_critical_as_the_rest_goes_too(bank: Bank) -> None:
    saver(bank, "1200000.00")
    leaves(bank, "500000.00")
    leaves(bank, "100000.00", DAY + timedelta(days=1))
    leaves(bank, "90000.00", DAY + timedelta(days=2))
    assert [(alert.state, alert.grade, alert.revision) for alert in bank.revisions()] == [("raised", "high", 1), ("risen", "critical", 2)]


def test_an_open_complaint_is_a_reason_too_and_bans_offers(bank: Bank) -> None:
    saver(bank)
    bank.complaint("c1", "TS-1", "received", DAY - timedelta(days=2))
    leaves(bank, "30000.00")
    [alert] = bank.alerts(RULE)
    assert (alert.score, alert.grade) == (80, "high")
    assert [(reason.code, reason.en) for reason in alert.reasons[1:]] == [("complaint-open", "Open complaints: 1")]
    assert alert.action.do_not is not None
    assert alert.action.do_not.en == "offer products: a complaint is open; put pressure on the customer to keep the deposit"


def test_clears_when_the_money_comes_back(bank: Bank) -> None:
    saver(bank)
    leaves(bank, "30000.00")
    bank.transaction("c1", "60000.00", "transfer", DAY + timedelta(days=3), direction="in", balance_after="90000.00")
    [alert] = bank.alerts()
    assert (alert.state, alert.cause.kind) == ("cleared", "transaction")
    assert alert.reasons[0].zh == "余额已回稳：低于近 30 天日均 2.9 %"


def test_clears_by_the_clock_alone_once_the_average_has_come_down(bank: Bank) -> None:
    """With k more days at 59,183.67 the average is ((29 - k) * 100,000 + (k + 1) * 59,183.67) / 30: 25 % above only until k = 14."""
    saver(bank)
    leaves(bank, "59183.67")
    bank.clock("2026-07-24T23:59:59.999")
    assert [alert.state for alert in bank.alerts()] == ["raised"]
    bank.clock("2026-07-25T00:00:00")
    assert [(alert.state, alert.cause.kind) for alert in bank.alerts()] == [("cleared", "clock")]


def test_a_second_drain_after_the_cooldown_names_the_first(bank: Bank) -> None:
    saver(bank)
    leaves(bank, "30000.00")
    back = DAY + timedelta(days=3)
    bank.transaction("c1", "70000.00", "transfer", back, direction="in", balance_after="100000.00")
    leaves(bank, "20000.00", back + timedelta(days=10))
    assert len(bank.alerts(RULE)) == 1
    bank.transaction("c1", "80000.00", "transfer", back + timedelta(days=11), direction="in", balance_after="100000.00")

    leaves(bank, "0.00", back + timedelta(days=30))
    first, second = bank.alerts(RULE)
    assert (second.previous, second.episode, second.state) == (first.alert_id, 2, "raised")
