"""The life of a warning: raise, rise, clear, expire, cooldown, feedback."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from alerting.episode import Episode, Trigger, alert_id, evaluate, feedback, next_wake
from alerting.facts import Facts
from alerting.pack import Pack
from alerting.quantity import DAY_MS
from alerting.rule import Rule
from schemas.events.feedback import Feedback
from schemas.outputs.alert import Alert

At = Callable[[str], int]
DRAINING = {"balance.attrition.30d": 0.5, "balance.average.90d": 60_000_00}


class Story:
    """One rule on one subject, told step by step."""

    def __init__(self, pack: Pack, rule_id: str, facts_at: Callable[..., Facts], trigger: Callable[..., Trigger]) -> None:
        rule = pack.rule(rule_id)
        assert rule is not None
        self.pack, self.rule, self.facts_at, self.trigger = pack, rule, facts_at, trigger
        self.episode: Episode | None = None
        self.alerts: list[Alert] = []

    def look(self, now: str | int, values: dict[str, Any], kind: str = "transaction", subject: str = "c1", evidence: tuple[int, ...] = (1,)) -> list[Alert]:
        facts = self.facts_at(now, values, subject)
        self.episode, alerts = evaluate(self.rule, self.pack, facts, self._stored(), self.trigger(facts["now"], kind, evidence))
        self.alerts += alerts
        return alerts

    def say(self, now: str | int, action: str, values: dict[str, Any] | None = None, **fields: Any) -> list[Alert]:
        facts = self.facts_at(now, values or DRAINING)
        base = {"event_id": "f1", "customer_id": "c1", "occurred_at": "2026-07-20T00:00:00Z", "source": "desk", "actor": "m1", "action": action}
        event = Feedback.model_validate_json(msgspec.json.encode(base | {"alert_id": self.alerts[-1].alert_id} | fields))
        self.episode, alerts = feedback(self.rule, self.pack, facts, self._stored(), event, self.trigger(facts["now"], "feedback"))
        self.alerts += alerts
        return alerts

    def wake(self, now: str | int, values: dict[str, Any]) -> int | None:
        return next_wake(self.rule, self.episode, self.facts_at(now, values))

    def _stored(self) -> Episode | None:
        """State as it comes back from the store."""
        return None if self.episode is None else msgspec.msgpack.decode(msgspec.msgpack.encode(self.episode), type=Episode)


@pytest.fixture
def story(pack: Pack, facts_at: Callable[..., Facts], trigger: Callable[..., Trigger]) -> Callable[[str], Story]:
    return lambda rule_id: Story(pack, rule_id, facts_at, trigger)


def test_an_alert_is_raised_once_and_counts_what_follows_without_a_revision(story: Callable[[str], Story]) -> None:
    told = story("churn.balance-attrition")

    [raised] = told.look("2026-07-20T09:00", DRAINING)
    assert (raised.state, raised.revision, raised.episode, raised.previous, raised.occurrences) == ("raised", 1, 1, None, 1)
    assert raised.alert_id == alert_id("churn.balance-attrition", "c1", "c1", 1)
    assert len(raised.alert_id) == 32

    assert told.look("2026-07-20T10:00", DRAINING) == []
    assert told.look("2026-07-21T00:00", DRAINING, kind="clock") == []
    assert told.episode is not None
    assert (told.episode.occurrences, told.episode.revision) == (2, 1)


def test_the_grade_rises_and_never_falls(story: Callable[[str], Story]) -> None:
    told = story("churn.balance-attrition")
    told.look("2026-07-20T09:00", DRAINING)

    [risen] = told.look("2026-07-21T09:00", DRAINING | {"complaint.open.count": 1, "balance.average.90d": 300_000_00}, evidence=(4, 5))
    assert (risen.state, risen.revision, risen.grade, risen.value_at_stake) == ("risen", 2, "high", 300_000_00)
    assert [reason.code for reason in risen.reasons] == ["churn.balance-attrition", "complaint-open"]
    assert risen.evidence.positions == [1, 4, 5]

    assert told.look("2026-07-22T09:00", DRAINING) == []
    assert told.episode is not None
    assert told.episode.grade == 2


def test_between_the_thresholds_an_open_alert_stays(story: Callable[[str], Story]) -> None:
    told = story("churn.balance-attrition")
    told.look("2026-07-20T09:00", DRAINING)

    assert told.look("2026-07-21T09:00", DRAINING | {"balance.attrition.30d": 0.25}) == []
    assert told.look("2026-07-21T09:00", DRAINING | {"balance.attrition.30d": None}) == []
    [cleared] = told.look("2026-07-22T09:00", DRAINING | {"balance.attrition.30d": 0.249999})
    assert (cleared.state, cleared.revision) == ("cleared", 2)
    assert cleared.reasons[0].en == "The balance has settled: 25 % below its average of 30 days"
    assert cleared.reasons[1].en.startswith("Balance 50 % below its average")


def test_a_recurrence_waits_for_the_cooldown_and_links_back(story: Callable[[str], Story]) -> None:
    told = story("churn.balance-attrition")
    [first] = told.look("2026-07-01T00:00", DRAINING)
    told.look("2026-07-02T00:00", DRAINING | {"balance.attrition.30d": 0.0})

    assert told.wake("2026-07-02T00:00", DRAINING) == told.facts_at("2026-08-01T00:00", {})["now"]
    assert told.look("2026-07-31T23:59", DRAINING) == []
    [second] = told.look("2026-08-01T00:00", DRAINING, kind="clock")
    assert (second.episode, second.previous, second.revision, second.state) == (2, first.alert_id, 1, "raised")
    assert second.alert_id != first.alert_id


def test_an_alert_on_which_nobody_acts_expires(story: Callable[[str], Story], at: At) -> None:
    told = story("churn.balance-attrition")
    [raised] = told.look("2026-07-01T00:00", DRAINING)
    assert raised.expires_at.timestamp() * 1000 == at("2026-07-31")

    assert told.look(at("2026-07-31") - 1, DRAINING, kind="clock") == []
    [expired] = told.look("2026-07-31", DRAINING, kind="clock")
    assert (expired.state, expired.reasons[0].code) == ("expired", "churn.balance-attrition.expired")


def test_acting_on_an_alert_puts_its_expiry_off(story: Callable[[str], Story], at: At) -> None:
    told = story("churn.balance-attrition")
    told.look("2026-07-01T00:00", DRAINING)

    [acknowledged] = told.say("2026-07-20T00:00", "acknowledged")
    assert (acknowledged.state, acknowledged.revision, acknowledged.cause.kind) == ("acknowledged", 2, "feedback")
    assert acknowledged.expires_at.timestamp() * 1000 == at("2026-08-19")
    assert [told.say("2026-07-21T00:00", action)[0].state for action in ("in_progress", "waiting", "resolved")] == ["in_progress", "waiting", "resolved"]


@pytest.mark.parametrize("closing", ["resolved", "dismissed"])
def test_a_closed_alert_never_reopens(story: Callable[[str], Story], closing: str) -> None:
    told = story("churn.balance-attrition")
    told.look("2026-07-01T00:00", DRAINING)
    [closed] = told.say("2026-07-02T00:00", closing)
    assert closed.state == closing

    for action in ("acknowledged", "in_progress", "waiting", "resolved", "dismissed"):
        assert told.say("2026-07-03T00:00", action) == []
    assert told.say("2026-07-03T00:00", "snoozed", reason="r", approver="a", until="2027-01-01T00:00:00Z") == []
    assert told.look("2026-07-04T00:00", DRAINING) == []

    [assessed] = told.say("2026-07-05T00:00", "assessed", assessment="false_positive")
    assert (assessed.state, assessed.assessment, assessed.revision) == (closing, "false_positive", 3)


def test_feedback_on_another_alert_changes_nothing(story: Callable[[str], Story]) -> None:
    told = story("churn.balance-attrition")
    told.look("2026-07-01T00:00", DRAINING)

    assert told.say("2026-07-02T00:00", "resolved", alert_id="0" * 32) == []
    assert feedback(told.rule, told.pack, Facts(), None, Feedback.model_construct(alert_id="x"), told.trigger(0)) == (None, [])


def test_a_snooze_ends_by_itself_and_the_alert_is_back(story: Callable[[str], Story], at: At) -> None:
    told = story("churn.balance-attrition")
    told.look("2026-07-01T00:00", DRAINING)
    told.say("2026-07-02T00:00", "acknowledged")
    until = {"reason": "on holiday", "approver": "b1", "until": "2026-07-10T00:00:00+08:00"}

    [snoozed] = told.say("2026-07-03T00:00", "snoozed", **until)
    assert snoozed.state == "snoozed"
    assert snoozed.snoozed_until is not None
    assert told.wake(at("2026-07-09T12:00"), DRAINING) == at("2026-07-10")
    assert told.look(at("2026-07-10") - 1, DRAINING) == []
    [back] = told.look("2026-07-10", DRAINING, kind="clock")
    assert (back.state, back.snoozed_until) == ("acknowledged", None)


def test_a_snoozed_alert_that_rises_is_back_at_once(story: Callable[[str], Story]) -> None:
    told = story("churn.balance-attrition")
    told.look("2026-07-01T00:00", DRAINING)
    told.say("2026-07-03T00:00", "snoozed", reason="r", approver="b1", until="2026-07-10T00:00:00Z")

    [risen] = told.look("2026-07-04T00:00", DRAINING | {"balance.average.90d": 300_000_00})
    assert (risen.state, risen.snoozed_until) == ("risen", None)


def test_the_gravest_alert_and_a_snooze_into_the_past_are_not_snoozed(story: Callable[[str], Story]) -> None:
    grave = DRAINING | {"balance.attrition.30d": 0.9, "balance.average.90d": 2_000_000_00}
    told = story("churn.balance-attrition")
    told.look("2026-07-01T00:00", grave)
    assert told.say("2026-07-02T00:00", "snoozed", reason="r", approver="b", until="2026-07-10T00:00:00Z") == []

    told = story("churn.balance-attrition")
    told.look("2026-07-01T00:00", DRAINING)
    assert told.say("2026-07-02T00:00", "snoozed", reason="r", approver="b", until="2026-07-01T00:00:00Z") == []


@pytest.mark.parametrize("how", ["expired", "dismissed", "resolved"])
def test_an_absence_that_was_judged_is_not_raised_again_but_the_next_one_is(story: Callable[[str], Story], at: At, how: str) -> None:
    silent = {"activity.last_day": at("2026-01-01"), "activity.typical_gap": 5, "balance.average.90d": 60_000_00}
    told = story("churn.silence")
    [raised] = told.look("2026-01-31", silent, kind="clock")
    if how == "expired":
        assert told.look("2026-04-01", silent, kind="clock")[0].state == "expired"
    else:
        told.say("2026-04-01", how)

    assert told.look("2026-05-01", silent, kind="clock") == []
    assert told.look("2026-09-01", silent, kind="clock") == []

    again = silent | {"activity.last_day": at("2026-10-01")}
    assert told.look("2026-10-30", again, kind="clock") == []
    [next_one] = told.look("2026-10-31", again, kind="clock")
    assert next_one.previous == raised.alert_id


def test_an_absence_ends_when_what_was_awaited_happens(story: Callable[[str], Story], at: At) -> None:
    gone = {"salary.expected_at": at("2026-07-10"), "salary.regular_months": 6, "salary.late": 10}
    told = story("churn.salary-gone")
    told.look("2026-07-20", gone, kind="clock")

    [cleared] = told.look("2026-07-25T09:00", gone | {"salary.expected_at": at("2026-08-10"), "salary.late": 0})
    assert (cleared.state, cleared.reasons[0].en) == ("cleared", "The salary has come")


def test_an_extension_clears_a_passed_limit_says_so_and_the_clock_runs_again(story: Callable[[str], Story], at: At) -> None:
    case = {"one_complaint.started_at": at("2026-07-01"), "one_complaint.due_at": at("2026-07-17"), "one_complaint.age": 16, "one_complaint.limit_used": 1.0}
    extended = case | {"one_complaint.due_at": at("2026-08-16")}
    told = story("complaint.limit-passed")

    [passed] = told.look("2026-07-17", case, kind="clock", subject="k1")
    assert (passed.subject.kind, passed.subject.id, passed.owner, passed.grade) == ("complaint", "k1", "head-office", "critical")
    assert passed.due_at is not None
    assert passed.reasons[0].en == "Complaint of 1 Jul was to be answered by 16 Jul and is not, after 16 days"

    [cleared] = told.look("2026-07-18T10:00", extended, kind="complaint", subject="k1")
    assert (cleared.state, cleared.reasons[0].en) == ("cleared", "The limit was extended: answer due by 15 Aug")
    assert told.rule.wake(told.facts_at("2026-07-18T10:00", extended)) == at("2026-08-16")

    assert told.look(at("2026-08-16") - 1, extended, kind="clock", subject="k1") == []
    [again] = told.look("2026-08-16", extended, kind="clock", subject="k1")
    assert (again.episode, again.previous) == (2, passed.alert_id)

    closed = {"one_complaint.started_at": None, "one_complaint.due_at": None}
    [answered] = told.look("2026-08-17T10:00", closed, kind="complaint", subject="k1")
    assert answered.reasons[0].en == "The complaint has been answered or closed"


def test_a_graver_arrears_warning_takes_over(story: Callable[[str], Story], at: At) -> None:
    told = story("credit.overdue-1")
    [raised] = told.look(
        "2026-07-06", {"one_loan.due_since": at("2026-07-05"), "one_loan.dpd": 1, "one_loan.overdue.amount": 250_000}, subject="l1", kind="clock"
    )
    assert (raised.subject.kind, raised.value_at_stake, raised.grade) == ("loan", 250_000, "low")
    assert told.wake("2026-07-06", {}) == at("2026-07-07")

    [cleared] = told.look("2026-08-04", {"one_loan.due_since": at("2026-07-05"), "one_loan.dpd": 30}, subject="l1", kind="clock")
    assert cleared.reasons[0].en == "30 days past due: the graver warning takes over"
    assert told.look("2026-08-05", {"one_loan.due_since": at("2026-07-05"), "one_loan.dpd": 31}, subject="l1", kind="clock") == []


def test_an_alert_that_never_clears_by_itself_is_closed_by_a_person(story: Callable[[str], Story]) -> None:
    told = story("anomaly.near-threshold-cash")
    told.look("2026-07-06T10:00", {"cash.near_threshold.count.1d": 3})

    assert told.look("2026-07-07T00:00", {"cash.near_threshold.count.1d": 0}, kind="clock") == []
    assert told.say("2026-07-08T00:00", "dismissed", {"cash.near_threshold.count.1d": 0})[0].state == "dismissed"


def test_evidence_keeps_the_first_and_the_latest_positions(story: Callable[[str], Story]) -> None:
    told = story("churn.balance-attrition")

    [raised] = told.look("2026-07-20T09:00", DRAINING, evidence=tuple(range(100, 40, -1)))

    assert raised.evidence.positions == [41, *range(82, 101)]


def test_alert_ids_do_not_collide_over_customers_and_cases() -> None:
    ids = {alert_id(*key) for key in [("r", "c1", "c1", 1), ("r", "c1", "c1", 2), ("r", "c2", "c1", 1), ("r", "c1c", "1", 1), ("r2", "c1", "c1", 1)]}

    assert len(ids) == 5


def test_no_wake_without_an_episode(story: Callable[[str], Story]) -> None:
    told: Rule = story("churn.silence").rule

    assert next_wake(told, None, Facts({"now": 0, "today": 0})) is None
    assert told.expires_ms == 60 * DAY_MS
