"""Contacts: kinds, waits and abandonment by window, as a snapshot shows them and as a rule reads them."""

from __future__ import annotations

from typing import Any

from schemas.events import Interaction
from streams.metrics.contacts import Contacts
from streams.metrics.windows import History


def _contacts(*contacts: tuple[int, dict[str, Any]]) -> Contacts:
    found = Contacts(History(), 100)
    for day, facts in contacts:
        fields = {"event_id": "e", "customer_id": "c", "occurred_at": "2026-01-01T00:00:00Z", "source": "t"}
        found.contacted(Interaction.model_validate(fields | facts, strict=False), day)
    return found


def test_by_kind_wait_and_outcome() -> None:
    contacts = _contacts(
        (100, {"kind": "call", "wait_seconds": 30.0}), (80, {"kind": "call", "wait_seconds": 0.0, "outcome": "abandoned"}), (40, {"kind": "login"})
    )
    assert contacts.by_kind(7) == {"call": 1}
    assert contacts.by_kind(90) == {"call": 2, "login": 1}
    assert contacts.waits(30) == (2, 15.0)
    assert contacts.abandoned(30) == 1
    assert contacts.count(365) == 3


def test_no_wait_stated_is_no_wait_of_zero() -> None:
    assert _contacts((100, {"kind": "call"})).waits(30) == (0, None)


def test_the_snapshot_shows_what_a_rule_reads() -> None:
    contacts = _contacts(
        (100, {"kind": "chat", "wait_seconds": 1.0005}), (95, {"kind": "call", "outcome": "abandoned"}), (10, {"kind": "visit", "wait_seconds": 8.0})
    )
    metrics: dict[str, Any] = {}
    contacts.fill(metrics)
    for days in (7, 30, 90, 365):
        assert metrics.get(f"contact.count.{days}d", 0) == contacts.count(days)
        assert metrics.get(f"contact.kind.count.{days}d", {}) == contacts.by_kind(days)
    for days in (30, 90):
        count, mean = contacts.waits(days)
        assert metrics.get(f"contact.waited.count.{days}d", 0) == count
        assert metrics.get(f"contact.wait.mean.{days}d") == mean
        assert metrics.get(f"contact.abandoned.count.{days}d", 0) == contacts.abandoned(days)
