"""The driver itself: what a rule's author may rely on beyond what the stories show."""

from __future__ import annotations

import pytest

from streams.testing import Bank


def test_a_story_told_out_of_order_is_refused_not_swallowed(bank: Bank) -> None:
    bank.salary("c1", "9000.00", day=10, months=3)
    with pytest.raises(ValueError, match="more than 31 days before the clock"):
        bank.salary("c2", "9000.00", day=10, months=3)


def test_within_the_lateness_order_does_not_matter(bank: Bank) -> None:
    bank.transaction("c1", "5.00", "card_purchase", "2026-07-20T10:00:00")
    bank.transaction("c1", "7.00", "card_purchase", "2026-07-01T10:00:00")
    assert bank.metrics("c1")["flow.out.amount.30d"] == 1_200
    assert bank.metrics("c1")["flow.out.amount.7d"] == 500


def test_evidence_is_read_back_from_the_journal(bank: Bank) -> None:
    expected = [bank.transaction("c1", "46000.00", "deposit", f"2026-07-01T{hour}:00:00", note="kept as it came") for hour in (10, 11, 12)]
    [alert] = bank.alerts()
    events = bank.evidence(alert)
    assert [event.event_id for event in events] == expected
    assert {event.model_extra["note"] for event in events if event.model_extra} == {"kept as it came"}


def test_metrics_can_be_asked_for_later(bank: Bank) -> None:
    bank.transaction("c1", "5.00", "card_purchase", "2026-07-20T10:00:00")
    assert bank.metrics("c1")["activity.recency"] == 0
    assert bank.metrics("c1", "2026-07-30T00:00:00")["activity.recency"] == 10
    with pytest.raises(KeyError):
        bank.metrics("nobody")
