"""Plain facts, a clock in the pack's zone and triggers: what the tests of alerting share."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from alerting.episode import Trigger
from alerting.facts import Facts
from alerting.pack import Pack, load_pack
from schemas.localtime import to_instant
from schemas.outputs.alert import Cause

At = Callable[[str], int]


@pytest.fixture(scope="session")
def pack() -> Pack:
    return load_pack("bank-cn")


@pytest.fixture(scope="session")
def at(pack: Pack) -> At:
    """``at("2026-07-20")``, ``at("2026-07-20T09:00")``: local time of the pack as an instant."""
    return lambda text: to_instant(datetime.fromisoformat(text).replace(tzinfo=pack.timezone))


@pytest.fixture(scope="session")
def facts_at(pack: Pack, at: At) -> Callable[..., Facts]:
    """``facts_at("2026-07-20", {...})``: these metrics and the context of customer c1 at that moment."""

    def facts(now: str | int, values: dict[str, Any], subject: str = "c1") -> Facts:
        instant = at(now) if isinstance(now, str) else now
        context = {"now": instant, "today": pack.time.day(instant), "customer_id": "c1", "subject_id": subject, "display_name": "张*伟", "currency": "CNY"}
        return Facts(context | values)

    return facts


@pytest.fixture(scope="session")
def trigger() -> Callable[..., Trigger]:
    """``trigger(instant, kind)``: what made the core look."""

    def made(now: int, kind: str = "clock", evidence: tuple[int, ...] = (7, 9)) -> Trigger:
        cause = Cause(kind=kind, event_id=None if kind == "clock" else "e1", position=9)  # type: ignore[arg-type]
        return Trigger(cause, now, now, evidence, 2)

    return made
