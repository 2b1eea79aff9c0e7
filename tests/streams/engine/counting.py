"""The smallest real processor: counts records per key and kind, in the exact order of the inputs' timestamps.

It keeps the same promises as the product's lane (positions in a partition record, guards in each state), so the engine's
guarantees can be tested without knowing what a customer is. Every applied record writes one output, keyed by where it came from.
Run as a program it is a worker process, for tests that kill it.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from confluent_kafka import Consumer, KafkaError, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from schemas.connection import KafkaSettings
from schemas.telemetry import Telemetry
from streams.engine.ports import Processor
from streams.engine.worker import Worker
from streams.records import Output, Record
from streams.settings import WorkerSettings

PARTITION_RECORD = b"\x00partition"


@dataclass
class CountingFrame:
    outputs: list[Output]
    changelog: dict[bytes, bytes | None]
    positions: dict[str, int]
    counts: Counter[tuple[str, str]]
    clock: int | None = None
    dead_letters_in_a_row: int = 0
    steps: int = 0


class CountingLane:
    """Counts; merges by record timestamp, as the product's lane merges by event time."""

    def __init__(self, kinds: Sequence[str], states: dict[bytes, bytes]) -> None:
        record = json.loads(states.pop(PARTITION_RECORD, b"{}"))
        self.positions: dict[str, int] = record.get("positions", {})
        self.total: int = record.get("total", 0)
        self.last: int = record.get("last", 0)
        self.out_of_order: int = record.get("out_of_order", 0)
        self.states = {key: json.loads(value) for key, value in states.items()}
        self._hand: dict[str, deque[Record]] = {kind: deque() for kind in kinds}
        self._ended = dict.fromkeys(kinds, False)

    def offer(self, kind: str, records: Sequence[Record]) -> None:
        first = self.positions.get(kind, 0)
        self._hand[kind].extend(record for record in records if record.offset >= first)

    def ended(self, kind: str, at_end: bool) -> None:
        self._ended[kind] = at_end

    def in_hand(self, kind: str) -> int:
        return len(self._hand[kind])

    def frame(self, limit: int) -> CountingFrame | None:
        outputs: list[Output] = []
        touched: set[bytes] = set()
        counts: Counter[tuple[str, str]] = Counter()
        for _ in range(limit):
            if any(not hand and not self._ended[kind] for kind, hand in self._hand.items()):
                break
            heads = [(hand[0].timestamp, kind) for kind, hand in self._hand.items() if hand]
            if not heads:
                break
            at, kind = min(heads)
            record = self._hand[kind].popleft()
            self.out_of_order += at < self.last
            self.last = max(self.last, at)
            self.positions[kind] = record.offset + 1
            key = record.key or b""
            state = self.states.setdefault(key, {"n": 0, "offsets": {}})
            counts[kind, "applied"] += 1
            if record.offset <= state["offsets"].get(kind, -1):
                continue
            state["n"] += 1
            state["offsets"][kind] = record.offset
            self.total += 1
            touched.add(key)
            outputs.append(Output("seen", f"{kind}@{record.offset}".encode(), key, []))
        if not counts:
            return None
        changelog: dict[bytes, bytes | None] = {key: json.dumps(self.states[key]).encode() for key in sorted(touched)}
        partition = {"positions": self.positions, "total": self.total, "last": self.last, "out_of_order": self.out_of_order}
        changelog[PARTITION_RECORD] = json.dumps(partition).encode()
        return CountingFrame(outputs, changelog, dict(self.positions), counts, steps=counts.total())


def counting(namespace: str, kinds: Sequence[str] = ("a",), partitions: int = 4) -> Processor:
    """The processor over one input topic per kind."""
    return Processor(
        name="counting",
        namespace=namespace,
        partitions=partitions,
        inputs={f"{namespace}.in-{kind}": kind for kind in kinds},
        changelog=f"{namespace}.changelog",
        topic_name=lambda short: f"{namespace}.{short}",
        lane_factory=lambda _number, states: CountingLane(kinds, states),
    )


def create_topics(servers: str, processor: Processor) -> None:
    admin = AdminClient({"bootstrap.servers": servers, "log_level": 0})
    names = [*processor.inputs, processor.changelog, processor.topic_name("seen")]
    for future in admin.create_topics(
        [NewTopic(name, processor.partitions, 1, config={"retention.ms": "-1"}) for name in names], operation_timeout=30
    ).values():
        future.result(30)


def fill(servers: str, processor: Processor, kind: str, times: range, keys: int = 1_000) -> None:
    """One record per instant in ms, keyed round robin, spread over the partitions."""
    topic = next(name for name, named in processor.inputs.items() if named == kind)
    producer = Producer(
        {"bootstrap.servers": servers, "enable.idempotence": True, "linger.ms": 5, "compression.type": "lz4", "queue.buffering.max.messages": 1_000_000}
    )
    for at in times:
        producer.produce(topic, b'{"n": 1}', b"k%d" % (at % keys), at % keys % processor.partitions, timestamp=at)
        if at % 10_000 == 0:
            producer.poll(0)
    assert producer.flush(60) == 0


def read_all(servers: str, topic: str, partitions: int) -> list[tuple[int, bytes | None, bytes | None]]:
    """Everything in a topic that a read_committed reader sees: (partition, key, value)."""
    consumer = Consumer(
        {"bootstrap.servers": servers, "group.id": "reader", "isolation.level": "read_committed", "enable.partition.eof": True, "auto.offset.reset": "earliest"}
    )
    consumer.assign([TopicPartition(topic, number, 0) for number in range(partitions)])
    found, ended = [], set()
    while len(ended) < partitions:
        for message in consumer.consume(20_000, 0.5):
            error = message.error()
            if error is None:
                found.append((message.partition(), message.key(), message.value()))
            elif error.code() == KafkaError._PARTITION_EOF:
                ended.add(message.partition())
    consumer.close()
    return found


def state_of(servers: str, processor: Processor) -> dict[int, dict[bytes, Any]]:
    """The newest value of every key of the changelog, per partition."""
    states: dict[int, dict[bytes, Any]] = {number: {} for number in range(processor.partitions)}
    for number, key, value in read_all(servers, processor.changelog, processor.partitions):
        if value is None:
            states[number].pop(key or b"", None)
        else:
            states[number][key or b""] = json.loads(value)
    return states


def total_of(states: dict[int, dict[bytes, Any]]) -> int:
    """How many records the states have counted."""
    return sum(state["n"] for by_key in states.values() for key, state in by_key.items() if key != PARTITION_RECORD)


def worker(servers: str, processor: Processor, telemetry: Telemetry | None = None, transactions: str = "auto", **settings: Any) -> Worker:
    """A worker that leaves when everything is applied."""
    kafka = KafkaSettings.model_validate(
        {"bootstrap_servers": servers, "namespace": processor.namespace, "partitions": processor.partitions, "transactions": transactions}
    )
    settings = {"session_timeout_seconds": 6, "rebalance_timeout_seconds": 5, **settings}
    until_drained = settings.pop("until_drained", True)
    return Worker(kafka, WorkerSettings.model_validate(settings), processor, telemetry or Telemetry(), until_drained=until_drained)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(relativeCreated)d %(process)d %(name)s %(message)s", stream=sys.stderr)
    options = json.loads(sys.argv[1])
    code = worker(options["servers"], counting(options["namespace"], options["kinds"], options["partitions"]), **options["settings"]).run()
    sys.stderr.flush()
    os._exit(code)
