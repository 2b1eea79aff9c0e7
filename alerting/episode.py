"""Episodes: the life of one warning on one subject, from raise to close. Pure: facts and state in, state and revisions out.

At most one alert of a rule is open on a subject. Within an episode the grade may rise, never fall; a closed alert never
reopens: after the cooldown a new episode links back to it. An absence that somebody has judged is not raised again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Final

import msgspec

from alerting.facts import Facts
from alerting.pack import Pack
from alerting.rule import MOST_REASONS, Judgement, Rule
from alerting.wording import Template
from schemas.events.feedback import Assessment, Feedback
from schemas.localtime import to_datetime, to_instant
from schemas.outputs.alert import GRADES, Alert, AlertState, Cause, Evidence, Reason, SubjectRef

CLOSED: Final[frozenset[str]] = frozenset({"resolved", "dismissed", "cleared", "expired"})
TOP_GRADE: Final = len(GRADES) - 1
MOST_POSITIONS: Final = 20
#: Causes that are not an occurrence of what the rule watches for.
_NOT_OCCURRING: Final = frozenset({"clock", "tick", "feedback"})


class Stated(msgspec.Struct, array_like=True, frozen=True):
    """A reason as it was stated, kept so that later revisions repeat it."""

    code: str
    zh: str
    en: str
    metric: str
    unit: str
    observed: int | float | str | None
    baseline: int | float | str | None
    threshold: int | float | str | None
    window_days: int | None
    contribution: int


class Episode(msgspec.Struct, array_like=True):
    """State of the latest episode of one rule on one subject. Times are epoch to_instant; ``grade`` is an index into GRADES.

    ``absence`` is the instant at which the absence fell due, ``resume`` the state to return to when a snooze ends.
    """

    rule: str
    rule_version: int
    subject: str
    number: int
    alert_id: str
    revision: int
    state: AlertState
    grade: int
    score: int
    raised_at: int
    expires_at: int
    occurrences: int
    positions: list[int]
    reasons: list[Stated]
    stake: int = 0
    absence: int | None = None
    since: int | None = None
    previous: str | None = None
    closed_at: int | None = None
    cooldown_until: int | None = None
    snoozed_until: int | None = None
    resume: AlertState = "raised"
    assessment: Assessment | None = None

    @property
    def open(self) -> bool:
        """Whether the alert still wants something."""
        return self.state not in CLOSED


def read_episodes(stored: Sequence[Any]) -> list[Episode]:
    """Episodes as they were stored. Raises msgspec.ValidationError."""
    return msgspec.convert(stored, list[Episode])


@dataclass(frozen=True, slots=True)
class Trigger:
    """What made the core look: ``now`` is the event's time or the instant that the clock passed, ``evidence`` journal positions.

    ``forgotten`` is how many episodes of the customer's loans and cases have been forgotten.
    """

    cause: Cause
    now: int
    watermark: int
    evidence: Sequence[int]
    partition: int
    forgotten: int = 0


def alert_id(rule: str, customer_id: str, subject_id: str, number: int, forgotten: int = 0) -> str:
    """The same on every replay: a hash of rule, subject and episode.

    ``forgotten`` episodes of the customer tell a subject that comes back, and is counted from one again, from what it was before.
    """
    parts = (rule, customer_id, subject_id, str(number), *([str(forgotten)] if forgotten else []))
    return blake2b("\x1f".join(parts).encode(), digest_size=16).hexdigest()


def evaluate(rule: Rule, pack: Pack, facts: Facts, episode: Episode | None, trigger: Trigger) -> tuple[Episode | None, list[Alert]]:
    """Judge one rule on one subject. Changes ``episode`` in place or replaces it, and returns the revisions to publish."""
    if episode is None or episode.state in CLOSED:
        if not rule.holds(facts):
            return episode, []
        if episode is not None and not _may_recur(rule, episode, facts, trigger.now):
            return episode, []
        return _raise(rule, pack, facts, episode, trigger)
    return episode, _live(rule, pack, facts, episode, trigger)


def _may_recur(rule: Rule, last: Episode, facts: Facts, now: int) -> bool:
    if last.cooldown_until is not None and now < last.cooldown_until:
        return False
    return last.state == "cleared" or last.absence is None or last.absence != rule.wake(facts)


def _raise(rule: Rule, pack: Pack, facts: Facts, last: Episode | None, trigger: Trigger) -> tuple[Episode, list[Alert]]:
    judgement = rule.judge(facts)
    number = last.number + 1 if last else 1
    subject = str(facts["subject_id"] or facts["customer_id"])
    episode = Episode(
        rule=rule.id,
        rule_version=rule.version,
        subject=subject,
        number=number,
        alert_id=alert_id(rule.id, str(facts["customer_id"]), subject, number, trigger.forgotten),
        revision=0,
        state="raised",
        grade=judgement.grade,
        score=judgement.score,
        raised_at=trigger.now,
        expires_at=trigger.now + rule.expires_ms,
        occurrences=1,
        positions=_positions(trigger.evidence),
        reasons=_reasons(judgement, facts),
        stake=facts[rule.at_stake] or 0,
        absence=rule.wake(facts),
        since=facts[rule.awaited_since] if rule.awaited_since else None,
        previous=last.alert_id if last else None,
    )
    return episode, [_revise(rule, pack, facts, episode, trigger, "raised")]


def _live(rule: Rule, pack: Pack, facts: Facts, episode: Episode, trigger: Trigger) -> list[Alert]:
    closing = _clearing(rule, facts, episode)
    if closing is not None:
        return [_close(rule, pack, facts, episode, trigger, "cleared", closing)]
    if trigger.now >= episode.expires_at:
        return [_close(rule, pack, facts, episode, trigger, "expired", rule.expired)]
    if rule.holds(facts):
        if trigger.cause.kind not in _NOT_OCCURRING:
            episode.occurrences += 1
        judgement = rule.judge(facts)
        if judgement.grade > episode.grade:
            return [_rise(rule, pack, facts, episode, trigger, judgement)]
    if episode.state == "snoozed" and trigger.now >= (episode.snoozed_until or 0):
        episode.snoozed_until = None
        return [_revise(rule, pack, facts, episode, trigger, episode.resume)]
    return []


def _clearing(rule: Rule, facts: Facts, episode: Episode) -> Template | None:
    """Why the alert is over, if it is."""
    for way in rule.clearings:
        if way.holds is not None:
            if way.holds(facts):
                return way.says
            continue
        due = rule.wake(facts)
        if due is None or due > facts["now"]:
            later = way.postponed is not None and due is not None and rule.awaited_since and facts[rule.awaited_since] == episode.since
            return way.postponed if later else way.says
    return None


def _rise(rule: Rule, pack: Pack, facts: Facts, episode: Episode, trigger: Trigger, judgement: Judgement) -> Alert:
    episode.grade, episode.score, episode.rule_version = judgement.grade, judgement.score, rule.version
    episode.reasons = _reasons(judgement, facts)
    episode.stake = facts[rule.at_stake] or 0
    episode.positions = _positions((*episode.positions, *trigger.evidence))
    episode.expires_at = trigger.now + rule.expires_ms
    episode.snoozed_until = None
    return _revise(rule, pack, facts, episode, trigger, "risen")


def _close(rule: Rule, pack: Pack, facts: Facts, episode: Episode, trigger: Trigger, state: AlertState, why: Template | None) -> Alert:
    episode.closed_at = trigger.now
    episode.cooldown_until = trigger.now + rule.cooldown_ms
    episode.snoozed_until = None
    if why is not None:
        words, observed = why.fill(facts), rule.indicators[0].observed
        unit = observed.metric.unit.value if observed.metric else "flag"
        stated = Stated(f"{rule.id}.{state}", words.zh, words.en, str(observed), unit, observed.read(facts), None, None, None, 0)
        episode.reasons = [stated, *episode.reasons][:MOST_REASONS]
        episode.positions = _positions((*episode.positions, *trigger.evidence))
    return _revise(rule, pack, facts, episode, trigger, state)


def feedback(rule: Rule, pack: Pack, facts: Facts, episode: Episode | None, event: Feedback, trigger: Trigger) -> tuple[Episode | None, list[Alert]]:
    """What people say of the alert. Feedback on another alert, on a closed one (but an assessment), or a snooze of the gravest changes nothing."""
    if episode is None or event.alert_id != episode.alert_id:
        return episode, []
    if event.assessment is not None:
        episode.assessment = event.assessment
    if event.action == "assessed":
        return episode, [_revise(rule, pack, facts, episode, trigger, episode.state)]
    if not episode.open:
        return episode, []
    if event.action == "resolved" or event.action == "dismissed":
        return episode, [_close(rule, pack, facts, episode, trigger, event.action, None)]
    if event.action == "snoozed":
        until = to_instant(event.until) if event.until else 0
        if episode.grade == TOP_GRADE or until <= trigger.now:
            return episode, []
        if episode.state != "snoozed":
            episode.resume = episode.state
        episode.snoozed_until = until
        return episode, [_revise(rule, pack, facts, episode, trigger, "snoozed")]
    episode.snoozed_until = None
    episode.expires_at = max(episode.expires_at, trigger.now + rule.expires_ms)
    return episode, [_revise(rule, pack, facts, episode, trigger, event.action)]


def next_wake(rule: Rule, episode: Episode | None, facts: Facts) -> int | None:
    """When to evaluate again though nothing happens: expiry, end of a snooze or cooldown, and midnight where a new day can change an open alert."""
    if episode is None:
        return None
    if not episode.open:
        until = episode.cooldown_until
        return until if until is not None and until > facts["now"] else None
    wakes = [episode.expires_at]
    if episode.snoozed_until is not None:
        wakes.append(episode.snoozed_until)
    if rule.moves_with_time:
        wakes.append(rule.time.start(max(facts["today"], rule.time.day(facts["now"])) + 1))
    return min(wakes)


def _reasons(judgement: Judgement, facts: Facts) -> list[Stated]:
    reasons = (indicator.reason(facts) for indicator in judgement.indicators[:MOST_REASONS])
    return [Stated(**reason.model_dump()) for reason in reasons]


def _positions(positions: Iterable[int]) -> list[int]:
    """In order, each once; the first and the latest where there are too many."""
    ordered = sorted(set(positions))
    return ordered if len(ordered) <= MOST_POSITIONS else [ordered[0], *ordered[1 - MOST_POSITIONS :]]


def _revise(rule: Rule, pack: Pack, facts: Facts, episode: Episode, trigger: Trigger, state: AlertState) -> Alert:
    episode.state = state
    episode.revision += 1
    due = facts[rule.deadline] if rule.deadline else None
    return Alert(
        alert_id=episode.alert_id,
        revision=episode.revision,
        state=state,
        rule=rule.id,
        rule_version=episode.rule_version,
        pack=pack.name,
        pack_version=pack.version,
        type=rule.type,
        title=rule.title,
        grade=GRADES[episode.grade],
        score=episode.score,
        subject=SubjectRef(
            kind=rule.subject,
            id=episode.subject,
            customer_id=facts["customer_id"],
            display_name=facts["display_name"],
            outlet_id=facts["outlet_id"],
            relationship_manager=facts["relationship_manager"],
        ),
        episode=episode.number,
        previous=episode.previous,
        occurrences=episode.occurrences,
        raised_at=to_datetime(episode.raised_at),
        occurred_at=to_datetime(trigger.now),
        watermark=to_datetime(trigger.watermark),
        expires_at=to_datetime(episode.expires_at),
        due_at=to_datetime(due) if due is not None else None,
        currency=pack.currency,
        value_at_stake=episode.stake,
        reasons=[Reason(**{name: getattr(stated, name) for name in Stated.__struct_fields__}) for stated in episode.reasons],
        cause=trigger.cause,
        evidence=Evidence(partition=trigger.partition, positions=episode.positions),
        action=rule.action.action(pack.offers_barred if (facts["complaint.open.count"] or 0) > 0 else None),
        owner=rule.owner,
        snoozed_until=to_datetime(episode.snoozed_until) if episode.snoozed_until is not None else None,
        assessment=episode.assessment,
    )
