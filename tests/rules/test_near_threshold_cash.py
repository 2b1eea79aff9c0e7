"""anomaly.near-threshold-cash: several cash deposits just below the large-value limit (CNY 50,000, from 90 %) on one day."""

from __future__ import annotations

import pytest

from streams.testing import Bank

RULE = "anomaly.near-threshold-cash"


def cash(bank: Bank, times: int, amount: str = "48000.00", day: str = "2026-07-01", hour: int = 9) -> list[str]:
    return [bank.transaction("c1", amount, "deposit", f"{day}T{hour + n:02}:00:00", channel="branch") for n in range(times)]


def test_the_third_deposit_of_a_day_raises_it(bank: Bank) -> None:
    deposits = cash(bank, 2)
    assert bank.alerts() == []

    deposits += cash(bank, 1, hour=12)
    [alert] = bank.alerts()
    assert (alert.rule, alert.grade, alert.owner, alert.type) == (RULE, "high", "compliance", "transaction-anomaly")
    assert (alert.raised_at, alert.cause.event_id) == (bank.time("2026-07-01T12:00:00"), deposits[-1])
    assert alert.value_at_stake == 14_400_000
    assert alert.reasons[0].en == "3 cash deposits just below the large-value limit in one day, ¥ 144,000.00 in all (threshold 3)"
    assert alert.reasons[0].zh == "一日内 3 笔略低于大额限额的现金存款，共 ¥ 144,000.00（阈值 3 笔）"
    assert alert.action.do_not is not None
    assert alert.action.do_not.en == "tell the customer about the review"
    assert [event.event_id for event in bank.evidence(alert)] == deposits


@pytest.mark.parametrize(("amount", "raised"), [("44999.99", 0), ("45000.00", 1), ("49999.99", 1), ("50000.00", 0)])
def test_just_below_means_from_ninety_percent_up_to_the_limit(bank: Bank, amount: str, raised: int) -> None:
    cash(bank, 3, amount)
    assert len(bank.alerts()) == raised


def test_only_cash_of_one_local_day_counts(bank: Bank) -> None:
    cash(bank, 2, hour=22)
    cash(bank, 2, day="2026-07-02", hour=0)
    bank.transaction("c1", "48000.00", "transfer", "2026-07-02T10:00:00", direction="in")
    bank.transaction("c1", "48000.00", "deposit", "2026-07-02T11:00:00", status="declined")
    assert bank.alerts() == []


def test_a_deposit_taken_back_no_longer_counts(bank: Bank) -> None:
    cash(bank, 2)
    bank.transaction("c1", "48000.00", "deposit", "2026-07-01T11:30:00", channel="branch", status="reversed")
    cash(bank, 1, hour=12)
    assert bank.alerts() == []


def test_more_of_the_same_is_counted_and_the_sixth_makes_it_critical(bank: Bank) -> None:
    cash(bank, 6)
    raised, risen = bank.revisions()
    assert (raised.state, raised.grade, raised.occurrences) == ("raised", "high", 1)
    assert (risen.state, risen.grade, risen.occurrences, risen.revision) == ("risen", "critical", 4, 2)
    assert risen.reasons[0].observed == 6
    assert risen.raised_at == raised.raised_at


def test_the_day_passes_and_the_question_stays_until_it_expires(bank: Bank) -> None:
    cash(bank, 3)
    bank.clock("2026-07-31T10:59:59")
    assert [alert.state for alert in bank.alerts()] == ["raised"]
    bank.clock("2026-07-31T11:00:00")
    assert [alert.state for alert in bank.alerts()] == ["expired"]


def test_after_compliance_dismissed_it_seven_days_are_quiet(bank: Bank) -> None:
    cash(bank, 3)
    [first] = bank.alerts()
    bank.feedback(first, "dismissed", "2026-07-01T15:00:00", reason="a shop's takings")
    cash(bank, 3, day="2026-07-08")
    assert [alert.state for alert in bank.alerts()] == ["dismissed"]

    cash(bank, 3, day="2026-07-09")
    _, second = bank.alerts()
    assert (second.state, second.previous, second.episode) == ("raised", first.alert_id, 2)


def test_foreign_cash_counts_at_the_reference_rate(bank: Bank) -> None:
    """USD 7,000.00 are CNY 49,700.00; of a currency without a rate nothing is known."""
    for hour in (9, 10, 11):
        bank.transaction("c1", "7000.00", "deposit", f"2026-07-01T{hour:02}:00:00", currency="USD")
        bank.transaction("c2", "48000.00", "deposit", f"2026-07-01T{hour:02}:00:00", currency="THB")
    assert [(alert.subject.customer_id, alert.value_at_stake) for alert in bank.alerts()] == [("c1", 14_910_000)]
    assert bank.metrics("c2")["flow.unconverted.count.365d"] == 3
