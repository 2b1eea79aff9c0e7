"""churn.dissatisfied-complainant: a complaint is open and the same customer says in a survey how it feels."""

from __future__ import annotations

import pytest

from streams.testing import Bank

RULE = "churn.dissatisfied-complainant"


def complain(bank: Bank, at: str = "2026-07-01T10:00:00", case: str = "TS-1") -> str:
    return bank.complaint("c1", case, "received", at)


@pytest.mark.parametrize(("scores", "raised"), [((2, 3), 1), ((2, 3, 3), 0), ((3,), 0), ((2,), 1)])
def test_a_mean_of_two_and_a_half_is_low(bank: Bank, scores: tuple[int, ...], raised: int) -> None:
    for hour, score in enumerate(sorted(scores, reverse=True)):
        bank.survey("c1", score, f"2026-07-01T{hour:02}:00:00")
    complain(bank)
    assert len(bank.alerts(RULE)) == raised


@pytest.mark.parametrize(("scores", "raised"), [((6,), 1), ((7,), 0), ((9, 6), 0), ((9, 6, 6), 1)])
def test_a_negative_promoter_score_is_low_too(bank: Bank, scores: tuple[int, ...], raised: int) -> None:
    for hour, score in enumerate(scores):
        bank.survey("c1", score, f"2026-07-01T{hour:02}:00:00", instrument="nps")
    complain(bank)
    assert len(bank.alerts(RULE)) == raised


def test_a_low_score_without_a_complaint_is_none_of_its_business(bank: Bank) -> None:
    bank.survey("c1", 1, "2026-07-01T10:00:00")
    assert bank.alerts() == []


@pytest.mark.parametrize("survey_first", [True, False])
def test_whichever_comes_second_raises_it(bank: Bank, survey_first: bool) -> None:
    steps = [lambda: bank.survey("c1", 1, "2026-07-01T09:00:00"), lambda: complain(bank, "2026-07-01T09:00:00")]
    first, second = steps if survey_first else steps[::-1]
    told = [first(), second()]
    [alert] = bank.alerts()
    assert (alert.rule, alert.grade, alert.owner, alert.score) == (RULE, "medium", "relationship-manager", 70)
    assert [(reason.code, reason.en) for reason in alert.reasons] == [
        (RULE, "Open complaints: 1, and satisfaction is low"),
        ("csat-low", "CSAT mean 1 on 1 to 5 over 90 days, n = 1 (threshold 2.5)"),
    ]
    assert [reason.zh for reason in alert.reasons] == ["有 1 件未结投诉，同时满意度低", "近 90 天满意度均值 1（1 至 5 分，1 份；阈值 2.5）"]
    assert alert.cause.event_id == told[1]
    assert [event.event_id for event in bank.evidence(alert)] == told
    assert alert.action.do_not is not None
    assert "offer products: a complaint is open" in alert.action.do_not.en


def test_a_survey_on_another_scale_is_read_on_its_own(bank: Bank) -> None:
    complain(bank)
    bank.survey("c1", 4, "2026-07-01T11:00:00", scale_max=10)
    [alert] = bank.alerts()
    assert alert.reasons[1].en == "CSAT mean 2.33 on 1 to 5 over 90 days, n = 1 (threshold 2.5)"


def test_rises_when_a_second_complaint_comes(bank: Bank) -> None:
    complain(bank)
    bank.survey("c1", 1, "2026-07-02T10:00:00")
    complain(bank, "2026-07-03T10:00:00", "TS-2")
    assert [(alert.state, alert.grade, alert.score) for alert in bank.revisions()] == [("raised", "medium", 70), ("risen", "high", 90)]


def test_a_wealthy_complainant_is_grave_at_once(bank: Bank) -> None:
    bank.transaction("c1", "1.00", "interest", "2026-06-30T10:00:00", balance_after="200000.00")
    complain(bank)
    bank.survey("c1", 1, "2026-07-02T10:00:00")
    assert [(alert.grade, alert.value_at_stake) for alert in bank.alerts()] == [("high", 20_000_000)]


def test_clears_with_the_last_open_complaint(bank: Bank) -> None:
    complain(bank)
    complain(bank, case="TS-2")
    bank.survey("c1", 1, "2026-07-02T10:00:00")
    bank.complaint("c1", "TS-1", "answered", "2026-07-03T10:00:00")
    assert [alert.state for alert in bank.alerts(RULE)] == ["raised"]
    bank.complaint("c1", "TS-2", "withdrawn", "2026-07-03T11:00:00")
    [alert] = bank.alerts(RULE)
    assert (alert.state, alert.reasons[0].en, alert.reasons[0].zh) == ("cleared", "All complaints are settled", "投诉已全部办结")
    assert alert.action.do_not is None  # nothing is open any more


def test_a_reopening_within_two_weeks_waits_for_the_cooldown(bank: Bank) -> None:
    complain(bank)
    bank.survey("c1", 1, "2026-07-02T10:00:00")
    bank.complaint("c1", "TS-1", "closed", "2026-07-03T10:00:00")
    bank.complaint("c1", "TS-1", "reopened", "2026-07-05T10:00:00")

    bank.clock("2026-07-17T09:59:59.999")
    assert len(bank.alerts(RULE)) == 1
    bank.clock("2026-07-17T10:00:00")
    first, second = bank.alerts(RULE)
    assert (second.previous, second.state, second.cause.kind) == (first.alert_id, "raised", "clock")


def test_expires_after_thirty_days(bank: Bank) -> None:
    complain(bank)
    bank.survey("c1", 1, "2026-07-02T10:00:00")
    bank.clock("2026-08-01T09:59:59.999")
    assert [alert.state for alert in bank.alerts(RULE)] == ["raised"]
    bank.clock("2026-08-01T10:00:00")
    assert [alert.state for alert in bank.alerts(RULE)] == ["expired"]
