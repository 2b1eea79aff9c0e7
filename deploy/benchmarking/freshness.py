"""How fresh ClickHouse is at a live load, and what an outage of ClickHouse does: the sink's memory, and how fast it catches up.

Broker, ClickHouse and sink are processes of their own; the journal is written by this one, as workers would. A record counts as
visible once its offset is committed, which comes after ClickHouse has confirmed its rows.
"""

from __future__ import annotations

import os
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from itertools import cycle, islice
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from clickhouse_connect.driver.client import Client
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition

from deploy.benchmarking.brokers import prepare, running, worker_environ
from deploy.benchmarking.figures import table
from deploy.benchmarking.process import MeasuredProcess
from deploy.benchmarking.workload import bank
from deploy.embedded.clickhouse import WRITER
from deploy.errors import Failed
from deploy.pipeline.children import PROGRAM
from deploy.real_kafka.cluster import free_port
from schemas import journal
from schemas.connection import KafkaSettings
from schemas.events.envelope import EventKind
from sinks.connection import connect
from sinks.migrate import Migrator
from sinks.settings import ClickHouseSettings
from sinks.tables import EVENT_TABLES

LIVE: Final = 20_000
_FRAMES_A_SECOND: Final = 10
_PASSWORD: Final = "of-the-benchmark"
_SAMPLE: Final = 100_000
_PATIENCE_SECONDS: Final = 180.0
_START_SECONDS: Final = 60.0
_OUTAGE_SECONDS: Final = 15.0
_HOLDER: Final = """
import sys, time
from pathlib import Path
from deploy.embedded.clickhouse import EmbeddedClickHouse
held = EmbeddedClickHouse(Path(sys.argv[1]), int(sys.argv[2]), fresh=False)
held.writer_password = sys.argv[3]
with held:
    time.sleep(86400)
"""


def bench_freshness(events: int, away_minutes: float, folder: Path, progress: Callable[[str], None]) -> dict[str, Any]:
    """Measure ``events`` at the live rate, then as many piled up in an outage. Raises UserError where Kafka cannot run here.

    With ``away_minutes`` they come evenly over an outage of that length, and the sink's memory is looked at every minute of it.
    """
    progress("freshness: simulating a bank")
    port = free_port()
    clickhouse = ClickHouseSettings(url=f"http://127.0.0.1:{port}", user=WRITER, password=_PASSWORD)
    with running("kafka", folder / "freshness") as servers:
        kafka = prepare(servers, "freshness")
        sender = _Sender(kafka)
        environ = worker_environ(kafka) | {
            "FENGHUO_CLICKHOUSE__URL": clickhouse.url,
            "FENGHUO_CLICKHOUSE__USER": WRITER,
            "FENGHUO_CLICKHOUSE__PASSWORD": _PASSWORD,
        }
        with _holder(folder, port) as held:
            client = _connected(clickhouse, held)
            for _ in Migrator(client, clickhouse).up():
                pass
        with MeasuredProcess("the sink", [sys.executable, "-c", PROGRAM, "sink"], environ, folder / "sink") as sink, _Watch(kafka) as watch:
            with _holder(folder, port) as held:
                watch.until(sender.send(1), sink)
                progress(f"freshness: {LIVE:,} events/s for {events / LIVE:.0f} s")
                cpu = sink.cpu_seconds() or 0.0
                began = sender.sent
                watch.until(sender.paced(events, LIVE), sink)
                cpu = (sink.cpu_seconds() or 0.0) - cpu
                live = _spread(watch.taken(sender.sent_at))
                parts = _parts(_connected(clickhouse, held), clickhouse.database)
                of_live, live_peak = sender.sent - began, sink.peak_bytes
            progress(f"freshness: ClickHouse away{f' for {away_minutes:g} minutes' if away_minutes else ''}, {events:,} events pile up")
            memory = _Memory(sink)
            behind = sender.paced(events, events / away_minutes / 60, memory.look) if away_minutes else sender.send(events)
            deadline = time.monotonic() + _OUTAGE_SECONDS
            while time.monotonic() < deadline:
                memory.look()
                time.sleep(0.1)
            away_peak = sink.peak_bytes
            progress("freshness: ClickHouse is back")
            with _holder(folder, port) as held:
                began_at, done = time.monotonic(), watch.committed
                _connected(clickhouse, held).close()
                before = [process.cpu_seconds() or 0.0 for process in (sink, held)]
                ended_at = watch.until(behind, sink)
                used = [(process.cpu_seconds() or 0.0) - at_first for process, at_first in zip((sink, held), before, strict=True)]
                rows = _rows(_connected(clickhouse, held), clickhouse.database)
                if rows != (sender.sent, sender.sent):
                    raise Failed(f"ClickHouse holds {rows[0]:,} rows, {rows[1]:,} distinct, of {sender.sent:,}")
            commits = [(at, committed) for at, committed in watch.seen if committed > done and at <= ended_at]
            (first_at, first), (_, last) = commits[0], commits[-1]
            if last == first:
                raise Failed("the sink caught up in one batch", "give more --events")
            rate = events * (last - first) / (last - done) / (next(at for at, committed in commits if committed == last) - first_at)
    return {
        "events_per_second": LIVE,
        "live": live,
        "live_cpu_us_per_row": round(cpu * 1e6 / of_live, 1),
        "parts": parts,
        "piled_up": events,
        "back_after_seconds": round(first_at - began_at, 1),
        "catch_up_per_second": round(rate),
        "catch_up_to_live": round(rate / LIVE, 1),
        "catch_up_cpu_us_per_row": {name: round(seconds * 1e6 / events, 1) for name, seconds in zip(("sink", "clickhouse"), used, strict=True)},
        "peak_mib": {"live": live_peak >> 20, "away": away_peak >> 20, "after": sink.peak_bytes >> 20},
        "away_minutes": away_minutes,
        "away_mib_each_minute": memory.each_minute,
        "rows": rows[0],
    }


def freshness_text(figures: dict[str, Any]) -> str:
    """The figures as a table."""
    live, peak, cpu = figures["live"], figures["peak_mib"], figures["catch_up_cpu_us_per_row"]
    rows = [
        [
            f"visible after, at {figures['events_per_second']:,} events/s: p50, p95, worst",
            f"{live['p50_ms']:,.0f}, {live['p95_ms']:,.0f}, {live['worst_ms']:,.0f} ms",
        ],
        ["the sink's own CPU a row, live (ClickHouse apart)", f"{figures['live_cpu_us_per_row']} us"],
        ["active parts of the fullest table, and of its fullest month", f"{figures['parts']['table']}, {figures['parts']['month']}"],
        [f"catch-up with {figures['piled_up']:,} events", f"{figures['catch_up_per_second']:,} events/s, {figures['catch_up_to_live']} times live"],
        ["CPU a row while catching up: the sink, ClickHouse with its front and merges", f"{cpu['sink']}, {cpu['clickhouse']} us"],
        ["the sink's memory at most: live, ClickHouse away, after catching up", f"{peak['live']}, {peak['away']}, {peak['after']} MiB"],
        ["rows stored, every one once", f"{figures['rows']:,}"],
    ]
    if each := figures["away_mib_each_minute"]:
        rows.append([f"the sink's memory in {figures['away_minutes']:g} minutes without ClickHouse: after the first, least, most, at the end"])
        rows[-1].append(f"{each[0]}, {min(each)}, {max(each)}, {each[-1]} MiB")
    return table(["into ClickHouse over HTTP", ""], rows)


def _spread(seconds: list[float]) -> dict[str, int]:
    ordered = sorted(seconds)
    return {f"p{share}_ms": round(ordered[len(ordered) * share // 100] * 1000) for share in (50, 95)} | {"worst_ms": round(ordered[-1] * 1000)}


def _holder(folder: Path, port: int) -> MeasuredProcess:
    command = [sys.executable, "-c", _HOLDER, str(folder / "held"), str(port), _PASSWORD]
    return MeasuredProcess("ClickHouse", command, os.environ, folder / "holder")


def _connected(settings: ClickHouseSettings, held: MeasuredProcess) -> Client:
    place = urlsplit(settings.url)
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            with socket.create_connection((str(place.hostname), int(place.port or 0)), timeout=1):
                return connect(settings)
        except OSError:
            if held.ended or time.monotonic() > deadline:
                raise held.failure("did not come up") from None
            time.sleep(0.05)


def _parts(client: Client, database: str) -> dict[str, int]:
    found = client.query(
        "SELECT max(of_table), max(of_month) FROM (SELECT sum(n) AS of_table, max(n) AS of_month FROM (SELECT table, partition, count() AS n"
        f" FROM system.parts WHERE active AND database = '{database}' GROUP BY table, partition) GROUP BY table)"
    ).result_rows
    return {"table": int(found[0][0]), "month": int(found[0][1])}


def _rows(client: Client, database: str) -> tuple[int, int]:
    """Rows and distinct rows of all event tables, as BI would count them."""
    found = [client.query(f"SELECT count(), uniqExact(_partition, _position) FROM {database}.{name}").result_rows[0] for name in EVENT_TABLES.values()]
    return sum(int(rows) for rows, _ in found), sum(int(distinct) for _, distinct in found)


class _Memory:
    """What a process has resident, looked at often, kept once a minute."""

    def __init__(self, process: MeasuredProcess) -> None:
        self._process = process
        self._began = time.monotonic()
        self.each_minute: list[int] = []

    def look(self) -> None:
        """Ask, and keep the MiB where a minute has passed since the last that was kept."""
        self._process.cpu_seconds()
        if time.monotonic() - self._began >= 60 * (len(self.each_minute) + 1):
            self.each_minute.append(self._process.resident_bytes >> 20)


class _Sender:
    """Writes the journal: the same events over and over, each line an entry of its own."""

    def __init__(self, kafka: KafkaSettings) -> None:
        registry = kafka.registry()
        kinds: dict[str, EventKind] = {topic.short: kind for kind, topic in registry.inputs.items()}
        events: dict[int, list[tuple[EventKind, bytes]]] = {number: [] for number in range(kafka.partitions)}
        for record in bank(_SAMPLE, registry, 1):
            if record.value is not None:
                events[record.partition].append((kinds[record.topic], record.value))
        self._events = {number: cycle(held) for number, held in events.items()}
        self._positions = dict.fromkeys(events, 0)
        self._topic = registry.name("journal")
        self._producer = Producer({**kafka.client_config(), "linger.ms": 5, "compression.type": "lz4", "batch.size": 1 << 20, "log_level": 0})
        self._lost: KafkaError | None = None
        self._ends: dict[int, int] = {}
        self.sent = 0
        self.sent_at: dict[tuple[int, int], float] = {}

    def send(self, events: int) -> dict[int, int]:
        """As fast as it goes. Returns the journal's ends, by partition."""
        for _ in self._records(events):
            pass
        return self._flushed()

    def paced(self, events: int, rate: float, meanwhile: Callable[[], None] = lambda: None) -> dict[int, int]:
        """``rate`` a second, in frames as at the live rate (there: one a partition, ten times a second); remembers when each was sent."""
        self.sent_at.clear()
        began, before = time.monotonic(), self.sent
        for _ in self._records(events, remember=True):
            while (ahead := began + (self.sent - before) / rate - time.monotonic()) > 0:
                self._producer.poll(min(ahead, 0.02))
            meanwhile()
        return self._flushed()

    def _records(self, events: int, remember: bool = False) -> Iterator[None]:
        size = LIVE // _FRAMES_A_SECOND // len(self._events)
        for number in cycle(self._events):
            count = min(size, events)
            position = self._positions[number]
            lines = [journal.line(kind, position + at, position + at, value) for at, (kind, value) in enumerate(islice(self._events[number], count))]
            self._positions[number] += count
            self._put(number, b"\n".join(lines), time.monotonic() if remember else None)
            self.sent += count
            events -= count
            yield
            if not events:
                return

    def _put(self, number: int, value: bytes, sent_at: float | None) -> None:
        def delivered(error: KafkaError | None, message: Message) -> None:
            self._lost = error or self._lost
            self._ends[number] = max(self._ends.get(number, 0), int(message.offset() or 0) + 1)
            if sent_at is not None:
                self.sent_at[number, int(message.offset() or 0)] = sent_at

        while True:
            try:
                self._producer.produce(self._topic, value, partition=number, on_delivery=delivered)
                return
            except BufferError:
                self._producer.poll(0.1)

    def _flushed(self) -> dict[int, int]:
        if self._producer.flush(_PATIENCE_SECONDS) or self._lost is not None:
            raise Failed("the broker did not confirm the journal", "is its disk full?")
        return dict(self._ends)


class _Watch:
    """Looks at the offsets that the sink commits, twenty times a second, from a thread."""

    def __init__(self, kafka: KafkaSettings) -> None:
        topic = kafka.registry().name("journal")
        self._places = [TopicPartition(topic, number) for number in range(kafka.partitions)]
        self._consumer = Consumer({**kafka.client_config(), "group.id": f"{kafka.namespace}-clickhouse", "enable.auto.commit": False, "log_level": 0})
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._history: list[tuple[float, dict[int, int]]] = []

    @property
    def committed(self) -> int:
        return sum(self._history[-1][1].values()) if self._history else 0

    @property
    def seen(self) -> list[tuple[float, int]]:
        return [(at, sum(offsets.values())) for at, offsets in self._history]

    def taken(self, sent_at: dict[tuple[int, int], float]) -> list[float]:
        """Seconds from sending to committed, of each record."""
        history = self._history
        return [next(at for at, offsets in history if offsets.get(number, 0) > offset) - sent for (number, offset), sent in sent_at.items()]

    def until(self, ends: dict[int, int], sink: MeasuredProcess) -> float:
        """When (monotonic seconds) everything up to ``ends`` was committed. Raises Failed when the sink ends or stands still before."""
        known, deadline = -1, 0.0
        while True:
            if self.committed > known:
                known, deadline = self.committed, time.monotonic() + _PATIENCE_SECONDS
            for at, offsets in self._history[-1:]:
                if all(offsets.get(number, 0) >= end for number, end in ends.items()):
                    return at
            sink.cpu_seconds()
            if sink.ended or time.monotonic() > deadline:
                raise sink.failure("did not store what was sent")
            time.sleep(0.05)

    def _look(self) -> None:
        while not self._stop.wait(0.05):
            try:
                found = self._consumer.committed(self._places, timeout=5)
            except KafkaException:  # a new group's coordinator loads for seconds
                continue
            self._history.append((time.monotonic(), {place.partition: max(0, place.offset) for place in found}))

    def __enter__(self) -> _Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(10)
        self._consumer.close()
