"""What must be true when a schedule has come to rest, whatever happened on the way. Each finding is one line."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from functools import cache
from typing import Any

from schemas.journal import JournalEntry, read_chunk
from streams.customer.customer import CustomerInHand
from streams.customer.facts import CustomerFacts
from streams.customer.state import decode as decode_state
from streams.engine.ports import Place
from streams.lane import Frame, Lane
from streams.partition_record import KEY, OUTCOMES, InputProgress, PartitionRecord, decode_record
from streams.records import Output
from tests.simulation.broker import Broker
from tests.simulation.inputs import PARTITIONS, records
from tests.simulation.schedule import Ended, ground

RESULTS = ("customer-metrics", "alerts", "dead-letters", "late-events")
#: Metrics of a customer that say what was counted.
COUNTED = ("flow.in.count.365d", "flow.out.count.365d", "flow.out.amount.365d", "contact.count.365d", "complaint.count.365d", "balance.current")


@dataclass(frozen=True)
class Result:
    """What one partition came to: outputs by topic, its journal, its states and its record."""

    outputs: dict[str, list[Output]]
    journal: list[JournalEntry]
    states: dict[bytes, bytes]
    record: PartitionRecord


@cache
def undisturbed(bank: int, number: int) -> Result:
    """The pure core over all of a bank."""
    registry, pack = ground()
    lane = Lane(number, registry, pack, {})
    for kind in registry.inputs:
        lane.offer(kind, records(bank).get((kind, number), []))
        lane.ended(kind, True)
    frames: list[Frame] = []
    while (frame := lane.frame(10_000)) is not None:
        frames.append(frame)
    return _result(lane, frames)


def _result(lane: Lane, frames: list[Frame]) -> Result:
    outputs = [output for frame in frames for output in frame.outputs]
    by_topic = {topic: [output for output in outputs if output.topic == topic] for topic in RESULTS}
    journal = [entry for output in outputs if output.topic == "journal" for entry in read_chunk(output.value or b"")]
    return Result(by_topic, journal, lane.states, lane.record)


def found(broker: Broker, number: int) -> Result | None:
    """What a read_committed reader finds; None if nothing was ever written."""
    registry, _pack = ground()
    outputs = {topic: [Output(topic, *message) for _offset, message in broker.log(Place(registry.name(topic), number)).visible()] for topic in RESULTS}
    chunks = [message.value or b"" for _offset, message in broker.log(Place(registry.name("journal"), number)).visible()]
    states: dict[bytes, bytes] = {}
    for _offset, (key, value, _headers) in broker.log(Place(registry.name("customer-changelog"), number)).visible():
        if value is None:
            states.pop(key or b"", None)
        else:
            states[key or b""] = value
    if KEY not in states:
        return None
    return Result(outputs, [entry for chunk in chunks for entry in read_chunk(chunk)], states, decode_record(states.pop(KEY)))


def check(ended: Ended) -> list[str]:
    """Everything that is wrong with a schedule; empty when nothing is."""
    if ended.wrong:
        return ended.wrong
    wrong: list[str] = []
    for number in range(PARTITIONS):
        there = found(ended.broker, number)
        if there is None:
            if any(place[1] == number and place_records for place, place_records in records(ended.bank).items()):
                wrong.append(f"partition {number}: nothing was written")
            continue
        findings = _accounts(ended, number, there.record)
        if ended.mode == "transactions":
            findings += _once(there)
            findings += _as_undisturbed(ended.bank, number, there) if ended.loaded_first else _as_replayed(number, there)
        else:
            findings += _counted_once(undisturbed(ended.bank, number), there)
        wrong += [f"partition {number}: {finding}" for finding in findings]
    return wrong


def _accounts(ended: Ended, number: int, record: PartitionRecord) -> list[str]:
    """Counters equal offsets, and the group's offsets are at the end."""
    registry, _pack = ground()
    findings: list[str] = []
    for kind, topic in registry.inputs.items():
        there, progress = records(ended.bank).get((kind, number), []), record.inputs.get(kind)
        if not there or progress is None:
            if there or progress:
                findings.append(f"{kind}: {len(there)} records, progress {progress}")
            continue
        if progress.start != there[0].offset or progress.next != there[-1].offset + 1:
            findings.append(f"{kind}: accounted for {progress.start} to {progress.next}, there is {there[0].offset} to {there[-1].offset + 1}")
        counted = sum(getattr(progress, outcome) for outcome in OUTCOMES)
        if counted != len(there) or progress.gaps != progress.next - progress.start - len(there):
            findings.append(f"{kind}: {len(there)} records are counted as {counted} and {progress.gaps} gaps: {progress}")
        committed = ended.group.offsets.get(Place(topic.name, number))
        if committed != progress.next:
            findings.append(f"{kind}: the group has committed {committed}, applied is {progress.next}")
    return findings


def _once(there: Result) -> list[str]:
    """The journal has no gap, and nothing is there twice."""
    findings: list[str] = []
    if [entry.position for entry in there.journal] != list(range(len(there.journal))):
        findings.append("journal positions have gaps or repeat")
    if there.record.position != len(there.journal):
        findings.append(f"the journal has {len(there.journal)} entries, the state says {there.record.position}")
    for what, twice in (
        ("journal entry", _twice((entry.kind, entry.offset) for entry in there.journal)),
        ("snapshot", _twice(_id(output) for output in there.outputs["customer-metrics"])),
        ("alert revision", _twice(_id(output) for output in there.outputs["alerts"])),
        ("dead letter", _twice(_id(output) for output in there.outputs["dead-letters"])),
        ("late event", _twice(_id(output) for output in there.outputs["late-events"])),
    ):
        if twice:
            findings.append(f"{what} twice: {twice[:3]}")
    for topic, outcome in (("dead-letters", "dead_lettered"), ("late-events", "late")):
        counted = sum(getattr(progress, outcome) for progress in there.record.inputs.values())
        if counted != len(there.outputs[topic]):
            findings.append(f"{counted} counted as {outcome}, {len(there.outputs[topic])} in {topic}")
    return findings


def _twice(ids: Any) -> list[Any]:
    return [found for found, count in Counter(ids).items() if count > 1]


def _id(output: Output) -> tuple[Any, ...]:
    """What tells an output from all others of its topic."""
    if output.topic in ("dead-letters", "late-events"):
        headers = dict(output.headers)
        return headers["fenghuo.errors.topic"], headers["fenghuo.errors.offset"]
    body = json.loads(output.value or b"")
    return (body["alert_id"], body["revision"]) if output.topic == "alerts" else (body["customer_id"], body["revision"])


def _as_replayed(number: int, there: Result) -> list[str]:
    """The journal, replayed in one go, gives the same bytes."""
    registry, pack = ground()
    lane = Lane(number, registry, pack, {})
    try:
        frames = list(lane.replay(there.journal, 1000))
    except ValueError as error:
        return [str(error)]
    replayed = _result(lane, frames)
    return [
        *(f"{topic}: the journal's replay differs" for topic in ("customer-metrics", "alerts") if replayed.outputs[topic] != there.outputs[topic]),
        *(["the changelog is not the state of the journal's replay"] if replayed.states != there.states else []),
        *(["the clock is not that of the journal's replay"] if replayed.record.watermark.clock != there.record.watermark.clock else []),
    ]


@cache
def _undisturbed_as_replayed(bank: int, number: int) -> list[str]:
    return _as_replayed(number, undisturbed(bank, number))


def _as_undisturbed(bank: int, number: int, there: Result) -> list[str]:
    """Loaded before the workers started, all topics come out in the one order of time; whose journal's replay is looked at once."""
    expected = undisturbed(bank, number)
    return [
        *_undisturbed_as_replayed(bank, number),
        *(f"{topic}: differs from the undisturbed run" for topic in RESULTS if expected.outputs[topic] != there.outputs[topic]),
        *(["the journal differs from the undisturbed run"] if expected.journal != there.journal else []),
        *(["the changelog is not the state of the undisturbed run"] if expected.states != there.states else []),
        *(["the accounts differ from the undisturbed run"] if expected.record.inputs != there.record.inputs else []),
    ]


def _counted_once(expected: Result, there: Result) -> list[str]:
    """Without transactions: outputs may repeat, but none is lost or added, and every event counts once.

    Only where upstream systems send nothing twice: a second copy met again after a crash may have outlived the memory of the first.
    """
    findings = [
        f"{topic}: {len(mine ^ other)} outputs lost or added"
        for topic in RESULTS
        if (mine := {_id(output) for output in expected.outputs[topic]}) != (other := {_id(output) for output in there.outputs[topic]})
    ]
    if {entry.position: entry for entry in there.journal} != {entry.position: entry for entry in expected.journal}:
        findings.append("the journal, each position once, is not the undisturbed run's")
    findings += [
        f"{kind}: counted {mine} instead of {should}"
        for kind, progress in expected.record.inputs.items()
        if (should := _outcomes(progress)) != (mine := _outcomes(there.record.inputs[kind]))
    ]
    if expected.states.keys() != there.states.keys():
        findings.append("customers lost or added")
    else:
        miscounted = [key for key, value in expected.states.items() if _counts(key, value) != _counts(key, there.states[key])]
        findings += [f"customer {key.decode()} is not counted right" for key in miscounted]
    return findings


def _outcomes(progress: InputProgress) -> tuple[int, ...]:
    return tuple(getattr(progress, outcome) for outcome in OUTCOMES)


def _counts(key: bytes, value: bytes) -> dict[str, Any]:
    """Every metric of a customer as of its own state's time."""
    _registry, pack = ground()
    customer = CustomerInHand(key.decode(), decode_state(value), pack, pack.time, 0)
    facts = CustomerFacts(customer)
    return {name: facts[name] for name in COUNTED}
