"""An alert on a terminal: real alerts of the real engine, as a banker sees them."""

from __future__ import annotations

from datetime import datetime

import pytest
from rich.text import Text

from deploy.demo.alert_view import alert_block, grade_counts
from deploy.demo.teller import Teller
from schemas.outputs import Alert
from streams.testing import Bank


@pytest.fixture(scope="module")
def bank() -> Bank:
    """One salary stays away, and one complaint is not answered."""
    bank = Bank()
    bank.salary("c1", "32000.00", day=10, months=6)
    bank.complaint("c2", "TS-118", "received", "2026-07-01T10:00:00", channel="phone", business="card", reason="service")
    bank.clock("2026-07-20T00:00:00")
    return bank


def test_every_line_of_an_alert_is_there(bank: Bank) -> None:
    [alert] = bank.alerts("churn.salary-gone")
    first, *lines = alert_block(alert, bank.pack.timezone).plain.splitlines()
    assert first.startswith("◆ MEDIUM")
    assert "Salary gone · 代发工资中断" in first
    assert "→ relationship manager" in first
    assert lines[0] == "    1      Salary of ¥ 32,000.00, expected 10 Jul, is 10 days late; it came on day 10 for 6 months"
    assert lines[1] == "    do     call about payroll, fee waiver allowed"
    assert lines[2].startswith("    why    2026-07-20 00:00 · rule churn.salary-gone v1 · journal 0@")


def test_reasons_and_actions_in_chinese(bank: Bank) -> None:
    [alert] = bank.alerts("churn.salary-gone")
    text = alert_block(alert, bank.pack.timezone, "zh").plain
    assert "工资 ¥ 32,000.00 已迟 10 天" in text
    assert "致电了解代发工资变动" in text


def test_a_case_is_named_and_what_not_to_do_is_said(bank: Bank) -> None:
    [alert] = bank.alerts("complaint.limit-passed") or bank.alerts("complaint.half-of-limit")[:1]
    text = alert_block(alert, bank.pack.timezone).plain
    assert "c2 complaint TS-118" in text
    assert "    do not " in text


def test_the_teller_tells_the_gravest_and_counts_the_others(bank: Bank) -> None:
    told: list[Text] = []
    teller = Teller(told.append, bank.pack.timezone, "en", pause=3600)
    alerts = bank.revisions()
    raised = [alert for alert in alerts if alert.state in ("raised", "risen")]
    assert len(raised) >= 3
    teller.hear(alerts)
    assert len(told) == 1
    assert told[0].plain.strip().splitlines()[-1].strip() == f"… and {len(raised) - 1} more: {grade_counts(_without_gravest(raised))}"

    teller.hear(alerts)
    assert len(told) == 1, "within the pause nothing is told"
    teller.tell()
    assert len(told) == 2
    teller.tell()
    assert len(told) == 2


def test_cleared_alerts_are_not_told(bank: Bank) -> None:
    told: list[Text] = []
    teller = Teller(told.append, bank.pack.timezone, "en")
    closed = bank.revisions()[0].model_copy(update={"state": "cleared", "raised_at": datetime.fromisoformat("2026-07-20T00:00:00+08:00")})
    teller.hear([closed])
    teller.tell()
    assert told == []


def _without_gravest(alerts: list[Alert]) -> list[Alert]:
    order = {"low": 0, "medium": 1, "high": 2, "critical": 3}
    rest = sorted(alerts, key=lambda alert: (order[alert.grade], alert.score, alert.value_at_stake))
    return rest[:-1]
