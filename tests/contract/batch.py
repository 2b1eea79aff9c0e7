"""The one batch that every broker is given: a simulated bank, the table of bad input, and good events with something odd about them."""

from __future__ import annotations

from collections import Counter

import msgspec

from alerting.episode import alert_id
from deploy.inputs import to_records
from deploy.simulator import Parameters, Simulation
from schemas.topics import load_registry, partition_of
from tests.contract.bad_input import DAY, MARK, TABLE, complaint, encode, feedback, good, transaction
from tests.contract.harness import PARTITIONS, Given, Headers

CASH_ALERT = alert_id("anomaly.near-threshold-cash", "cash", "cash", 1)


def of(topic: str, customer: str, event: dict[str, object], headers: Headers | None = None) -> Given:
    """A record keyed and placed as an upstream's producer would."""
    return Given(topic, partition_of(customer.encode(), PARTITIONS), customer.encode(), encode(event), headers or [])


def bank() -> list[Given]:
    """Seven months of forty customers, in order of time; its topics differ in size by a factor of hundreds."""
    simulation = Simulation(Parameters(seed=31, customers=40, months=7))
    lines = (line for day in simulation.days() for line in day)
    return [Given(*record) for record in to_records(lines, load_registry(partitions=PARTITIONS))]


def bad_input() -> list[Given]:
    """All good events that go before, then bad and good ones in turn, so that no run of failures stands alone."""
    parts = [bad.records() for bad in TABLE]
    return [record for before, _, _ in parts for record in before] + [record for _, bad, after in parts for record in (bad, *after)]


def odd_but_good() -> list[Given]:
    """Events to be applied, skipped or set aside as late, each on a customer named for it."""
    copy = good("duplicate", 10, "5.00")
    steps = [
        of("complaints", "out-of-order", complaint("out-of-order") | {"event_id": "o-2", "step": "answered", "occurred_at": f"{DAY}T12:00:00+08:00"}),
        of("complaints", "out-of-order", complaint("out-of-order") | {"event_id": "o-1", "occurred_at": f"{DAY}T10:00:00+08:00"}),
    ]
    escaped = transaction("escaped") | {"event_id": "escaped", "amount": "1.00", "description": "a\u0000b\n\u2028😀"}
    cash = [good("cash", hour, "48000.00", kind="deposit", direction="in") for hour in (8, 9, 10)]
    said = feedback("cash") | {"event_id": "said", "alert_id": CASH_ALERT, "occurred_at": f"{DAY}T13:00:00+08:00"}
    return [
        *(copy, copy, good("duplicate", 10, "7.00")),
        *steps,
        good("unknown-fields", 10, "3.00", branch_mood={"level": [1, {"deep": MARK}]}, card_scheme="UnionPay"),
        of("transactions", "escaped", escaped),
        of("transactions", "pretty", transaction("pretty") | {"event_id": "pretty", "amount": "1.00"})._replace(
            value=msgspec.json.format(encode(transaction("pretty") | {"event_id": "pretty", "amount": "1.00"}))
        ),
        good("traced", 10, "1.00")._replace(headers=[("traceparent", b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")]),
        good("traced", 11, "1.00")._replace(headers=[("traceparent", None)]),
        good("traced", 12, "1.00")._replace(headers=[("traceparent", b"\xff\xfe")]),
        good("late", 10, "1.00"),
        good("late", 10, "9.00", "2025-06-01")._replace(headers=[("own", b"header")]),
        *cash,
        of("alert-feedback", "cash", said),
    ]


def ticks(at: str) -> list[Given]:
    """One tick for every partition."""
    return [
        Given("ticks", number, b"%d" % number, encode({"event_id": f"end-{at}-{number}", "occurred_at": at, "source": "test", "partition": number}))
        for number in range(PARTITIONS)
    ]


def whole() -> list[Given]:
    """Everything, with a tick at the end that lets the last day's metrics come out; and a tick that is addressed wrongly."""
    end = "2025-08-13T00:00:00+08:00"
    lost = Given("ticks", 0, b"0", encode({"event_id": "lost", "occurred_at": end, "source": "test", "partition": 1}))
    return bank() + bad_input() + odd_but_good() + [lost] + ticks(end)


def tail() -> list[Given]:
    """What comes after the first run: one more good event for every customer of the table, and a tick."""
    return [good(bad.customer, 9, "0.50", "2025-08-14") for bad in TABLE] + ticks("2025-08-16T00:00:00+08:00")


def offset_of(wanted: Given, records: list[Given]) -> int:
    """The offset that a broker gives the record."""
    counted: Counter[tuple[str, int]] = Counter()
    for record in records:
        if record is wanted:
            return counted[record.topic, record.partition]
        counted[record.topic, record.partition] += 1
    raise KeyError("not in the batch")
