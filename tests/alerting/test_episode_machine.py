"""Whatever happens in whatever order: one open alert, revisions that only rise, closed stays closed, cooldowns honoured."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from alerting.episode import CLOSED, Episode, Trigger, evaluate, feedback, next_wake
from alerting.facts import Facts
from alerting.pack import load_pack
from alerting.quantity import DAY_MS, HOUR_MS
from schemas.events.feedback import Feedback
from schemas.outputs.alert import GRADES, Alert, Cause

PACK = load_pack("bank-cn")
START = PACK.time.start(20_600)


class Life(RuleBasedStateMachine):
    """Random facts, feedback and time on one rule and one customer."""

    @initialize(rule_id=st.sampled_from(["churn.balance-attrition", "churn.silence", "anomaly.near-threshold-cash", "churn.salary-gone"]))
    def begin(self, rule_id: str) -> None:
        found = PACK.rule(rule_id)
        assert found is not None
        self.rule = found
        self.now = START
        self.episode: Episode | None = None
        self.alerts: list[Alert] = []
        self.closed_at: dict[str, int] = {}
        self.values: dict[str, Any] = {"balance.average.90d": 60_000_00, "salary.regular_months": 5}

    @rule(
        attrition=st.sampled_from([None, 0.0, 0.3, 0.45, 0.9]),
        average=st.sampled_from([None, 0, 60_000_00, 300_000_00, 3_000_000_00]),
        near=st.integers(0, 7),
        complaints=st.integers(0, 1),
        active=st.booleans(),
    )
    def event(self, attrition: float | None, average: int | None, near: int, complaints: int, active: bool) -> None:
        self.values |= {
            "balance.attrition.30d": attrition,
            "balance.average.90d": average,
            "cash.near_threshold.count.1d": near,
            "complaint.open.count": complaints,
        }
        if active:
            self.values |= {"activity.last_day": self.midnight(), "activity.typical_gap": 8, "salary.expected_at": self.midnight() + 30 * DAY_MS}
        self.look("transaction")

    @rule(hours=st.integers(1, 2000))
    def time_passes(self, hours: int) -> None:
        until = self.now + hours * HOUR_MS
        while True:
            wakes = [wake for wake in (next_wake(self.rule, self.episode, self.facts()), self.rule.wake(self.facts())) if wake is not None and wake > self.now]
            if not wakes or min(wakes) > until:
                break
            self.now = min(wakes)
            self.look("clock")
        self.now = until

    @rule(action=st.sampled_from(["acknowledged", "in_progress", "waiting", "resolved", "dismissed", "snoozed", "assessed"]), days=st.integers(-1, 40))
    def said(self, action: str, days: int) -> None:
        if not self.alerts:
            return
        event = Feedback.model_construct(alert_id=self.alerts[-1].alert_id, action=action, assessment="useful" if action == "assessed" else None, until=None)
        if action == "snoozed":
            event.until = self.alerts[-1].raised_at.fromtimestamp((self.now + days * DAY_MS) / 1000, self.alerts[-1].raised_at.tzinfo)
        before = self.episode
        was_closed = before is not None and not before.open
        self.episode, alerts = feedback(self.rule, PACK, self.facts(), self.episode, event, self.trigger("feedback"))
        assert not (was_closed and alerts and action != "assessed")
        self.note(alerts)

    def midnight(self) -> int:
        return PACK.time.start(PACK.time.day(self.now))

    def facts(self) -> Facts:
        return Facts(self.values | {"now": self.now, "today": PACK.time.day(self.now), "customer_id": "c1", "subject_id": "c1"})

    def trigger(self, kind: str) -> Trigger:
        return Trigger(Cause(kind=kind, position=1), self.now, self.now, [1], 0)  # type: ignore[arg-type]

    def look(self, kind: str) -> None:
        stored = msgspec.msgpack.encode(self.episode)
        again = [evaluate(self.rule, PACK, self.facts(), msgspec.msgpack.decode(stored, type=Episode | None), self.trigger(kind)) for _ in range(2)]
        assert again[0] == again[1], "evaluation is deterministic"
        self.episode, alerts = again[0]
        self.note(alerts)

    def note(self, alerts: list[Alert]) -> None:
        assert len(alerts) <= 1
        for alert in alerts:
            Alert.model_validate_json(alert.model_dump_json())
            mine = [known for known in self.alerts if known.alert_id == alert.alert_id]
            assert alert.revision == len(mine) + 1, "revisions rise by one"
            if mine:
                assert GRADES.index(alert.grade) >= GRADES.index(mine[-1].grade), "a grade never falls"
                assert mine[-1].state not in CLOSED or alert.state == mine[-1].state, "closed never reopens"
                assert alert.raised_at == mine[0].raised_at
            elif self.alerts:
                last = self.alerts[-1]
                assert last.state in CLOSED, "one open alert at a time"
                assert (alert.previous, alert.episode) == (last.alert_id, last.episode + 1)
                assert self.now >= self.closed_at[last.alert_id] + self.rule.cooldown_ms, "the cooldown is honoured"
            if alert.state in CLOSED:
                self.closed_at.setdefault(alert.alert_id, self.now)
            assert len(alert.reasons) <= 4
            self.alerts.append(alert)

    @invariant()
    def an_open_alert_is_always_looked_at_again(self) -> None:
        if getattr(self, "episode", None) is not None and self.episode is not None and self.episode.open:
            wake = next_wake(self.rule, self.episode, self.facts())
            assert wake is not None
            assert wake <= self.episode.expires_at


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
