"""One contract, three brokers: publish bytes, run the worker until drained, read what came out.

In memory the lanes are the engine itself; on the embedded broker and on a real Kafka it is ``fenghuo worker`` as a process.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, Protocol

from confluent_kafka import Producer

from alerting.pack import load_pack
from deploy.embedded.broker import EmbeddedBroker
from deploy.pipeline.children import Child, Children
from deploy.pipeline.reading import TopicReader
from deploy.real_kafka.cluster import free_port
from deploy.topic_plan import Topics
from schemas.connection import KafkaSettings
from schemas.events import EventKind
from schemas.journal import JournalEntry, read_chunk
from schemas.topics import Registry, load_registry
from streams.lane import Lane
from streams.partition_record import KEY, PartitionRecord, decode_record
from streams.records import InputRecord, Output

PARTITIONS = 3
RESULTS = ("customer-metrics", "alerts", "dead-letters", "late-events")
RECEIVED = 1_790_000_000_000  # September 2026: the broker's time of every record in memory
Headers = list[tuple[str, bytes | None]]


class Given(NamedTuple):
    """One record to publish: bytes as an upstream system would send them."""

    topic: str
    partition: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]] = ()


@dataclass
class Outcome:
    """What there is after a run: outputs by topic and partition in their order, the journal, the accounts and the worker's log."""

    outputs: dict[str, dict[int, list[Output]]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(list)))
    journal: dict[int, list[JournalEntry]] = field(default_factory=lambda: defaultdict(list))
    accounts: dict[int, PartitionRecord] = field(default_factory=dict)
    log: str = ""

    def of(self, topic: str) -> list[tuple[int, Output]]:
        """All outputs of a topic, each with its partition."""
        return [(number, output) for number in range(PARTITIONS) for output in self.outputs[topic][number]]


class Harness(Protocol):
    """A broker and the worker on it."""

    def publish(self, records: Sequence[Given]) -> None: ...
    def work(self) -> Outcome:
        """Run the worker until everything there is has been applied; all that came out so far."""
        ...


class InMemory:
    """The engine on records at rest. A run opens its lanes from what earlier ones made durable, as a restarted worker would."""

    def __init__(self) -> None:
        self._registry = load_registry(partitions=PARTITIONS)
        self._pack = load_pack("bank-cn")
        self._topics: dict[tuple[EventKind, int], list[InputRecord]] = defaultdict(list)
        self._durable: list[dict[bytes, bytes]] = [{} for _ in range(PARTITIONS)]
        self._outcome = Outcome()

    def publish(self, records: Sequence[Given]) -> None:
        kinds = {topic.short: kind for kind, topic in self._registry.inputs.items()}
        for record in records:
            log = self._topics[kinds[record.topic], record.partition]
            log.append(InputRecord(len(log), RECEIVED, record.key, record.value, record.headers))  # type: ignore[arg-type]  # Kafka has null headers

    def work(self) -> Outcome:
        for number, durable in enumerate(self._durable):
            lane = Lane(number, self._registry, self._pack, dict(durable))
            for kind in self._registry.inputs:
                lane.offer(kind, self._topics[kind, number])
                lane.ended(kind, True)
            while (frame := lane.frame(1000)) is not None:
                durable.update({key: value for key, value in frame.changelog.items() if value is not None})
                for output in frame.outputs:
                    _take(self._outcome, number, output)
            self._outcome.accounts[number] = decode_record(durable[KEY])
        return self._outcome


class OnBroker:
    """``fenghuo worker --until-drained`` as a process, on topics as ``fenghuo topics apply`` makes them."""

    def __init__(self, servers: str, namespace: str, folder: Path) -> None:
        self._kafka = KafkaSettings(bootstrap_servers=servers, namespace=namespace, partitions=PARTITIONS)
        self._registry: Registry = self._kafka.registry()
        self._folder = folder
        self._runs = 0
        topics = Topics(self._kafka)
        topics.apply(topics.plan())

    def publish(self, records: Sequence[Given]) -> None:
        producer = Producer(self._kafka.client_config() | {"enable.idempotence": True, "linger.ms": 20, "compression.type": "lz4"})
        failures: list[object] = []
        for topic, partition, key, value, headers in records:
            name = self._registry.name(topic)
            producer.produce(name, value, key, partition, on_delivery=lambda error, _: error and failures.append(error), headers=list(headers))
            producer.poll(0)
        assert producer.flush(60) == 0
        assert failures == []

    def work(self) -> Outcome:
        self._runs += 1
        environ = dict(os.environ) | {
            "FENGHUO_KAFKA__BOOTSTRAP_SERVERS": self._kafka.bootstrap_servers,
            "FENGHUO_KAFKA__NAMESPACE": self._kafka.namespace,
            "FENGHUO_KAFKA__PARTITIONS": str(PARTITIONS),
            "FENGHUO_WORKER__SESSION_TIMEOUT_SECONDS": "6",
            "FENGHUO_WORKER__FRAME_EVENTS": "500",
        }
        log = self._folder / f"worker-{self._runs}.log"
        with Children() as children:
            worker = children.add(Child("worker", ["worker", "--until-drained"], environ, log, free_port()))
            children.wait_until_done([worker], lambda: None, 0.1)
        outcome = Outcome(log=log.read_text())
        shorts = {self._registry.name(short): short for short in (*RESULTS, "journal", "customer-changelog")}
        reader = TopicReader(self._kafka)
        try:
            for message in reader.read(list(shorts), PARTITIONS):
                number, short = message.partition() or 0, shorts[message.topic() or ""]
                if short != "customer-changelog":
                    headers: Headers = message.headers() or []  # type: ignore[assignment]
                    _take(outcome, number, Output(short, message.key(), message.value(), headers))  # type: ignore[arg-type]
                elif message.key() == KEY:
                    outcome.accounts[number] = decode_record(message.value() or b"")
        finally:
            reader.close()
        return outcome


def _take(outcome: Outcome, number: int, output: Output) -> None:
    if output.topic == "journal":
        outcome.journal[number] += read_chunk(output.value or b"")
    else:
        outcome.outputs[output.topic][number].append(output)


@contextmanager
def embedded(namespace: str, folder: Path) -> Iterator[OnBroker]:
    """The embedded broker, for as long as the context lasts. Raises UserError where the platform has none."""
    with EmbeddedBroker(folder) as broker:
        yield OnBroker(broker.bootstrap_servers, namespace, folder)
