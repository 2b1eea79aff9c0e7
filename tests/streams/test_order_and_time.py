"""Six topics, one order, one clock: backlogs, outages and upstream clocks that are wrong change no warning."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from random import Random
from typing import Any, NamedTuple

import pytest

from alerting.pack import Pack, load_pack
from schemas.events import EventKind
from schemas.localtime import to_instant
from schemas.outputs import Alert
from schemas.topics import Registry, load_registry
from streams.lane import Frame, Lane
from streams.records import InputRecord, Output

DAY0 = datetime.fromisoformat("2026-01-05T08:00:00+08:00")
DAYS = 120
RESULTS = ("customer-metrics", "alerts", "dead-letters", "late-events")


class Sent(NamedTuple):
    """An event and when its upstream system sent it, which is when the broker got it."""

    at: datetime
    kind: EventKind
    customer: str
    fields: dict[str, Any]


def story() -> list[Sent]:
    """One customer busy all day; others of whom other topics tell, so that what is read too early or too late raises something false."""
    sent: list[Sent] = []

    def pays(at: datetime, customer: str, amount: str, kind: str, direction: str, balance: str) -> None:
        fields = {"account_id": f"{customer}-1", "currency": "CNY", "amount": amount, "kind": kind, "direction": direction, "balance_after": balance}
        sent.append(Sent(at, "transaction", customer, fields))

    for day in range(DAYS):
        at = DAY0 + timedelta(days=day)
        for hour in range(0, 8, 2):
            pays(at + timedelta(hours=hour), "busy", "10.00", "card_purchase", "out", "60000.00")
        evening = at + timedelta(hours=9)
        if day % 9 == 0 and day < 60:
            pays(evening, "quiet", "80.00", "card_purchase", "out", "60000.00")
            pays(evening, "silent", "80.00", "card_purchase", "out", "60000.00")
        elif day % 9 == 0:
            sent.append(Sent(evening, "interaction", "quiet", {"kind": "login"}))
        if day % 30 == 5 and day < 70:
            pays(evening, "unpaid", "32000.00", "salary", "in", "250000.00")
        if day == 20:
            sent.append(Sent(evening, "customer", "quiet", {"change": "recorded", "relationship_manager": "rm-1"}))
        if day == 40:
            for customer in ("upset", "angry"):
                sent.append(Sent(evening, "complaint", customer, {"case_id": f"TS-{customer}", "step": "received", "complex": False}))
        if day == 43:
            sent.append(Sent(evening, "complaint", "upset", {"case_id": "TS-upset", "step": "closed"}))
        sent.append(Sent(at + timedelta(hours=10), "tick", "", {"partition": 0}))
    return sent


Topics = dict[EventKind, list[InputRecord]]


def record(sent: Sent, offset: int) -> InputRecord:
    body = {"event_id": f"{sent.kind}-{offset}", "source": "t", "occurred_at": sent.at.isoformat()} | sent.fields
    if sent.kind != "tick":
        body["customer_id"] = sent.customer
    return InputRecord(offset, to_instant(sent.at), sent.customer.encode() or b"0", json.dumps(body).encode())


class Run:
    """A lane and the frames that came of what it was given."""

    def __init__(self, registry: Registry, pack: Pack) -> None:
        self.lane = Lane(0, registry, pack, {})
        self.topics: Topics = defaultdict(list)
        self.frames: list[Frame] = []
        self._kinds = list(registry.inputs)
        for kind in self._kinds:
            self.lane.ended(kind, True)

    def live(self, sent: Iterable[Sent]) -> Run:
        """One by one, as they come."""
        for one in sent:
            self.topics[one.kind].append(record(one, len(self.topics[one.kind])))
            self.lane.offer(one.kind, self.topics[one.kind][-1:])
            self._drain()
        return self

    def at_once(self, sent: Iterable[Sent], random: Random) -> Run:
        """All of it is in the topics already; it is fetched in portions, the shortest topics first to their ends."""
        waiting: Topics = {kind: [] for kind in self._kinds}
        for one in sent:
            self.topics[one.kind].append(record(one, len(self.topics[one.kind])))
            waiting[one.kind].append(self.topics[one.kind][-1])
        for kind, records in waiting.items():
            self.lane.ended(kind, not records)
        for kind in sorted(waiting, key=lambda kind: len(waiting[kind])):
            while waiting[kind]:
                size = random.randint(1, 300)
                self.lane.offer(kind, waiting[kind][:size])
                del waiting[kind][:size]
                self.lane.ended(kind, not waiting[kind])
                self._drain()
        return self

    def _drain(self) -> None:
        while (frame := self.lane.frame(500)) is not None:
            self.frames.append(frame)

    @property
    def outputs(self) -> dict[str, list[Output]]:
        return {topic: [output for frame in self.frames for output in frame.outputs if output.topic == topic] for topic in RESULTS}

    @property
    def counts(self) -> Counter[str]:
        counted: Counter[str] = Counter()
        for frame in self.frames:
            for (_kind, outcome), count in frame.counts.items():
                counted[outcome] += count
        return counted

    @property
    def clock(self) -> int | None:
        return self.lane.record.watermark.clock

    def alerts(self, *, without: str = "") -> list[dict[str, Any]]:
        """What the alerts say, but for positions in the journal, how far the clock had got, and what moved it."""
        apart = {"watermark": True, "cause": True, "evidence": {"positions"}}
        revisions = [Alert.model_validate_json(output.value or b"") for output in self.outputs["alerts"]]
        return [alert.model_dump(exclude=apart) for alert in revisions if alert.subject.customer_id != without]


@pytest.fixture(scope="module")
def pack() -> Pack:
    return load_pack("bank-cn")


@pytest.fixture(scope="module")
def registry() -> Registry:
    return load_registry(partitions=1)


@pytest.fixture(scope="module")
def lived(registry: Registry, pack: Pack) -> Run:
    """The story as it happened, with a worker that was always there."""
    return Run(registry, pack).live(story())


def test_the_story_warns_of_whom_it_should(lived: Run) -> None:
    told = {(alert["rule"], alert["subject"]["customer_id"]) for alert in lived.alerts()}
    limits = {(f"complaint.limit-{limit}", "angry") for limit in ("50", "80", "passed")}
    assert told == {("churn.salary-gone", "unpaid"), ("churn.silence", "silent")} | limits


def test_six_backlogs_of_very_different_sizes_loaded_at_once(registry: Registry, pack: Pack, lived: Run) -> None:
    """One topic is hundreds of times another, one has nothing at all: no false silence, nothing late, the clock where it should be."""
    loaded = Run(registry, pack).at_once(story(), Random(1))
    sizes = {kind: len(loaded.topics[kind]) for kind in registry.inputs}
    assert sizes["transaction"] > 400 * sizes["customer"] > 0
    assert sizes["feedback"] == 0
    assert loaded.outputs == lived.outputs
    assert loaded.counts == {"applied": len(story())}
    assert loaded.clock == lived.clock == to_instant(story()[-1].at)


@pytest.mark.parametrize(("day", "hour"), [(48, 13), (52, 7), (56, 13), (79, 13)])
def test_six_hours_away_and_then_caught_up(registry: Registry, pack: Pack, lived: Run, day: int, hour: int) -> None:
    """The worker is away over a midnight or an evening at which something falls due, and finds six hours of everything at once."""
    away = DAY0 + timedelta(days=day, hours=hour)
    back = away + timedelta(hours=6)
    run = Run(registry, pack).live(one for one in story() if one.at <= away)
    run.at_once([one for one in story() if away < one.at <= back], Random(day))
    run.live(one for one in story() if one.at > back)
    assert run.outputs == lived.outputs


def test_a_topic_read_to_its_end_holds_nothing_back_and_one_that_is_not_holds_all(registry: Registry, pack: Pack) -> None:
    run = Run(registry, pack)
    run.lane.ended("feedback", False)
    run.live(story()[:20])
    assert run.clock is None
    run.lane.ended("feedback", True)
    run.live(story()[20:21])
    assert run.clock is not None
    assert run.clock >= to_instant(story()[20].at) - pack.disorder_ms


def daily(shift: timedelta | None) -> list[Sent]:
    """The story with a call centre in it whose clock is wrong: so far ahead every day, or (None) standing still on the first day."""
    sent = []
    for one in story():
        if one.kind == "tick":
            stamped = one.at + shift if shift else DAY0
            sent.append(Sent(one.at - timedelta(minutes=30), "interaction", "odd", {"kind": "login", "occurred_at": stamped.isoformat()}))
        sent.append(one)
    return sent


def test_an_upstream_clock_that_stands_still_holds_nothing_back(registry: Registry, pack: Pack, lived: Run) -> None:
    run = Run(registry, pack).live(daily(None))
    assert run.alerts(without="odd") == lived.alerts()
    assert run.clock == lived.clock
    assert run.counts["late"] == DAYS - pack.lateness_days
    assert {output.key for output in run.outputs["late-events"]} == {b"odd"}


def test_an_upstream_clock_hours_ahead_makes_nobody_late(registry: Registry, pack: Pack, lived: Run) -> None:
    run = Run(registry, pack).live(daily(timedelta(hours=6)))
    assert run.counts == {"applied": len(daily(timedelta(hours=6)))}
    assert run.alerts(without="odd") == lived.alerts()


def test_an_upstream_clock_a_year_ahead_is_set_aside_by_the_brokers_time(registry: Registry, pack: Pack, lived: Run) -> None:
    run = Run(registry, pack).live(daily(timedelta(days=365)))
    assert run.counts == {"applied": len(story()), "dead_lettered": DAYS}
    assert {aside.reason for frame in run.frames for aside in frame.set_aside} == {"far_future"}
    assert run.alerts() == lived.alerts()
    assert run.clock == lived.clock
