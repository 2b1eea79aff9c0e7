"""An outage changes nothing: the clock that jumps over every deadline raises what daily ticks raise, as of the same instants."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from alerting.pack import Pack
from streams.testing import Bank

Story = Callable[[Bank], None]


def salary(bank: Bank) -> None:
    bank.salary("c1", "32000.00", day=10, months=6, balance_after="250000.00")


def silence(bank: Bank) -> None:
    for back in range(6, -1, -1):
        bank.transaction(
            "c1", "80.00", "card_purchase", datetime.fromisoformat("2026-06-14T10:00:00+08:00") - timedelta(days=9 * back), balance_after="60000.00"
        )


def overdue(bank: Bank) -> None:
    bank.transaction("c1", "2500.00", "instalment_due", "2026-06-20T08:00:00", loan_id="L1", product_line="loan")


def complaint(bank: Bank) -> None:
    bank.complaint("c1", "TS-1", "received", "2026-07-04T10:00:00", complex=False)


def outflow_to_clear(bank: Bank) -> None:
    """Raised before the outage; falls out of its window during it."""
    for back in range(7, 0, -1):
        bank.transaction("c1", "20000.00", "transfer", datetime.fromisoformat("2026-07-01T10:00:00+08:00") - timedelta(days=30 * back))
    bank.transaction("c1", "90000.00", "transfer", "2026-07-01T10:00:00")


STORIES: dict[Story, dict[str, str]] = {  # what falls due during the outage, and when
    salary: {"churn.salary-gone": "2026-07-20T00:00:00"},
    silence: {"churn.silence": "2026-07-20T00:00:00"},
    overdue: {"credit.overdue-1": "2026-06-21T00:00:00", "credit.overdue-30": "2026-07-20T00:00:00"},
    complaint: {"complaint.limit-50": "2026-07-12T00:00:00", "complaint.limit-80": "2026-07-16T19:12:00", "complaint.limit-passed": "2026-07-20T00:00:00"},
    outflow_to_clear: {"anomaly.outflow": "2026-07-01T10:00:00"},
}
BEFORE = datetime.fromisoformat("2026-07-05T00:00:00+08:00")
DEADLINE = datetime.fromisoformat("2026-07-20T00:00:00+08:00")


def told(pack: Pack, story: Story, *ticks: datetime) -> tuple[Bank, list[dict[str, Any]]]:
    """Everything the alerts say but how far the clock had got: the tick that was read, and its place in the journal."""
    bank = Bank(pack)
    story(bank)
    for tick in ticks:
        bank.clock(tick)
    return bank, [alert.model_dump(exclude={"watermark": True, "cause": {"position"}}) for alert in bank.revisions()]


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
@pytest.mark.parametrize("outage", [timedelta(hours=6), timedelta(days=40)], ids=["6h", "40d"])
def test_the_same_alerts_as_of_the_same_instants(pack: Pack, story: Story, outage: timedelta) -> None:
    end = DEADLINE + outage
    days = [BEFORE + timedelta(days=n) for n in range((end - BEFORE).days + 1)]
    bank, day_by_day = told(pack, story, *days, end)
    _, at_once = told(pack, story, BEFORE, end)
    assert at_once == day_by_day
    assert {alert.rule: alert.raised_at for alert in bank.alerts()} == {rule: bank.time(at) for rule, at in STORIES[story].items()}


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
def test_without_any_tick_the_events_after_the_outage_pass_the_deadlines(pack: Pack, story: Story) -> None:
    """Catching up from a backlog: two events of somebody else, forty days later, are all it takes."""
    end = DEADLINE + timedelta(days=40)
    _, ticked = told(pack, story, end)
    bank = Bank(pack)
    story(bank)
    for minute in (10, 20):
        at = bank.time(end + timedelta(minutes=minute)).isoformat()
        value = f'{{"event_id":"later-{minute}","customer_id":"c2","occurred_at":"{at}","source":"test","kind":"login"}}'
        bank.raw("interaction", b"c2", value.encode())
    assert [alert.model_dump(exclude={"watermark": True, "cause": {"position"}}) for alert in bank.revisions()] == ticked
