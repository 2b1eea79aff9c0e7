"""How long an event takes from its upstream to whoever acts on it, at shares of the worker's top speed.

Seen from outside: an event counts from the moment at which it was *due* to be sent, so that a sender who is held up hides nothing,
until a ``read_committed`` reader has the frame that holds it. An alert becomes visible in the same transaction as its event's journal
entry, so every event is measured, not only those few that raise one.

The events' own time passes as fast as the clock on the wall, as it does in a bank; a midnight lies in the middle.

Sender and reader share the machine with what they measure. So events are made before the first is sent, the reader only notes when it
got which bytes, and both are put together at the end.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
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
from deploy.collector import slow_collector
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
    first, *records = live(int(rate * (_WARM_UP_SECONDS + _SECONDS)), kafka.partitions, rate)
    sender = _Sender(kafka)
    slow_collector()  # a pause of the sender or the reader would count as the worker's
    with _Reader(kafka) as reader, MeasuredProcess("the worker", worker_command(until_drained=False), worker_environ(kafka), folder) as process:
        sender.send(first)
        _wait(reader, 1, process)
        began = time.monotonic()
        for record in paced(records, began, rate):
            sender.send(record)
        sender.finish()
        _wait(reader, 1 + len(records), process)
    seen = reader.seen()
    after = int(rate * _WARM_UP_SECONDS)
    return [seen[_id(record.value)] - began - number / rate for number, record in enumerate(records[after:], after)]


def live(events: int, partitions: int, rate: float) -> Iterator[PlainRecord]:
    """Transactions that occur at ``rate`` a second, with a midnight in their middle."""
    return plain(events, partitions, per_day=rate * _DAY_SECONDS, start=_MIDNIGHT - timedelta(seconds=events / rate / 2))


def paced(records: Iterable[PlainRecord], began: float, rate: float) -> Iterator[PlainRecord]:
    """Each record once it is due; those that are late already, at once."""
    for number, record in enumerate(records):
        while (ahead := began + number / rate - time.monotonic()) > 0:
            time.sleep(min(ahead, _BEAT))
        yield record


def _wait(reader: _Reader, count: int, process: MeasuredProcess) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while reader.count < count:
        if process.ended or time.monotonic() > deadline:
            raise process.failure(f"showed {reader.count:,} of {count:,} events")
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
        # Not idempotent: that allows five requests under way, and librdkafka's thread polled without waiting while a slow broker had them.
        self._producer = Producer(kafka.client_config() | {"enable.idempotence": False, "linger.ms": 5, "compression.type": "lz4", "log_level": 0})

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
    """Notes when it gets each journal record. ``count``: how many events were in them so far."""

    def __init__(self, kafka: KafkaSettings) -> None:
        topic = kafka.registry().name("journal")
        self.count = 0
        self._chunks: list[tuple[float, bytes]] = []
        self._consumer = Consumer(
            kafka.client_config() | {"group.id": f"{kafka.namespace}-latency", "isolation.level": "read_committed", "enable.auto.commit": False, "log_level": 0}
        )
        self._consumer.assign([TopicPartition(topic, number, OFFSET_BEGINNING) for number in range(kafka.partitions)])
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        while not self._stop.is_set():
            message = self._consumer.poll(0.1)
            if message is not None and message.error() is None:
                value = _bytes(message.value())
                self._chunks.append((time.monotonic(), value))
                self.count += 1 + value.count(b"\n")

    def seen(self) -> dict[str, float]:
        """Event id to the monotonic seconds at which it was first there."""
        seen: dict[str, float] = {}
        for at, chunk in self._chunks:
            for line in journal.read_lines(chunk):
                seen.setdefault(_id(line.value), at)
        return seen

    def __enter__(self) -> _Reader:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stop.set()
        self._thread.join(10)
        self._consumer.close()


def _bytes(value: str | bytes | None) -> bytes:
    return value if isinstance(value, bytes) else (value or "").encode()
