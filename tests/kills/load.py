"""A simulated bank whose events come in evenly while things go wrong, and a read_committed reader that watches what comes out."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from hashlib import blake2b
from itertools import islice, pairwise
from types import TracebackType
from typing import Any

import msgspec
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, TopicPartition

from deploy.inputs import InputRecord, to_records
from deploy.publish_inputs import InputPublisher
from deploy.simulator import Parameters, Simulation
from schemas import journal
from schemas.connection import KafkaSettings

#: Seconds between two portions.
BEAT = 0.05
#: Records by topic name and partition, each as a fingerprint, in the order in which they were published or are there.
Sequences = Mapping[tuple[str, int], list[bytes]]


def fingerprint(key: bytes | None, value: bytes | None) -> bytes:
    """What tells one record from another that is not its copy."""
    return blake2b(repr((key, value)).encode(), digest_size=8).digest()


class Load:
    """Publishes nine years in the life of a bank at ``rate`` records a second, a portion every ``beat`` seconds, until told to stop."""

    def __init__(self, kafka: KafkaSettings, rate: float, seed: int, customers: int, beat: float = BEAT) -> None:
        registry = kafka.registry()
        self._publisher = InputPublisher(kafka, registry)
        lives = (
            Simulation(Parameters(seed=seed + number, customers=customers, months=36, start=date(2015 + 3 * number, 1, 1), dirt=0.002)) for number in range(3)
        )
        self._names = {topic.short: topic.name for topic in registry.inputs.values()}
        self._published: dict[tuple[str, int], list[bytes]] = defaultdict(list)
        self._records = self._noted(record for life in lives for day in life.days() for record in to_records(day, registry))
        self._rate = rate
        self._beat = beat
        self._stop = threading.Event()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _noted(self, records: Iterator[InputRecord]) -> Iterator[InputRecord]:
        for record in records:
            self._published[self._names[record.topic], record.partition].append(fingerprint(record.key, record.value))
            yield record

    def _run(self) -> None:
        began, sent = time.monotonic(), 0
        try:
            while not self._stop.wait(self._beat):
                due = int((time.monotonic() - began) * self._rate) - sent
                before = self._publisher.sent
                self._publisher.publish(islice(self._records, due))
                sent += due
                assert self._publisher.sent - before == due, "the bank's life is over before the test is: give it more customers"
        except BaseException as error:
            self._failure = error

    def finish(self) -> Sequences:
        """Stop; what was published, every record of it confirmed by the brokers."""
        self._stop.set()
        self._thread.join(60)
        assert not self._thread.is_alive(), "the publisher is stuck"
        if self._failure is not None:
            raise self._failure
        assert self._publisher.finish() == sum(map(len, self._published.values()))
        return self._published

    def __enter__(self) -> Load:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stop.set()


class _Subject(msgspec.Struct):
    revision: int
    customer_id: str = ""
    alert_id: str = ""


_decode = msgspec.json.Decoder(_Subject).decode


class Watcher:
    """Reads the journal and the outputs as they become visible. What it sees twice, out of order or not at all it keeps as a fault."""

    def __init__(self, kafka: KafkaSettings) -> None:
        registry = kafka.registry()
        self._shorts = {registry.name(short): short for short in ("journal", "customer-metrics", "alerts")}
        self._numbers = range(registry.partitions)
        settings: dict[str, Any] = {
            "group.id": f"{kafka.namespace}-watcher",
            "isolation.level": "read_committed",
            "enable.auto.commit": False,
            "fetch.wait.max.ms": 20,
            "log_level": 0,
        }
        self._consumer = Consumer(kafka.client_config() | settings)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._seen: list[list[tuple[float, float]]] = [[] for _ in self._numbers]
        self._positions: dict[int, int] = defaultdict(int)
        self._revisions: dict[tuple[str, str], int] = {}
        self.alerts = 0
        self.faults: list[str] = []

    def _run(self) -> None:
        self._consumer.assign([TopicPartition(topic, number, OFFSET_BEGINNING) for topic in self._shorts for number in self._numbers])
        while not self._stop.is_set():
            for message in self._consumer.consume(500, 0.02):
                error = message.error()
                if error is None:
                    self._take(self._shorts[message.topic() or ""], message)
                elif error.code() != KafkaError._PARTITION_EOF and not error.retriable():
                    self.faults.append(f"the reader was refused: {error.str()}")

    def _take(self, short: str, message: Any) -> None:
        if short == "journal":
            number = message.partition()
            self._seen[number].append((message.timestamp()[1] / 1000, time.time()))
            for entry in journal.read_chunk(message.value()):
                if entry.position != self._positions[number]:
                    self.faults.append(f"journal {number}: position {entry.position} came where {self._positions[number]} should")
                self._positions[number] = entry.position + 1
            return
        subject = _decode(message.value())
        key = (short, subject.alert_id or subject.customer_id)
        before = self._revisions.get(key, -1)
        if subject.revision <= before:
            self.faults.append(f"{short}: revision {subject.revision} came after {before}")
        self._revisions[key] = subject.revision
        self.alerts += short == "alerts"

    def applied(self) -> int:
        """Journal entries seen so far."""
        return sum(self._positions.values())

    def progress(self, since: float, seconds: float, meanwhile: Callable[[], None] = lambda: None) -> float:
        """Wait until every partition has shown something written after the instant ``since``; seconds from then until it was visible."""
        deadline = time.time() + seconds
        while True:
            firsts = [next((seen for written, seen in reversed_until(rows, since)), None) for rows in self._seen]
            if all(first is not None for first in firsts):
                return max(first for first in firsts if first is not None) - since
            silent = [number for number, first in enumerate(firsts) if first is None]
            assert time.time() < deadline, f"partitions {silent} show nothing new for {seconds:.0f} s"
            meanwhile()
            time.sleep(0.02)

    def silence(self, since: float, until: float) -> float:
        """The longest time in which some partition showed nothing new, between two instants."""
        longest = 0.0
        for rows in self._seen:
            instants = [since, *(seen for _, seen in list(rows) if since < seen < until), until]
            longest = max(longest, *(later - earlier for earlier, later in pairwise(instants)))
        return longest

    def __enter__(self) -> Watcher:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stop.set()
        self._thread.join(10)
        self._consumer.close()


def reversed_until(rows: list[tuple[float, float]], since: float) -> list[tuple[float, float]]:
    """Those written after ``since``, oldest first; rows are in the order in which they were seen."""
    found = []
    for row in reversed(rows):
        if row[0] <= since:
            break
        found.append(row)
    return found[::-1]
