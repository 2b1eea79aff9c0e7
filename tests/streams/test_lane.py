"""A lane accounts for every record, gives the same results in frames of any size, and survives a processor's bug."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Iterator
from itertools import groupby

import msgspec
import pytest

import streams.customer.in_hand as in_hand_module
from alerting.pack import Pack, load_pack
from deploy.inputs import InputRecord as FileRecord
from deploy.simulator import Parameters, Simulation
from schemas.codec import decode
from schemas.events import EventKind
from schemas.journal import JournalEntry, read_chunk
from schemas.topics import Registry, load_registry, partition_of
from streams.customer.customer import CustomerInHand
from streams.customer.facts import CustomerFacts
from streams.customer.snapshot import snapshot
from streams.customer.state import FORM, FORMS_READ, wake_of
from streams.customer.state import decode as decode_state
from streams.customer.warnings import Warnings
from streams.lane import Frame, Lane
from streams.metrics.computed import COMPUTED
from streams.partition_record import KEY, OUTCOMES, decode_record, encode_record
from streams.records import InputRecord, Output
from streams.replay import replay
from streams.testing import Bank

RECEIVED = 1 << 50


@pytest.fixture(scope="module")
def registry() -> Registry:
    return load_registry(partitions=2)


@pytest.fixture(scope="module")
def pack() -> Pack:
    return load_pack("bank-cn")


@pytest.fixture(scope="module")
def inputs(registry: Registry) -> list[FileRecord]:
    """A small dirty bank with every story: some 5,000 records."""
    records = []
    for lines in Simulation(Parameters(seed=3, customers=20, months=8, dirt=0.01)).days():
        for line in lines:
            if line.topic == "ticks":
                tick = msgspec.json.decode(line.value)
                for partition in range(registry.partitions):
                    value = msgspec.json.encode(tick | {"event_id": f"{tick['event_id']}-{partition}", "partition": partition})
                    records.append(FileRecord("ticks", partition, b"%d" % partition, value))
            else:
                key = line.key.encode() if line.key is not None else None
                records.append(FileRecord(line.topic, partition_of(key or b"", registry.partitions), key, line.value))
    return records


@pytest.fixture(scope="module")
def undisturbed(inputs: list[FileRecord], registry: Registry, pack: Pack) -> list[tuple[Lane, Frame]]:
    """Everything in one go."""
    return list(replay(inputs, registry, pack, RECEIVED))


def outputs(frames: Iterator[tuple[Lane, Frame]], *topics: str) -> list[tuple[int, Output]]:
    return [(lane.number, output) for lane, frame in frames for output in frame.outputs if output.topic in topics]


RESULTS = ("customer-metrics", "alerts", "dead-letters", "late-events")


def test_results_do_not_depend_on_frame_size(undisturbed: list[tuple[Lane, Frame]], inputs: list[FileRecord], registry: Registry, pack: Pack):
    whole = undisturbed
    small = list(replay(inputs, registry, pack, RECEIVED, 7))
    assert len(small) > 500 > len(whole)
    for topic in RESULTS:
        assert outputs(iter(whole), topic)
        assert outputs(iter(small), topic) == outputs(iter(whole), topic)
    assert _entries(small) == _entries(whole)
    assert [lane.states for lane, _ in whole] == [lane.states for lane, last in groupby(small, key=lambda pair: pair[0]) if list(last)]


def test_a_restart_after_any_frame_changes_nothing(undisturbed: list[tuple[Lane, Frame]], inputs: list[FileRecord], registry: Registry, pack: Pack):
    """The lane is thrown away after every 97 records and opened again from what its frames made durable."""
    restarted: list[tuple[int, Output]] = []
    for number in range(registry.partitions):
        durable: dict[bytes, bytes] = {}
        while True:
            lane = Lane(number, registry, pack, dict(durable))
            _load(lane, inputs, registry)
            frame = lane.frame(97)
            if frame is None:
                break
            restarted += [(number, output) for output in frame.outputs if output.topic in RESULTS]
            durable.update({key: value for key, value in frame.changelog.items() if value is not None})
    for topic in RESULTS:
        assert [pair for pair in restarted if pair[1].topic == topic] == outputs(iter(undisturbed), topic)


@pytest.mark.parametrize("seldom_from", [6, 1_000_000])
def test_customers_who_do_not_all_fit_in_hand_are_kept_compressed_and_come_to_the_same(
    monkeypatch: pytest.MonkeyPatch, undisturbed: list[tuple[Lane, Frame]], inputs: list[FileRecord], registry: Registry, pack: Pack, seldom_from: int
):
    monkeypatch.setattr(in_hand_module, "_IN_HAND", 3)
    monkeypatch.setattr(in_hand_module, "COMPRESSED_FROM", 6)
    monkeypatch.setattr(in_hand_module, "SELDOM_FROM", seldom_from)
    crowded = list(replay(inputs, registry, pack, RECEIVED, 7))
    for topic in RESULTS:
        assert outputs(iter(crowded), topic) == outputs(iter(undisturbed), topic)
    large = {lane.number: lane for lane, _ in undisturbed}
    for lane in {lane.number: lane for lane, _ in crowded}.values():
        compressed, plain = lane.states, large[lane.number].states
        assert len(compressed) > 6
        assert {key: (wake_of(value), decode_state(value).packed()) for key, value in compressed.items()} == {
            key: (wake_of(value), decode_state(value).packed()) for key, value in plain.items()
        }
        assert sum(map(len, compressed.values())) < 0.8 * sum(map(len, plain.values()))


def test_the_journal_replayed_gives_the_same_metrics_and_alerts(undisturbed: list[tuple[Lane, Frame]], registry: Registry, pack: Pack):
    original = undisturbed
    again: list[tuple[Lane, Frame]] = []
    for number in range(registry.partitions):
        lane = Lane(number, registry, pack, {})
        entries = [entry for partition, entry in _entries(original) if partition == number]
        again += [(lane, frame) for frame in lane.replay(entries, 500)]
    for topic in ("customer-metrics", "alerts"):
        assert outputs(iter(again), topic) == outputs(iter(original), topic)
    assert _entries(again) == _entries(original)


def test_a_lane_does_not_open_on_states_of_another_form(undisturbed: list[tuple[Lane, Frame]], registry: Registry, pack: Pack):
    lane, frame = undisturbed[-1]
    record = decode_record(frame.changelog[KEY] or b"")
    Lane(lane.number, registry, pack, lane.states | {KEY: encode_record(record)})
    unsaid = msgspec.msgpack.encode(msgspec.msgpack.decode(encode_record(record))[:-1])
    with pytest.raises(ValueError, match=f"stored in form 1, this version reads forms {FORMS_READ[0]} to {FORM}"):
        Lane(lane.number, registry, pack, lane.states | {KEY: unsaid})


def test_a_lane_that_opens_on_an_earlier_form_writes_its_own(registry: Registry, pack: Pack):
    bank = Bank(pack)
    bank.transaction("c1", "5.00", "card_purchase", "2026-01-01T10:00:00")
    record = decode_record(bank.frames[-1].changelog[KEY] or b"")
    record.state_form = FORMS_READ[0]
    lane = Lane(0, bank.lane.registry, pack, bank.lane.states | {KEY: encode_record(record)})
    for kind in registry.inputs:
        lane.ended(kind, True)
    lane.offer("transaction", [InputRecord(7, RECEIVED, b"c1", b"not an event")])
    frame = lane.frame(10)
    assert frame is not None
    assert decode_record(frame.changelog[KEY] or b"").state_form == FORM


def test_a_gap_in_a_journal_is_refused(registry: Registry, pack: Pack):
    with pytest.raises(ValueError, match="expected 0"):
        list(Lane(0, registry, pack, {}).replay([JournalEntry("tick", 5, 0, b"{}")], 10))


def test_every_record_ends_as_exactly_one_outcome(undisturbed: list[tuple[Lane, Frame]], inputs: list[FileRecord]):
    frames = undisturbed
    counted: Counter[str] = Counter()
    for lane in {id(lane): lane for lane, _ in frames}.values():
        for progress in lane.record.inputs.values():
            assert progress.next - progress.start == sum(getattr(progress, outcome) for outcome in OUTCOMES) + progress.gaps
            counted.update({outcome: getattr(progress, outcome) for outcome in OUTCOMES})
    assert sum(counted.values()) == len(inputs)
    assert all(counted[outcome] for outcome in OUTCOMES)
    assert counted["applied"] == len(_entries(frames))
    assert counted["dead_lettered"] == len(outputs(iter(frames), "dead-letters"))
    assert counted["late"] == len(outputs(iter(frames), "late-events"))


def test_offsets_without_records_are_gaps_not_losses(registry: Registry, pack: Pack):
    lane = Lane(0, registry, pack, {})
    for kind in registry.inputs:
        lane.ended(kind, True)
    bank = Bank(pack)
    bank.transaction("c1", "5.00", "card_purchase", "2026-01-01T10:00:00")
    bank.transaction("c1", "6.00", "card_purchase", "2026-01-02T10:00:00")
    first, second = [
        entry.value for _, output in enumerate(bank.outputs("journal")) for entry in read_chunk(output.value or b"") if entry.kind == "transaction"
    ]
    lane.offer("transaction", [InputRecord(10, RECEIVED, b"c1", first), InputRecord(14, RECEIVED, b"c1", second)])
    frame = lane.frame(100)
    assert frame is not None
    progress = decode_record(frame.changelog[KEY] or b"").inputs["transaction"]
    assert (progress.start, progress.next, progress.applied, progress.gaps) == (10, 15, 2, 3)


def test_a_processor_bug_costs_one_event(monkeypatch: pytest.MonkeyPatch, pack: Pack):
    bank = Bank(pack)
    bank.transaction("c1", "100.00", "card_purchase", "2026-01-01T10:00:00")
    real = CustomerInHand.apply

    def buggy(self: CustomerInHand, kind, event, at, position):  # type: ignore[no-untyped-def]
        families = real(self, kind, event, at, position)
        if event.event_id == "poison":
            raise ZeroDivisionError("half applied")
        return families

    monkeypatch.setattr(CustomerInHand, "apply", buggy)
    before = bank.lane.states[b"c1"]
    bank.transaction("c1", "900.00", "card_purchase", "2026-01-01T11:00:00", event_id="poison")
    assert bank.lane.states[b"c1"] == before
    bank.transaction("c1", "7.00", "card_purchase", "2026-01-01T12:00:00")
    assert bank.metrics("c1")["flow.out.amount.1d"] == 10_700
    [letter] = bank.outputs("dead-letters")
    headers = dict(letter.headers)
    assert headers["fenghuo.errors.stage"] == b"process"
    assert headers["fenghuo.errors.exception.class.name"] == b"ZeroDivisionError"
    assert decode("transaction", letter.key, letter.value).event_id == "poison"
    transactions = Counter(outcome for frame in bank.frames for (kind, outcome), n in frame.counts.items() if kind == "transaction")
    assert transactions == {"applied": 2, "dead_lettered": 1}


def test_a_poison_event_takes_nothing_of_its_own_frame_with_it(monkeypatch: pytest.MonkeyPatch, inputs: list[FileRecord], registry: Registry, pack: Pack):
    """With every 50th transaction failing half-way, frames of 1 and of 5,000 agree: the good ones before it are applied again."""
    real = CustomerInHand.apply

    def buggy(self: CustomerInHand, kind, event, at, position):  # type: ignore[no-untyped-def]
        families = real(self, kind, event, at, position)
        if kind == "transaction" and hash_of(event.event_id) % 50 == 0:
            raise RuntimeError
        return families

    def hash_of(text: str) -> int:
        return zlib.crc32(text.encode())

    monkeypatch.setattr(CustomerInHand, "apply", buggy)
    one, many = (list(replay(inputs, registry, pack, RECEIVED, limit)) for limit in (1, 5000))
    assert len([output for _, output in outputs(iter(many), "dead-letters") if dict(output.headers)["fenghuo.errors.stage"] == b"process"]) > 20
    for topic in RESULTS:
        assert outputs(iter(one), topic) == outputs(iter(many), topic)


def test_a_rule_that_fails_as_the_clock_passes_is_reported_and_costs_no_customer(monkeypatch: pytest.MonkeyPatch, pack: Pack):
    bank = Bank(pack)
    bank.transaction("c1", "100.00", "card_purchase", "2026-01-01T10:00:00")
    with monkeypatch.context() as patch:
        patch.setattr(Warnings, "clock_passed", lambda *_: 1 / 0)
        bank.clock("2026-01-03T00:00:00")
    [letter] = bank.outputs("dead-letters")
    assert dict(letter.headers)["fenghuo.errors.stage"] == b"clock"
    assert bank.frames[-1].dead_letters_in_a_row == 1
    bank.clock("2026-01-05T00:00:00")
    assert [snapshot.customer_id for snapshot in bank.snapshots()] == ["c1"]


def test_snapshots_and_rules_read_the_same_values(undisturbed: list[tuple[Lane, Frame]], pack: Pack):
    """The one-pass snapshot leaves out zeros and empty families; all it states is what a rule would read."""
    lanes = {lane.number: lane for lane, _ in undisturbed}
    for lane in lanes.values():
        for key, value in lane.states.items():
            customer = CustomerInHand(key.decode(), decode_state(value), pack, lane.calendar, 0)
            facts = CustomerFacts(customer)
            stated = msgspec.json.decode(snapshot(customer, 0, 0))["metrics"]
            for name in COMPUTED:
                assert stated.get(name, facts[name]) == facts[name]
                if name not in stated:
                    assert not facts[name], name


def _entries(frames: list[tuple[Lane, Frame]]) -> list[tuple[int, JournalEntry]]:
    return [(number, entry) for number, output in outputs(iter(frames), "journal") for entry in read_chunk(output.value or b"")]


def _load(lane: Lane, inputs: list[FileRecord], registry: Registry) -> None:
    kinds: dict[str, EventKind] = {topic.short: kind for kind, topic in registry.inputs.items()}
    held: dict[EventKind, list[InputRecord]] = {kind: [] for kind in registry.inputs}
    for item in inputs:
        if item.partition == lane.number:
            records = held[kinds[item.topic]]
            records.append(InputRecord(len(records), RECEIVED, item.key, item.value))
    for kind, records in held.items():
        lane.offer(kind, records)
        lane.ended(kind, True)


def _crowd(bank: Bank, last: str) -> list[tuple[EventKind, InputRecord]]:
    """Fifty customers active on one day, then one record of the next, which closes it."""
    for number in range(50):
        bank.transaction(f"c{number:02}", "5.00", "card_purchase", f"2026-03-02T10:00:{number:02}")
    if last == "tick":
        bank.clock("2026-03-03T12:00:00")
    else:
        bank.event("interaction", "c07", "2026-03-03T09:00:00", kind="login")
    entries = [entry for output in bank.outputs("journal") for entry in read_chunk(output.value or b"")]
    records: list[tuple[EventKind, InputRecord]] = []
    for entry in entries:
        if entry.kind != "tick" or last == "tick":
            key = b"0" if entry.kind == "tick" else msgspec.json.decode(entry.value)["customer_id"].encode()
            records.append((entry.kind, InputRecord(sum(kind == entry.kind for kind, _ in records), RECEIVED, key, entry.value)))
    return records


def _run(records: list[tuple[EventKind, InputRecord]], limit: int, pack: Pack, *, restarted: bool, late_comer: InputRecord | None = None) -> list[Frame]:
    """Frames of one partition; with a lane opened anew after each, and a record that was not there at first."""
    registry = load_registry(partitions=1)
    durable: dict[bytes, bytes] = {}
    frames: list[Frame] = []
    lane: Lane | None = None
    while True:
        if lane is None or restarted:
            lane = Lane(0, registry, pack, dict(durable))
            for kind in registry.inputs:
                lane.offer(kind, [record for of, record in records if of == kind])
                lane.ended(kind, True)
            if late_comer is not None and lane.record.waiting is not None:
                lane.offer("complaint", [late_comer])
        frame = lane.frame(limit)
        if frame is None:
            assert all(lane.in_hand(kind) == 0 for kind in registry.inputs)
            return frames
        frames.append(frame)
        durable.update({key: value for key, value in frame.changelog.items() if value is not None})


@pytest.mark.parametrize("last", ["tick", "event"])
@pytest.mark.parametrize("restarted", [False, True])
def test_a_day_that_closes_for_a_crowd_is_written_in_many_frames(pack: Pack, last: str, restarted: bool):
    records = _crowd(Bank(pack), last)
    (whole,) = _run(records, 10_000, pack, restarted=False)
    frames = _run(records, 7, pack, restarted=restarted)
    assert max(len([output for output in frame.outputs if output.topic == "customer-metrics"]) for frame in frames) == 7
    assert sum(frame.records for frame in frames) == whole.records == len(records)
    for topic in ("customer-metrics", "alerts"):
        assert [output for frame in frames for output in frame.outputs if output.topic == topic] == [o for o in whole.outputs if o.topic == topic]
    journal = [entry for frame in frames for output in frame.outputs if output.topic == "journal" for entry in read_chunk(output.value or b"")]
    assert journal == [entry for output in whole.outputs if output.topic == "journal" for entry in read_chunk(output.value or b"")]


def test_what_arrives_while_a_record_waits_comes_after_it(pack: Pack):
    """The waiting record's place is settled: its clock has been acted on, and a replay of the journal must do the same in the same order."""
    bank = Bank(pack)
    records = _crowd(bank, "event")
    bank.complaint("c03", "case-1", "received", "2026-03-03T08:00:00")
    value = next(entry.value for output in bank.outputs("journal") for entry in read_chunk(output.value or b"") if entry.kind == "complaint")
    frames = _run(records, 7, pack, restarted=True, late_comer=InputRecord(0, RECEIVED, b"c03", value))
    journal = [entry for frame in frames for output in frame.outputs if output.topic == "journal" for entry in read_chunk(output.value or b"")]
    assert [entry.kind for entry in journal[-2:]] == ["interaction", "complaint"]
    replayed = list(Lane(0, load_registry(partitions=1), pack, {}).replay(journal, 7))
    for topic in ("customer-metrics", "alerts"):
        found = [output for frame in frames for output in frame.outputs if output.topic == topic]
        assert [output for frame in replayed for output in frame.outputs if output.topic == topic] == found


def test_a_day_stands_as_it_ended_though_the_customer_goes_on_before_the_clock_is_past_midnight(pack: Pack):
    """The clock is five minutes behind the events: at one past midnight it has not closed the day."""
    lane = Lane(0, load_registry(partitions=1), pack, {})
    for kind in lane.registry.inputs:
        lane.ended(kind, True)
    values = [
        msgspec.json.encode(
            {"event_id": f"t{n}", "customer_id": "c1", "occurred_at": at, "source": "core", "account_id": "a1", "amount": "10.00", "currency": "CNY"}
            | {"direction": "out", "kind": "card_purchase", "balance_after": balance}
        )
        for n, (at, balance) in enumerate([("2026-03-02T10:00:00+08:00", "90.00"), ("2026-03-03T00:01:00+08:00", "80.00")])
    ]
    lane.offer("transaction", [InputRecord(n, RECEIVED, b"c1", value) for n, value in enumerate(values)])
    frame = lane.frame(10)
    assert frame is not None
    (closed,) = [msgspec.json.decode(output.value or b"") for output in frame.outputs if output.topic == "customer-metrics"]
    assert (closed["business_day"], closed["as_of"], closed["position"]) == ("2026-03-02", "2026-03-02T15:59:59.999Z", 1)
    assert (closed["metrics"]["balance.current"], closed["metrics"]["flow.out.count.30d"]) == (9000, 1)
    lane.offer("tick", [InputRecord(0, RECEIVED, b"0", b'{"event_id":"k","occurred_at":"2026-03-05T00:00:00+08:00","source":"clock","partition":0}')])
    frame = lane.frame(10)
    assert frame is not None
    (following,) = [msgspec.json.decode(output.value or b"") for output in frame.outputs if output.topic == "customer-metrics"]
    assert (following["business_day"], following["metrics"]["balance.current"], following["revision"]) == ("2026-03-03", 8000, 2)
