"""How long an event takes from its upstream to whoever acts on it, at shares of the worker's top speed.

Seen from outside: an event counts from the moment at which it was *due* to be sent, so that a sender who is held up hides nothing,
until a ``read_committed`` reader has the frame that holds it. An alert becomes visible in the same transaction as its event's journal
entry, so every event is measured, not only those few that raise one.

The events' own time passes as fast as the clock on the wall, as it does in a bank; a midnight lies in the middle.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Final

import msgspec
from confluent_kafka import OFFSET_BEGINNING, Consumer, Producer, TopicPartition

from deploy.benchmarking.brokers import prepare, running, worker_command, worker_environ
from deploy.benchmarking.figures import table
from deploy.benchmarking.process import MeasuredProcess, Watch
from deploy.benchmarking.workload import PlainRecord, plain
from schemas import journal
from schemas.connection import KafkaSettings

SHARES: Final = (0.1, 0.5, 0.8)
_SECONDS: Final = 20.0
_WARM_UP_SECONDS: Final = 5.0
_BEAT: Final = 0.002
_MIDNIGHT: Final = datetime(2025, 1, 1, 16, tzinfo=UTC)  # in Shanghai, by whose days bank-cn counts
_DAY_SECONDS: Final = 86_400
_LIKELY_TOP: Final = 8_000.0  # events/s: the pace of the events by which the top speed is measured
_PATIENCE_SECONDS: Final = 90.0
_HEADINGS: Final = ["load", "events/s", "events", "p50 ms", "p99 ms", "p99.9 ms", "worst ms"]


def bench_latency(events: int, folder: Path, progress: Callable[[str], None]) -> dict[str, Any]:
    """Find the top speed, then measure at each share of it. Raises UserError where Kafka cannot run here."""
    figures: dict[str, Any] = {}
    with running("kafka", folder / "latency") as servers:
        progress(f"latency: top speed, {events:,} events")
        top = figures["top_events_per_second"] = round(_top(servers, events, folder / "top"))
        figures["loads"] = []
        for share in SHARES:
            progress(f"latency: {share:.0%} of {top:,} events/s for {_SECONDS:.0f} s")
            taken = _at(servers, top * share, folder / f"load-{share:.0%}", f"at-{share * 100:.0f}")
            figures["loads"].append({"share": share, "events_per_second": round(top * share), **spread(taken)})
    return figures


def latency_text(figures: dict[str, Any]) -> str:
    """The figures as a table."""
    rows = [
        [
            f"{load['share']:.0%} of top speed",
            f"{load['events_per_second']:,}",
            f"{load['events']:,}",
            *(f"{load[name]:,.0f}" for name in ("p50_ms", "p99_ms", "p999_ms", "worst_ms")),
        ]
        for load in figures["loads"]
    ]
    return f"Top speed {figures['top_events_per_second']:,} events/s.\n\n{table(_HEADINGS, rows)}"


def spread(seconds: Sequence[float]) -> dict[str, float]:
    """Percentiles in milliseconds."""
    ordered = sorted(seconds)

    def at(share: float) -> float:
        return round(ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1000, 1)

    return {"events": len(ordered), "p50_ms": at(0.5), "p99_ms": at(0.99), "p999_ms": at(0.999), "worst_ms": at(1.0)}


def _top(servers: str, events: int, folder: Path) -> float:
    kafka = prepare(servers, "top")
    registry = kafka.registry()
    sender = _Sender(kafka)
    for record in live(events, kafka.partitions, _LIKELY_TOP):
        sender.send(record)
    sender.finish()
    watch = Watch(servers, "top-customer", [topic.name for topic in registry.inputs.values()], registry.partitions)
    with MeasuredProcess("the worker", worker_command(), worker_environ(kafka), folder) as process:
        return watch.measure(process, events, 2.0, 600.0).rate


def _at(servers: str, rate: float, folder: Path, namespace: str) -> list[float]:
    """Seconds that each event took, those of the warm-up left out."""
    kafka = prepare(servers, namespace)
    count = int(rate * (_WARM_UP_SECONDS + _SECONDS))
    records = live(count, kafka.partitions, rate)
    sender = _Sender(kafka)
    with _Reader(kafka) as reader, MeasuredProcess("the worker", worker_command(until_drained=False), worker_environ(kafka), folder) as process:
        sender.send(next(records))
        _wait(reader, 1, process)
        began = time.monotonic()
        due: dict[str, float] = {}
        for record in paced(records, began, rate):
            due[_id(record.value)] = began + len(due) / rate
            sender.send(record)
        sender.finish()
        _wait(reader, count, process)
    return [reader.seen[event] - at for event, at in due.items() if at - began >= _WARM_UP_SECONDS]


def live(events: int, partitions: int, rate: float) -> Iterator[PlainRecord]:
    """Transactions that occur at ``rate`` a second, with a midnight in their middle."""
    return plain(events, partitions, per_day=rate * _DAY_SECONDS, start=_MIDNIGHT - timedelta(seconds=events / rate / 2))


def paced(records: Iterator[PlainRecord], began: float, rate: float) -> Iterator[PlainRecord]:
    """Each record once it is due; those that are late already, at once."""
    for number, record in enumerate(records):
        while (ahead := began + number / rate - time.monotonic()) > 0:
            time.sleep(min(ahead, _BEAT))
        yield record


def _wait(reader: _Reader, count: int, process: MeasuredProcess) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while len(reader.seen) < count:
        if process.ended or time.monotonic() > deadline:
            raise process.failure(f"showed {len(reader.seen):,} of {count:,} events")
        time.sleep(0.05)


class _Id(msgspec.Struct):
    event_id: str


_decode = msgspec.json.Decoder(_Id).decode


def _id(value: bytes) -> str:
    return _decode(value).event_id


class _Sender:
    """An upstream that sends every event at once."""

    def __init__(self, kafka: KafkaSettings) -> None:
        self._topic = kafka.registry().name("transactions")
        self._producer = Producer(kafka.client_config() | {"enable.idempotence": True, "linger.ms": 1, "compression.type": "lz4", "log_level": 0})

    def send(self, record: PlainRecord) -> None:
        while True:
            try:
                self._producer.produce(self._topic, record.value, record.key, record.partition)
                break
            except BufferError:
                self._producer.poll(0.1)
        self._producer.poll(0)

    def finish(self) -> None:
        self._producer.flush(_PATIENCE_SECONDS)


class _Reader:
    """Notes when it first sees each event's journal entry. ``seen``: event id to monotonic seconds."""

    def __init__(self, kafka: KafkaSettings) -> None:
        topic = kafka.registry().name("journal")
        self.seen: dict[str, float] = {}
        self._consumer = Consumer(
            kafka.client_config()
            | {
                "group.id": f"{kafka.namespace}-latency",
                "isolation.level": "read_committed",
                "enable.auto.commit": False,
                "fetch.wait.max.ms": 5,
                "log_level": 0,
            }
        )
        self._consumer.assign([TopicPartition(topic, number, OFFSET_BEGINNING) for number in range(kafka.partitions)])
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        while not self._stop.is_set():
            messages = self._consumer.consume(200, 0.005)
            now = time.monotonic()
            for message in messages:
                if message.error() is None:
                    for entry in journal.read_chunk(_bytes(message.value())):
                        self.seen[_id(entry.value)] = now

    def __enter__(self) -> _Reader:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stop.set()
        self._thread.join(10)
        self._consumer.close()


def _bytes(value: str | bytes | None) -> bytes:
    return value if isinstance(value, bytes) else (value or "").encode()
