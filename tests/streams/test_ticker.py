"""The clock: ticks that the codec accepts, one per partition, at the interval, and a broker that is not there."""

from __future__ import annotations

import threading
import time

import pytest
from confluent_kafka.admin import AdminClient, NewTopic

from deploy.real_kafka.cluster import free_port
from schemas.codec import decode
from schemas.connection import KafkaSettings
from schemas.events import Tick
from schemas.telemetry import Telemetry
from streams.ticker import Ticker, tick
from tests.streams.engine.counting import read_all


def test_a_tick_is_what_the_worker_expects() -> None:
    event = decode("tick", b"3", tick(1_784_476_800.5, 3))
    assert isinstance(event, Tick)
    assert event.partition == 3
    assert event.occurred_at.isoformat() == "2026-07-19T16:00:00.500000+00:00"


def test_two_clocks_publish_the_same_ticks() -> None:
    assert tick(1_784_476_800.0, 1) == tick(1_784_476_800.0, 1) != tick(1_784_476_805.0, 1)


@pytest.mark.kafka
def test_ticks_every_partition_until_stopped(kafka: str, namespace: str) -> None:
    settings = KafkaSettings(bootstrap_servers=kafka, namespace=namespace, partitions=2)
    topic = f"{namespace}.ticks"
    admin = AdminClient({"bootstrap.servers": kafka})
    admin.create_topics([NewTopic(topic, 2, 1)])[topic].result(10)
    telemetry = Telemetry()
    ticker = Ticker(settings, telemetry, 0.2)
    assert ticker.waiting_for() == [f"kafka {kafka}"]
    threading.Timer(2.0, ticker.stop).start()
    assert ticker.run() == 0
    assert ticker.live()
    assert ticker.waiting_for() == []
    ticks = read_all(kafka, topic, 2)
    assert telemetry.registry.get_sample_value("crm_ticks_total") == len(ticks) >= 8
    for number in (0, 1):
        times = [decode("tick", key, value).occurred_at for partition, key, value in ticks if partition == number]
        assert times == sorted(set(times))


def test_a_clock_without_a_broker_is_alive_but_not_ready_and_stops_when_told() -> None:
    ticker = Ticker(KafkaSettings(bootstrap_servers=f"127.0.0.1:{free_port()}"), Telemetry(), 0.1)
    thread = threading.Thread(target=ticker.run)
    thread.start()
    time.sleep(0.3)
    assert ticker.live()
    assert ticker.waiting_for()
    ticker.stop()
    thread.join(15)
    assert not thread.is_alive()
