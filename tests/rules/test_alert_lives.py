"""What holds for every alert of a whole bank, whatever happens to its customers and whatever people say of their alerts."""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import timedelta
from itertools import pairwise
from random import Random

import pytest

from alerting.pack import Pack
from deploy.inputs import InputLine, to_records
from deploy.simulator import Parameters, Simulation
from schemas.journal import JournalEntry, read_chunk
from schemas.outputs import GRADES, Alert
from schemas.topics import Registry, load_registry
from streams.replay import replay

CLOSED = frozenset({"resolved", "dismissed", "cleared", "expired"})
Lives = dict[str, list[Alert]]
Journal = dict[int, list[JournalEntry]]


def live(lines: list[InputLine], registry: Registry, pack: Pack) -> tuple[list[Alert], Journal]:
    revisions: list[Alert] = []
    journal: Journal = defaultdict(list)
    for lane, frame in replay(to_records(lines, registry), registry, pack, 1 << 50):
        for output in frame.outputs:
            if output.topic == "alerts":
                revisions.append(Alert.model_validate_json(output.value or b""))
            elif output.topic == "journal":
                journal[lane.number] += read_chunk(output.value or b"")
    return revisions, journal


def opinions(alerts: list[Alert]) -> list[InputLine]:
    """Two or three acts of people on every second alert, some of them too late to matter."""
    random = Random("opinions")
    said = []
    for alert in alerts:
        for _ in range(random.choice((0, 0, 2, 3))):
            action = random.choice(("acknowledged", "in_progress", "dismissed", "resolved", "snoozed", "assessed"))
            at = alert.raised_at + timedelta(minutes=random.randrange(1, 60 * 24 * 40))
            event = {
                "event_id": f"said-{len(said)}",
                "customer_id": alert.subject.customer_id,
                "occurred_at": at.isoformat(),
                "source": "console",
                "alert_id": alert.alert_id,
                "action": action,
                "actor": "somebody",
                "reason": "as it is",
                "approver": "branch-head",
                "until": (at + timedelta(days=random.randrange(1, 30))).isoformat(),
                "assessment": random.choice(("confirmed", "useful", "false_positive")),
            }
            said.append((at, InputLine("alert-feedback", alert.subject.customer_id, json.dumps(event).encode())))
    return [line for _, line in sorted(said, key=lambda pair: pair[0])]


@pytest.fixture(scope="module")
def bank(pack: Pack) -> tuple[list[Alert], Journal]:
    """A dirty bank; its people act on what they were told the first time."""
    registry = load_registry(partitions=2)
    lines = [line for day in Simulation(Parameters(seed=404, customers=80, months=9, dirt=0.01)).days() for line in day]
    untouched, _ = live(lines, registry, pack)
    return live(lines + opinions([alert for alert in untouched if alert.revision == 1]), registry, pack)


@pytest.fixture(scope="module")
def lives(bank: tuple[list[Alert], Journal]) -> Lives:
    found: Lives = defaultdict(list)
    for alert in bank[0]:
        found[alert.alert_id].append(alert)
    assert {alert.state for alert in bank[0]} >= {"raised", "risen", "cleared", "expired", "dismissed", "snoozed", "acknowledged", "resolved"}
    return found


def test_revisions_count_up_and_nothing_reopens(lives: Lives) -> None:
    for revisions in lives.values():
        assert [alert.revision for alert in revisions] == list(range(1, len(revisions) + 1))
        states = [alert.state for alert in revisions]
        assert states[0] == "raised"
        closing = next((number for number, state in enumerate(states) if state in CLOSED), len(states))
        assert len(set(states[closing:])) <= 1  # an assessment may still come; it changes no state


def test_what_is_said_once_stays_said(lives: Lives) -> None:
    for revisions in lives.values():
        for name in ("rule", "episode", "previous", "raised_at", "owner", "type"):
            assert len({getattr(alert, name) for alert in revisions}) == 1, name
        assert len({(alert.subject.kind, alert.subject.id, alert.subject.customer_id) for alert in revisions}) == 1
        grades = [GRADES.index(alert.grade) for alert in revisions]
        assert grades == sorted(grades)
        assert [alert.occurrences for alert in revisions] == sorted(alert.occurrences for alert in revisions)
        times = [alert.occurred_at for alert in revisions]
        assert times == sorted(times)
        assert all(1 <= len(alert.reasons) <= 4 and alert.reasons[0].zh and alert.reasons[0].en for alert in revisions)


def test_one_alert_at_a_time_each_naming_the_last_after_its_cooldown(lives: Lives, pack: Pack) -> None:
    episodes: dict[tuple[str, str, str], list[list[Alert]]] = defaultdict(list)
    for revisions in lives.values():
        first = revisions[0]
        episodes[first.rule, first.subject.customer_id, first.subject.id].append(revisions)
    assert any(len(each) > 1 for each in episodes.values())
    for (rule_id, _, _), each in episodes.items():
        rule = pack.rule(rule_id)
        assert rule is not None
        assert [revisions[0].episode for revisions in each] == list(range(1, len(each) + 1))
        assert [revisions[0].previous for revisions in each] == [None, *(revisions[0].alert_id for revisions in each[:-1])]
        for before, after in pairwise(each):
            closing = next(alert for alert in before if alert.state in CLOSED)
            assert after[0].raised_at >= closing.occurred_at + timedelta(milliseconds=rule.cooldown_ms)


def test_evidence_is_the_customers_own_and_came_before(bank: tuple[list[Alert], Journal]) -> None:
    revisions, journal = bank
    for alert in revisions:
        positions = alert.evidence.positions
        assert positions == sorted(set(positions))
        assert positions
        assert positions[-1] <= alert.cause.position
        for position in positions:
            entry = journal[alert.evidence.partition][position]
            assert entry.position == position
            assert json.loads(entry.value)["customer_id"] == alert.subject.customer_id
        if alert.cause.kind not in ("clock", "tick"):
            assert json.loads(journal[alert.evidence.partition][alert.cause.position].value)["event_id"] == alert.cause.event_id
