"""The engine on a real Kafka: exact totals and offsets, whatever happens to the workers."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from deploy.real_kafka.cluster import Cluster, Unavailable, free_port
from schemas.connection import KafkaSettings
from schemas.telemetry import Telemetry
from streams.engine.broker import has_transactions
from streams.engine.ports import Place, Processor, Stopped
from streams.engine.store import Store
from streams.engine.worker import Worker
from streams.engine.writer import TransactionalWriter
from streams.settings import WorkerSettings
from tests.kills.brokers import group_members
from tests.streams.engine.counting import PARTITION_RECORD, CountingFrame, counting, create_topics, fill, read_all, state_of, total_of, worker

pytestmark = pytest.mark.kafka

ROOT = Path(__file__).resolve().parents[3]


def committed(servers: str, processor: Processor) -> dict[Place, int]:
    places = [place for number in range(processor.partitions) for place in processor.places(number)]
    return Store(processor, {"bootstrap.servers": servers}).committed(places)


def ends(servers: str, processor: Processor) -> dict[Place, int]:
    consumer = Consumer({"bootstrap.servers": servers, "group.id": "ends"})
    found = {}
    for number in range(processor.partitions):
        for place in processor.places(number):
            high = consumer.get_watermark_offsets(TopicPartition(*place), timeout=10)[1]
            if high:
                found[place] = high
    consumer.close()
    return found


def assert_exact(servers: str, processor: Processor, total: int) -> None:
    """State, outputs and offsets account for every record once."""
    states = state_of(servers, processor)
    assert total_of(states) == total
    assert sum(by_key[PARTITION_RECORD]["total"] for by_key in states.values() if by_key) == total
    seen = Counter((number, key) for number, key, _ in read_all(servers, processor.topic_name("seen"), processor.partitions))
    assert len(seen) == total
    assert set(seen.values()) == {1}
    assert committed(servers, processor) == ends(servers, processor)


def start_process(servers: str, processor: Processor, **settings: object) -> subprocess.Popen[bytes]:
    options = {
        "servers": servers,
        "namespace": processor.namespace,
        "kinds": list(processor.inputs.values()),
        "partitions": processor.partitions,
        "settings": settings,
    }
    command = [sys.executable, "-m", "tests.streams.engine.counting", json.dumps(options)]
    return subprocess.Popen(command, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)})


def wait_until(true: object, seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not true():  # type: ignore[operator]
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.1)


def test_counts_every_record_once_and_goes_on_where_it_stopped(kafka: str, namespace: str) -> None:
    processor = counting(namespace)
    create_topics(kafka, processor)
    fill(kafka, processor, "a", range(1, 50_001))
    telemetry = Telemetry()
    assert worker(kafka, processor, telemetry).run() == 0
    assert_exact(kafka, processor, 50_000)
    assert telemetry.registry.get_sample_value("crm_events_settled_total", {"kind": "a", "outcome": "applied"}) == 50_000
    assert telemetry.registry.get_sample_value("crm_consumer_lag_events", {"group": processor.group, "topic": f"{namespace}.in-a", "partition": "0"}) == 0

    fill(kafka, processor, "a", range(50_001, 50_101))
    assert worker(kafka, processor).run() == 0
    assert_exact(kafka, processor, 50_100)


def test_merges_topics_of_very_different_sizes_in_one_order_through_a_tiny_buffer(kafka: str, namespace: str) -> None:
    """Each topic partition is paused and resumed many times; one topic is empty; nothing waits for ever and nothing comes too early."""
    processor = counting(namespace, "abcdef", partitions=2)
    create_topics(kafka, processor)
    fill(kafka, processor, "a", range(1, 20_001), keys=100)
    fill(kafka, processor, "b", range(1, 20_001, 40), keys=100)
    fill(kafka, processor, "c", range(19_000, 20_001, 7), keys=100)
    fill(kafka, processor, "d", range(10_000, 10_001), keys=100)
    fill(kafka, processor, "e", range(1, 3), keys=100)
    assert worker(kafka, processor, buffer_events=50, frame_events=500).run() == 0
    states = state_of(kafka, processor)
    assert total_of(states) == 20_000 + 500 + 143 + 1 + 2
    assert [by_key[PARTITION_RECORD]["out_of_order"] for by_key in states.values()] == [0, 0]


def test_survives_the_kill_of_one_of_two_workers(kafka: str, namespace: str) -> None:
    processor = counting(namespace)
    create_topics(kafka, processor)
    fill(kafka, processor, "a", range(1, 25_001))
    first = start_process(kafka, processor, frame_events=100, session_timeout_seconds=3, until_drained=False)
    second = start_process(kafka, processor, frame_events=100, session_timeout_seconds=3)
    try:
        wait_until(lambda: sum(committed(kafka, processor).values()) > 2_000)
        first.send_signal(signal.SIGKILL)
        fill(kafka, processor, "a", range(25_001, 50_001))
        assert second.wait(60) == 0
    finally:
        first.kill()
        second.kill()
    assert_exact(kafka, processor, 50_000)


def test_commits_what_a_killed_owner_made_durable_but_could_not_commit(kafka: str, namespace: str) -> None:
    """No further record comes that would carry the group's offsets along."""
    processor = counting(namespace, partitions=1)
    create_topics(kafka, processor)
    fill(kafka, processor, "a", range(1, 11))
    record = {"positions": {"a": 10}, "total": 10, "last": 10, "out_of_order": 0}
    killed = TransactionalWriter(processor, 0, {"bootstrap.servers": kafka}, 10)
    killed.write(CountingFrame([], {PARTITION_RECORD: json.dumps(record).encode()}, {"a": 10}, Counter()))
    assert worker(kafka, processor).run() == 0
    assert committed(kafka, processor) == ends(kafka, processor)


def test_a_worker_that_joins_and_leaves_disturbs_nothing(kafka: str, namespace: str) -> None:
    processor = counting(namespace)
    create_topics(kafka, processor)
    fill(kafka, processor, "a", range(1, 20_001))
    staying = start_process(kafka, processor, frame_events=50, until_drained=False)
    joining = start_process(kafka, processor, frame_events=50, until_drained=False)
    try:
        wait_until(lambda: sum(committed(kafka, processor).values()) > 1_000)
        joining.send_signal(signal.SIGTERM)
        assert joining.wait(20) == 0
        fill(kafka, processor, "a", range(20_001, 30_001))
        wait_until(lambda: sum(committed(kafka, processor).values()) == 30_000)
        staying.send_signal(signal.SIGTERM)
        assert staying.wait(20) == 0
    finally:
        staying.kill()
        joining.kill()
    assert_exact(kafka, processor, 30_000)


def test_a_worker_with_a_fixed_name_leaves_at_once_when_it_stops(kafka: str, namespace: str) -> None:
    """Else its partitions would lie still until the session times out."""
    processor = counting(namespace)
    create_topics(kafka, processor)
    fill(kafka, processor, "a", range(1, 101))
    assert worker(kafka, processor, instance_id="fixed-1", session_timeout_seconds=30).run() == 0
    assert group_members(kafka, processor.group) == 0


def test_a_writer_whose_partition_was_taken_over_can_write_nothing(kafka: str, namespace: str) -> None:
    processor = counting(namespace, partitions=1)
    create_topics(kafka, processor)
    frame = CountingFrame([], {b"k": b'{"n": 1}', PARTITION_RECORD: b"{}"}, {"a": 1}, Counter())
    zombie = TransactionalWriter(processor, 0, {"bootstrap.servers": kafka}, 10)
    zombie.write(frame)
    TransactionalWriter(processor, 0, {"bootstrap.servers": kafka}, 10)
    with pytest.raises(Stopped, match="another worker has taken this partition over"):
        zombie.write(frame)
    assert len(read_all(kafka, processor.changelog, 1)) == 2


def test_recovery_reads_past_a_transaction_that_is_still_open(kafka: str, namespace: str) -> None:
    """An end that read_committed reports may lie before committed records; recovery must not take it for the end of the log."""
    processor = counting(namespace, partitions=1)
    create_topics(kafka, processor)
    stranger = Producer({"bootstrap.servers": kafka, "transactional.id": f"{namespace}-stranger", "transaction.timeout.ms": 2_000})
    stranger.init_transactions(10)
    stranger.begin_transaction()
    stranger.produce(processor.changelog, b"open", b"stranger", 0)
    assert stranger.flush(10) == 0
    TransactionalWriter(processor, 0, {"bootstrap.servers": kafka}, 10).write(CountingFrame([], {b"k": b"1"}, {"a": 1}, Counter()))
    threading.Timer(1.0, lambda: stranger.abort_transaction(10)).start()
    recovered = Store(processor, {"bootstrap.servers": kafka}).recover(0, lambda: False)
    assert recovered is not None
    assert recovered.states == {b"k": b"1"}


def test_refuses_to_count_from_the_wrong_start_when_the_changelog_is_lost(kafka: str, namespace: str) -> None:
    processor = counting(namespace, partitions=2)
    create_topics(kafka, processor)
    fill(kafka, processor, "a", range(1, 101))
    assert worker(kafka, processor).run() == 0
    admin = AdminClient({"bootstrap.servers": kafka})
    for future in admin.delete_records([TopicPartition(processor.changelog, number, -1) for number in range(2)]).values():
        future.result(10)
    assert worker(kafka, processor).run() == 2
    assert total_of(state_of(kafka, processor)) == 0


def test_reads_an_end_that_is_a_transaction_marker(kafka: str, namespace: str) -> None:
    """Upstream may write in transactions: markers take offsets, aborted records are none of ours, and the end is still found."""
    processor = counting(namespace, "ab", partitions=1)
    create_topics(kafka, processor)
    upstream = Producer({"bootstrap.servers": kafka, "transactional.id": f"{namespace}-upstream"})
    upstream.init_transactions(10)
    for abort in (False, True, False, True):
        upstream.begin_transaction()
        for _ in range(10):
            upstream.produce(next(iter(processor.inputs)), b"{}", b"k", 0)
        upstream.flush(10)
        (upstream.abort_transaction if abort else upstream.commit_transaction)(10)
    assert worker(kafka, processor).run() == 0
    assert total_of(state_of(kafka, processor)) == 20


def test_says_what_it_waits_for_while_the_broker_is_down_and_stops_when_told() -> None:
    kafka = KafkaSettings(bootstrap_servers=f"127.0.0.1:{free_port()}", namespace="none")
    subject = Worker(kafka, WorkerSettings(), counting("none"), Telemetry())
    codes: list[int] = []
    thread = threading.Thread(target=lambda: codes.append(subject.run()))
    thread.start()
    wait_until(lambda: subject.waiting_for() == [f"kafka {kafka.bootstrap_servers}"])
    assert subject.live()
    subject.stop()
    thread.join(15)
    assert codes == [0]


def test_names_the_topic_that_is_missing(kafka: str, namespace: str, caplog: pytest.LogCaptureFixture) -> None:
    assert worker(kafka, counting(namespace)).run() == 2
    assert f"topic {namespace}.in-a does not exist" in caplog.text


def test_knows_that_this_broker_isolates(kafka: str, namespace: str) -> None:
    processor = counting(namespace)
    create_topics(kafka, processor)
    assert has_transactions({"bootstrap.servers": kafka}, processor)


def test_an_event_is_applied_within_a_fraction_of_a_second_when_all_is_quiet(kafka: str, namespace: str) -> None:
    """Five idle topics must not delay the sixth: their ends are known."""
    processor = counting(namespace, "abcdef")
    create_topics(kafka, processor)
    subject = worker(kafka, processor, until_drained=False)
    thread = threading.Thread(target=subject.run)
    thread.start()
    try:
        wait_until(lambda: subject.waiting_for() == [])
        reader = Consumer({"bootstrap.servers": kafka, "group.id": "latency", "isolation.level": "read_committed", "fetch.wait.max.ms": 5})
        reader.assign([TopicPartition(processor.topic_name("seen"), number, 0) for number in range(4)])
        reader.consume(1, 0.5)
        upstream = Producer({"bootstrap.servers": kafka})
        took = []
        for at in range(44):
            time.sleep(0.02)
            began = time.monotonic()
            upstream.produce(f"{namespace}.in-a", b"{}", b"k", at % 4)
            upstream.poll(0)
            while not reader.consume(1, 5):
                pass
            took.append(time.monotonic() - began)
        took = sorted(took[4:])
        reader.close()
    finally:
        subject.stop()
        thread.join(20)
    print(f"p50 {took[20] * 1000:.0f} ms, worst {took[-1] * 1000:.0f} ms")
    assert took[20] < 0.3


@pytest.mark.long
@pytest.mark.timeout(400)
def test_goes_on_when_the_broker_is_killed_and_comes_back(namespace: str) -> None:
    """What was unsaved is applied again or written again; no record twice, none lost, and the same worker goes on."""
    try:
        cluster = Cluster()
    except Unavailable as missing:
        pytest.skip(str(missing))
    with cluster:
        servers, processor = cluster.bootstrap_servers, counting(namespace, "ab")
        create_topics(servers, processor)
        fill(servers, processor, "a", range(1, 40_001))
        running = worker(servers, processor, until_drained=False, frame_events=200)
        codes: list[int] = []
        thread = threading.Thread(target=lambda: codes.append(running.run()))
        thread.start()
        wait_until(lambda: sum(committed(servers, processor).values()) > 2_000)
        cluster.brokers[0].kill()
        time.sleep(2)
        cluster.brokers[0].start()
        cluster.brokers[0].wait()
        fill(servers, processor, "a", range(40_001, 60_001))
        fill(servers, processor, "b", range(1, 1_001))
        wait_until(lambda: codes or sum(committed(servers, processor).values()) == 61_000, 90)
        running.stop()
        thread.join(30)
        assert codes == [0]
        assert_exact(servers, processor, 61_000)
