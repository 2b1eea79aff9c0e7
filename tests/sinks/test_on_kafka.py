"""Sink and audit on a real Kafka: only what was committed arrives, once, through kills and rebalances; the audit sees what is missing."""

from __future__ import annotations

import json
import threading
import time
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

from alerting.pack import load_pack
from deploy.audit.auditing import audit
from deploy.pipeline.reading import TopicReader
from deploy.settings import Settings
from schemas.connection import KafkaSettings
from schemas.journal import line
from schemas.telemetry import Telemetry
from schemas.topics import partition_of
from sinks.connection import connect
from sinks.settings import ClickHouseSettings, SinkSettings
from sinks.sink import Sink
from streams.lane import Lane
from streams.records import InputRecord
from tests.sinks.memory import transaction
from tests.sinks.test_sink import Faulty, Killed

pytestmark = [pytest.mark.kafka, pytest.mark.embedded]
PARTITIONS = 2
QUICK = SinkSettings(batch_seconds=0.05, batch_rows=500, session_timeout_seconds=6, drain_seconds=5)


@pytest.fixture
def settings(kafka: str, namespace: str) -> KafkaSettings:
    made = KafkaSettings(bootstrap_servers=kafka, namespace=namespace, partitions=PARTITIONS)
    topics = [NewTopic(topic.name, PARTITIONS, 1) for topic in made.registry().topics]
    admin = AdminClient({"bootstrap.servers": kafka})
    for future in admin.create_topics(topics).values():
        future.result(30)
    return made


def chunk(first: int, count: int) -> bytes:
    return b"\n".join(line("transaction", n, n, json.dumps(transaction(n)).encode()) for n in range(first, first + count))


def publish(settings: KafkaSettings, chunks: range, abort_every: int = 3) -> int:
    """Chunks of 10 transactions on partition 0, a Kafka transaction each; some transactions are aborted before."""
    producer = Producer({**settings.client_config(), "transactional.id": f"{settings.namespace}-{chunks.start}"})
    producer.init_transactions(30)
    topic = settings.registry().name("journal")
    for number in chunks:
        if number % abort_every == 0:
            producer.begin_transaction()
            producer.produce(topic, chunk(10 * number, 10), partition=0)
            producer.flush()
            producer.abort_transaction(30)
        producer.begin_transaction()
        producer.produce(topic, chunk(10 * number, 10), partition=0)
        producer.commit_transaction(30)
    return 10 * len(chunks)


def counts(client: Client, clickhouse: ClickHouseSettings) -> tuple[int, int]:
    rows, distinct = client.query(f"SELECT count(), uniqExact(event_id) FROM {clickhouse.database}.transactions").result_rows[0]
    return int(rows), int(distinct)


def test_only_what_was_committed_arrives_once_and_the_group_ends_at_the_end(settings: KafkaSettings, clickhouse: ClickHouseSettings, client: Client) -> None:
    sent = publish(settings, range(20))
    with pytest.raises(Killed):
        Sink(QUICK, clickhouse, settings, Telemetry(), Faulty(client, {1: ("after", Killed())})).run(threading.Event(), until_drained=True)  # type: ignore[arg-type]
    sent += publish(settings, range(20, 30))
    telemetry = Telemetry()
    sink = Sink(QUICK, clickhouse, settings, telemetry, client)
    assert sink.waiting_for() == ["kafka: partitions"]
    assert sink.run(threading.Event(), until_drained=True)
    assert sink.live()
    assert counts(client, clickhouse) == (sent, sent)
    lag = telemetry.gauge("crm_consumer_lag_events").labels(f"{settings.namespace}-clickhouse", f"{settings.namespace}.journal", "0")
    assert lag._value.get() == 0


def test_sinks_come_and_go_while_rows_flow(settings: KafkaSettings, clickhouse: ClickHouseSettings, client: Client) -> None:
    stops = [threading.Event() for _ in range(3)]
    clients = [connect(clickhouse) for _ in stops]
    sinks = [Sink(QUICK, clickhouse, settings, Telemetry(), one) for one in clients]
    threads = [threading.Thread(target=sink.run, args=(stop,)) for sink, stop in zip(sinks, stops, strict=True)]
    sent = 0
    try:
        for step, thread in enumerate(threads):
            thread.start()
            sent += publish(settings, range(step * 10, step * 10 + 10))
            if step:
                stops[step - 1].set()
        deadline = time.monotonic() + 40
        while counts(client, clickhouse)[0] < sent and time.monotonic() < deadline:
            time.sleep(0.2)
    finally:
        for stop in stops:
            stop.set()
        for thread in threads:
            thread.join(30)
        for one in clients:
            one.close()
    assert counts(client, clickhouse) == (sent, sent)


def test_the_audit_is_clean_and_names_what_is_missing(settings: KafkaSettings, clickhouse: ClickHouseSettings, client: Client) -> None:
    pack = load_pack("bank-cn")
    events = [transaction(n, occurred_at=f"2026-03-01T{n // 60:02}:{n % 60:02}:00Z") for n in range(300)]
    inputs: list[tuple[str, bytes, bytes]] = [("transactions", event["customer_id"].encode(), json.dumps(event).encode()) for event in events]
    inputs += [("transactions", b"c1", json.dumps(events[1]).encode()), ("transactions", b"c1", b"junk"), ("complaints", b"c1", b"\xff")]
    inputs += [("transactions", b"c2", json.dumps(transaction(2, event_id="late", occurred_at="2019-01-01T00:00:00Z")).encode())]
    put(settings, inputs)
    work(settings, pack)
    everything = Settings(kafka=settings, clickhouse=clickhouse, sink=QUICK)
    waiting = audit(everything, pack, client)
    assert waiting.clean(live=True)
    assert not waiting.clean(live=False)
    assert Sink(QUICK, clickhouse, settings, Telemetry(), client).run(threading.Event(), until_drained=True)
    report = audit(everything, pack, client)
    assert report.clean(live=False), report.sentence()
    found = {(one.what, one.where.rpartition(".")[2]): one.found for one in report.lines}
    assert found["rows", "transactions"] == 300
    assert found["rows", "dead_letters"] == 2
    assert found["rows", "late_events"] == 1
    assert sum(covered for (what, _), covered in found.items() if what == "events with their original JSON") == 300
    put(settings, [("interactions", b"c1", b"junk")])
    assert [one.what for one in audit(everything, pack, client).lines if one.verdict != "ok"] == ["records not read"]
    client.command(f"DELETE FROM {clickhouse.database}.transactions WHERE event_id = 't17'")
    client.command(f"INSERT INTO {clickhouse.database}.alerts (alert_id, revision, _partition) VALUES ('x', 1, 0)")
    client.command(f"INSERT INTO {clickhouse.database}.journal_records (_partition, _offset, first_position, last_position) VALUES (0, 99, 5000, 5004)")
    broken = audit(everything, pack, client)
    different = {(one.what, one.where.rpartition(".")[2], one.found - one.expected) for one in broken.lines if one.verdict == "DIFFERENT"}
    rows = {("rows", "transactions", -1), ("distinct rows", "transactions", -1), ("rows", "alerts", 1), ("distinct rows", "alerts", 1)}
    assert different == rows | {("events with their original JSON", "journal_records[0]", 5)}
    assert "expected" in broken.sentence()


def put(settings: KafkaSettings, records: list[tuple[str, bytes, bytes]]) -> None:
    registry = settings.registry()
    producer = Producer(settings.client_config())
    for short, key, value in records:
        producer.produce(registry.name(short), value, key, partition_of(key, PARTITIONS))
    assert producer.flush(30) == 0


def work(settings: KafkaSettings, pack: Any) -> None:
    """What a worker does, without its engine: every lane over its inputs, frames written to the broker."""
    registry = settings.registry()
    reader, producer = TopicReader(settings), Producer(settings.client_config())
    lanes = [Lane(number, registry, pack, {}) for number in range(PARTITIONS)]
    for kind, topic in registry.inputs.items():
        for message in reader.read([topic.name], PARTITIONS):
            record = InputRecord(message.offset() or 0, message.timestamp()[1], message.key(), message.value(), message.headers() or [])  # type: ignore[arg-type]
            lanes[message.partition() or 0].offer(kind, [record])
        for lane in lanes:
            lane.ended(kind, True)
    reader.close()
    for lane in lanes:
        while (frame := lane.frame(1000)) is not None:
            for output in frame.outputs:
                producer.produce(registry.name(output.topic), output.value, output.key, lane.number, headers=output.headers)
            for key, value in frame.changelog.items():
                producer.produce(registry.name("customer-changelog"), value, key, lane.number)
    assert producer.flush(30) == 0
