"""One order for six topics that depends on their contents alone, however they arrive."""

from __future__ import annotations

import gc
import random
from typing import Any

import msgspec
import pytest

from schemas.codec import decode
from schemas.events import AnyEvent, EventKind
from schemas.localtime import DAY_MS, to_datetime, to_instant
from streams.merge import RANK, Merge
from streams.records import InputRecord

START = 1_750_000_000_000


def record(offset: int, at: int | None) -> InputRecord:
    """A complaint-topic record at a time; None: one that cannot be read."""
    if at is None:
        return InputRecord(offset, 0, b"c1", b"{not json")
    event = {
        "event_id": f"e{offset}",
        "customer_id": "c1",
        "source": "t",
        "occurred_at": to_datetime(START + at).isoformat(),
        "case_id": "k",
        "step": "received",
    }
    return InputRecord(offset, 0, b"c1", msgspec.json.encode(event))


def read(_kind: EventKind, item: Any) -> tuple[AnyEvent, int]:
    event = decode("complaint", item.key, item.value)
    return event, to_instant(event.occurred_at)


def drained(merge: Merge) -> list[tuple[str, int]]:
    order = []
    while (head := merge.next()) is not None:
        order.append((head.kind, head.record.offset))
    return order


def merged(topics: dict[EventKind, list[int | None]], portions: random.Random | None = None) -> list[tuple[str, int]]:
    """The order of whole topics; offered all at once, or in random portions with the end known only at the end."""
    merge = Merge(read, {})
    queues = {kind: [record(offset, at) for offset, at in enumerate(topics.get(kind, []))] for kind in RANK}
    order = []
    while portions is not None and any(queues.values()):
        kind = portions.choice([kind for kind, queue in queues.items() if queue])
        size = portions.randint(1, len(queues[kind]))
        merge.offer(kind, queues[kind][:size])
        del queues[kind][:size]
        merge.ended(kind, portions.random() < 0.5 and not queues[kind])
        order += drained(merge)
    for kind, queue in queues.items():
        merge.offer(kind, queue)
        merge.ended(kind, True)
    return order + drained(merge)


def test_the_oldest_head_goes_first_and_ties_go_by_rank():
    assert merged({"transaction": [10, 30], "complaint": [20, 30], "customer": [30]}) == [
        ("transaction", 0),
        ("complaint", 0),
        ("customer", 0),
        ("transaction", 1),
        ("complaint", 1),
    ]


def test_nothing_is_handed_out_while_a_topic_may_still_hold_something_older():
    merge = Merge(read, {})
    merge.offer("transaction", [record(0, 10), record(1, 20)])
    for kind in RANK:
        merge.ended(kind, kind != "complaint")
    assert drained(merge) == []
    merge.offer("complaint", [record(0, 15), record(1, 40)])
    assert drained(merge) == [("transaction", 0), ("complaint", 0), ("transaction", 1), ("complaint", 1)]


def test_an_unreadable_record_keeps_its_place_in_its_topic():
    assert merged({"transaction": [10, None, 30], "complaint": [20]}) == [("transaction", 0), ("transaction", 1), ("complaint", 0), ("transaction", 2)]


def test_an_unreadable_record_leaves_nothing_to_the_collector():
    """A worker's collector comes once in hours: until then a cycle would keep the whole frame that the record was taken in."""
    gc.collect()
    gc.disable()
    try:
        merged({"transaction": [None] * 20})
        assert gc.collect() < 20
    finally:
        gc.enable()


def test_a_wild_timestamp_does_not_hold_back_what_stands_behind_it():
    wild = 400 * DAY_MS
    assert merged({"transaction": [0, wild, 10, 20], "complaint": [5, 15, 25]}) == [
        ("transaction", 0),
        ("complaint", 0),
        ("transaction", 1),
        ("transaction", 2),
        ("complaint", 1),
        ("transaction", 3),
        ("complaint", 2),
    ]


@pytest.mark.parametrize("seed", range(60))
def test_the_order_does_not_depend_on_how_the_records_arrive(seed: int):
    chance = random.Random(seed)
    topics: dict[EventKind, list[int | None]] = {}
    for kind in RANK:
        time, times = 0, []
        for _ in range(chance.choice([0, 1, 5, 40])):
            time += chance.choice([0, 1000, 60_000, DAY_MS // 2, 3 * DAY_MS])
            times.append(chance.choice([time, time, time, time - 30_000, time + 900 * DAY_MS, None]))
        topics[kind] = times
    expected = merged(topics)
    assert len(expected) == sum(map(len, topics.values()))
    for again in range(5):
        assert merged(topics, random.Random(seed * 100 + again)) == expected
