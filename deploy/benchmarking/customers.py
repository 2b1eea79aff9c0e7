"""What a worker's customers cost: memory, opening and CPU per event from a thousand customers to a million, and a restart on a real broker.

Every customer has the state of a simulated one after a year. Events come as customers with 20 transactions a month send them, each from
a customer drawn at random, so with many customers nearly every event must first decode its own; then the day closes for all who were active.
All sizes live whole days, so that an event has as many snapshots among a million customers as among a thousand.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import cycle, islice
from multiprocessing import get_context
from pathlib import Path
from random import Random
from typing import Any, Final

from confluent_kafka import Producer

from alerting.pack import Pack, load_pack
from deploy.benchmarking.brokers import prepare, running, worker_command, worker_environ
from deploy.benchmarking.figures import table
from deploy.benchmarking.process import MeasuredProcess, Watch, require_proc
from deploy.benchmarking.workload import bank
from deploy.collector import slow_collector
from schemas.localtime import Day, Instant, to_datetime
from schemas.topics import load_registry, partition_of
from streams.customer.in_hand import COMPRESSED_FROM
from streams.customer.state import FORM, decode, encode, wake_of
from streams.lane import Lane
from streams.partition_record import KEY, PartitionRecord, decode_record, encode_record
from streams.records import InputRecord
from streams.replay import replay

_RECEIVED_AT: Final = 1 << 45
_MONTHS: Final = 12
_TEMPLATE_EVENTS: Final = 30_000
_FRAME: Final = 5_000
_PER_DAY: Final = 20 / 30
_LEAST_EVENTS: Final = 20_000
_RESTART_EVENTS: Final = 2_000
_SEED: Final = 7
_MIB: Final = 1 << 20


@dataclass(frozen=True)
class Templates:
    """States of simulated customers after a year, as if nothing of the inputs had been read yet, and the clock that they stand at."""

    states: list[bytes]
    record: bytes
    clock: Instant

    @classmethod
    def simulated(cls, pack: Pack) -> Templates:
        """From a bank that lives for a year on one partition."""
        registry = load_registry(partitions=1)
        *_, (lane, _frame) = replay(bank(_TEMPLATE_EVENTS, registry, _MONTHS), registry, pack, _RECEIVED_AT)
        states = []
        for value in lane.states.values():
            state = decode(value)
            state.offsets = {}
            states.append(encode(state, wake_of(value)))
        watermark = lane.record.watermark
        assert watermark.clock is not None
        return cls(states, encode_record(PartitionRecord(watermark, state_form=FORM)), watermark.clock)

    def customers(self, count: int, partitions: int = 1) -> Iterator[tuple[bytes, bytes]]:
        """Key and state of each, as a lane keeps them where so many share these partitions; no two sharing memory."""
        states = [encode(decode(value), wake_of(value), compressed=True) for value in self.states] if count >= partitions * COMPRESSED_FROM else self.states
        for number, value in zip(range(count), cycle(states), strict=False):
            yield _key(number), bytes(bytearray(value))


def bench_customers(most: int, restart: bool, folder: Path, progress: Callable[[str], None]) -> dict[str, Any]:
    """Measure in powers of ten from a thousand customers to ``most``, each in a process of its own; with ``restart``, the largest on Kafka too."""
    require_proc()
    progress("customers: simulating a bank over a year")
    templates = Templates.simulated(load_pack("bank-cn"))
    sizes = [size for power in range(3, 10) if (size := 10**power) <= most] or [most]
    figures: dict[str, Any] = {"mean_state_bytes": round(sum(map(len, templates.states)) / len(templates.states)), "core": []}
    with ProcessPoolExecutor(1, get_context("spawn"), max_tasks_per_child=1) as alone:
        for size in sizes:
            progress(f"customers: {size:,}")
            figures["core"].append(alone.submit(_core, size, templates).result())
    if restart:
        progress(f"customers: {sizes[-1]:,} in a changelog on Apache Kafka, then a worker's start")
        figures["restart"] = _restart(sizes[-1], templates, folder)
    return figures


def customers_text(figures: dict[str, Any]) -> str:
    """The figures as tables."""
    headings = [
        "customers",
        "resident MiB",
        "most in the run",
        "opened in s",
        "CPU us per event",
        "snapshots per event",
        "changelog bytes per event",
        "largest frame MiB",
    ]
    rows = [
        [
            f"{one['customers']:,}",
            f"{one['resident_mib']:,.0f}",
            f"{one['most_resident_mib']:,.0f}",
            f"{one['opened_seconds']:.2f}",
            f"{one['cpu_us_per_event']:.0f}",
            f"{one['snapshots_per_event']:.2f}",
            f"{one['changelog_bytes_per_event']:,.0f}",
            f"{one['largest_frame_mib']:.1f}",
        ]
        for one in figures["core"]
    ]
    text = table(headings, rows)
    if restart := figures.get("restart"):
        text += "\n\n" + table(
            ["a worker's start on Apache Kafka 4.1", ""],
            [
                ["customers in the changelog", f"{restart['customers']:,}"],
                ["from the start of the process to the first frame durable", f"{restart['first_frame_seconds']:.1f} s"],
                ["peak memory of the worker", f"{restart['peak_mib']:,.0f} MiB"],
            ],
        )
    return text


def _core(size: int, templates: Templates) -> dict[str, Any]:
    pack, registry = load_pack("bank-cn"), load_registry(partitions=1)
    before = _resident()
    states = dict(templates.customers(size))
    states[KEY] = templates.record
    began = time.perf_counter()
    lane = Lane(0, registry, pack, states)
    opened = time.perf_counter() - began
    slow_collector()
    resident = _resident() - before
    for kind in registry.inputs:
        lane.ended(kind, True)
    events = snapshots = changed = largest = most_resident = 0
    used = 0.0
    for kind, records in _load(size, templates.clock, pack):
        lane.offer(kind, records)
        most_resident = max(most_resident, _resident() - before)
        began = time.process_time()
        while (frame := lane.frame(_FRAME)) is not None:
            used += time.process_time() - began
            events += frame.records
            snapshots += sum(output.topic == "customer-metrics" for output in frame.outputs)
            state_bytes = sum(len(value) for value in frame.changelog.values() if value)
            changed += state_bytes
            largest = max(largest, state_bytes + sum(len(output.value or b"") for output in frame.outputs))
            began = time.process_time()
    return {
        "customers": size,
        "events": events,
        "resident_mib": round(resident / _MIB, 1),
        "most_resident_mib": round(most_resident / _MIB, 1),
        "opened_seconds": round(opened, 3),
        "cpu_us_per_event": round(used / events * 1e6, 1),
        "snapshots_per_event": round(snapshots / events, 3),
        "changelog_bytes_per_event": round(changed / events),
        "largest_frame_mib": round(largest / _MIB, 2),
    }


def _load(size: int, clock: Instant, pack: Pack) -> Iterator[tuple[Any, list[InputRecord]]]:
    """Batches as a poll would bring them: whole days, each closed by a tick."""
    random = Random(_SEED)
    sent = {"transaction": 0, "tick": 0}
    day = pack.time.day(clock) + 1
    while sent["transaction"] < _LEAST_EVENTS:
        count = max(1, round(size * _PER_DAY))
        events = _transactions(day, count, size, random, pack)
        while batch := [InputRecord(sent["transaction"] + n, _RECEIVED_AT, key, value) for n, (key, value) in enumerate(islice(events, _FRAME))]:
            sent["transaction"] += len(batch)
            yield "transaction", batch
        day += 1
        moment = to_datetime(pack.time.start(day) + pack.snapshot_within_ms).isoformat()
        value = f'{{"event_id":"tick-{day}","occurred_at":"{moment}","source":"bench","partition":0}}'.encode()
        yield "tick", [InputRecord(sent["tick"], _RECEIVED_AT, b"0", value)]
        sent["tick"] += 1


def _transactions(day: Day, count: int, size: int, random: Random, pack: Pack) -> Iterator[tuple[bytes, bytes]]:
    """Key and value of card purchases spread over a day."""
    start = to_datetime(pack.time.start(day)).astimezone(UTC)
    for number in range(count):
        key = _key(random.randrange(size))
        customer = key.decode()
        yield key, _purchase(customer, f"{day}-{number}", start + timedelta(days=1) * number / count, random)


def _purchase(customer: str, event: str, at: datetime, random: Random) -> bytes:
    return (
        f'{{"event_id":"{event}","customer_id":"{customer}","occurred_at":"{at:%Y-%m-%dT%H:%M:%SZ}","source":"core","account_id":"a-{customer}",'
        f'"amount":"{random.randrange(100, 99_999) / 100:.2f}","currency":"CNY","direction":"out","kind":"card_purchase","channel":"pos",'
        f'"balance_after":"20000.00"}}'
    ).encode()


def _key(number: int) -> bytes:
    return b"c%09d" % number


def _resident() -> int:
    """Resident memory of this process in bytes."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGESIZE")


def _restart(size: int, templates: Templates, folder: Path) -> dict[str, Any]:
    with running("kafka", folder / "customers") as servers:
        kafka = prepare(servers, "bench")
        registry = kafka.registry()
        producer = Producer({"bootstrap.servers": servers, "compression.type": "lz4", "linger.ms": 20, "queue.buffering.max.kbytes": 1 << 18})
        changelog = registry.name("customer-changelog")
        for key, value in templates.customers(size, registry.partitions):
            _produce(producer, changelog, partition_of(key, registry.partitions), key, value)
        for number in range(registry.partitions):
            _produce(producer, changelog, number, KEY, templates.record)
        random = Random(_SEED)
        at = to_datetime(decode_record(templates.record).watermark.high or 0)
        for number in range(_RESTART_EVENTS):
            key = _key(random.randrange(size))
            value = _purchase(key.decode(), f"restart-{number}", at, random)
            _produce(producer, registry.inputs["transaction"].name, partition_of(key, registry.partitions), key, value)
        producer.flush()
        watch = Watch(servers, "bench-customer", [topic.name for topic in registry.inputs.values()], registry.partitions)
        began = time.monotonic()
        with MeasuredProcess("the worker", worker_command(), worker_environ(kafka), folder / "restarted") as process:
            seconds = watch.until(process, 1) - began
            watch.until(process, _RESTART_EVENTS)
            process.cpu_seconds()
            return {"customers": size, "events": _RESTART_EVENTS, "first_frame_seconds": round(seconds, 1), "peak_mib": round(process.peak_bytes / _MIB)}


def _produce(producer: Producer, topic: str, partition: int, key: bytes, value: bytes) -> None:
    while True:
        try:
            producer.produce(topic, key=key, value=value, partition=partition)
        except BufferError:
            producer.poll(0.1)
        else:
            producer.poll(0)
            return
