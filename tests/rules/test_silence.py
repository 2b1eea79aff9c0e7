"""churn.silence: a customer worth keeping does nothing for four times the usual gap, and at least thirty days."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from streams.testing import Bank

RULE = "churn.silence"


def rhythm(bank: Bank, gap: int, balance: str = "60000.00", last: str = "2026-06-01T10:00:00", days: int = 7) -> None:
    """Card purchases every ``gap`` days, the last one on ``last``."""
    for back in range(days - 1, -1, -1):
        bank.transaction("c1", "80.00", "card_purchase", datetime.fromisoformat(last) - timedelta(days=gap * back), balance_after=balance)


def test_is_raised_after_four_times_the_usual_gap(bank: Bank) -> None:
    rhythm(bank, gap=9)

    bank.clock("2026-07-06T23:59:59.999")
    assert bank.alerts() == []

    bank.clock("2026-07-07T00:00:00")
    [alert] = bank.alerts()
    assert (alert.rule, alert.grade, alert.owner, alert.cause.kind) == (RULE, "medium", "relationship-manager", "clock")
    assert alert.reasons[0].en == "Silent for 36 days since 1 Jun; usually active every 9 days (threshold 36 days)"
    assert alert.reasons[0].zh == "自 6月1日 起已静默 36 天；平常约每 9 天有一次活动（阈值 36 天）"
    assert alert.value_at_stake == 6_000_000
    assert bank.evidence(alert)[-1].occurred_at == bank.time("2026-06-01T10:00:00")


def test_who_comes_often_is_given_thirty_days_all_the_same(bank: Bank) -> None:
    rhythm(bank, gap=2)
    bank.clock("2026-06-30T23:59:59.999")
    assert bank.alerts() == []
    bank.clock("2026-07-01T00:00:00")
    assert [alert.raised_at for alert in bank.alerts()] == [bank.time("2026-07-01T00:00:00")]


@pytest.mark.parametrize(("balance", "grades"), [("49999.99", []), ("50000.00", ["medium"]), ("499999.99", ["medium"]), ("500000.00", ["high"])])
def test_the_balance_decides_whether_and_how_grave(bank: Bank, balance: str, grades: list[str]) -> None:
    rhythm(bank, gap=9, balance=balance)
    bank.clock("2026-07-10T00:00:00")
    assert [alert.grade for alert in bank.alerts()] == grades


def test_without_a_known_rhythm_there_is_no_silence(bank: Bank) -> None:
    rhythm(bank, gap=9, days=5)
    bank.clock("2026-12-01T00:00:00")
    assert bank.alerts() == []


def test_what_the_bank_does_is_no_sign_of_life_and_a_login_is(bank: Bank) -> None:
    rhythm(bank, gap=9)
    bank.event("interaction", "c1", "2026-07-01T10:00:00", kind="campaign_contact", campaign_id="summer")
    bank.transaction("c1", "12.00", "interest", "2026-07-02T10:00:00")
    bank.clock("2026-07-07T00:00:00")
    assert [alert.state for alert in bank.alerts()] == ["raised"]

    bank.event("interaction", "c1", "2026-07-08T10:00:00", kind="login")
    [alert] = bank.alerts()
    assert (alert.state, alert.reasons[0].en, alert.reasons[0].zh) == ("cleared", "The customer is active again", "客户恢复活动")


def test_a_login_the_evening_before_puts_it_off(bank: Bank) -> None:
    rhythm(bank, gap=9)
    bank.event("interaction", "c1", "2026-07-06T23:59:59", kind="login")
    bank.clock("2026-08-10T23:59:59")
    assert bank.alerts() == []
    bank.clock("2026-08-11T00:00:00")
    assert len(bank.alerts()) == 1


def test_the_next_silence_waits_for_the_cooldown_and_names_the_last(bank: Bank) -> None:
    """Thirty days of silence are over at midnight, thirty days of cooldown only at ten."""
    rhythm(bank, gap=2)
    bank.clock("2026-07-01T00:00:00")
    bank.event("interaction", "c1", "2026-07-05T10:00:00", kind="login")

    bank.clock("2026-08-04T09:59:59.999")
    assert len(bank.alerts()) == 1
    bank.clock("2026-08-04T10:00:00")
    first, second = bank.alerts()
    assert (second.previous, second.episode, second.raised_at) == (first.alert_id, 2, bank.time("2026-08-04T10:00:00"))


def test_expires_after_sixty_days(bank: Bank) -> None:
    rhythm(bank, gap=9)
    bank.clock("2026-12-01T00:00:00")
    [alert] = bank.alerts()
    assert (alert.state, alert.occurred_at) == ("expired", bank.time("2026-09-05T00:00:00"))
