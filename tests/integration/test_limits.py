"""The worker at its limits, on a real Kafka: one customer with half of all events, an event of a megabyte, an empty partition, 64 partitions."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from deploy.inputs import InputLine, tick, to_records
from deploy.publish_inputs import InputPublisher
from deploy.simulator import Parameters, Simulation
from deploy.topic_plan import Topics
from schemas.codec import MAX_BYTES
from schemas.connection import KafkaSettings
from schemas.telemetry import Telemetry
from schemas.topics import partition_of
from streams.engine.worker import Worker
from streams.processors import customer_processor
from streams.settings import WorkerSettings
from tests.kills.verdict import PACK, assert_exact

pytestmark = pytest.mark.kafka

BEGIN = datetime(2025, 3, 1, tzinfo=UTC)


def booking(number: int, customer: str, **more: object) -> InputLine:
    event = {
        "event_id": f"t-{number}",
        "customer_id": customer,
        "occurred_at": (BEGIN + timedelta(minutes=number)).isoformat(),
        "source": "core-banking",
        "schema_version": 1,
        "account_id": f"a-{customer}",
        "kind": "card_purchase",
        "status": "posted",
        "amount": "12.30",
        "currency": "CNY",
        "direction": "out",
        "channel": "pos",
    }
    return InputLine("transactions", customer, msgspec.json.encode(event | more))


def work(kafka: KafkaSettings, lines: Iterator[InputLine], folder: Path) -> dict[str, int]:
    """Publish, let one worker apply everything, and hold the outcome to the last byte."""
    topics = Topics(kafka)
    topics.apply(topics.plan())
    registry = kafka.registry()
    publisher = InputPublisher(kafka, registry)
    publisher.publish(to_records(lines, registry))
    records = publisher.finish()
    worker = Worker(kafka, WorkerSettings(), customer_processor(registry, PACK), Telemetry(), until_drained=True)
    assert worker.run() == 0
    return assert_exact(kafka, records, folder)


def test_a_hot_customer_a_megabyte_and_an_empty_partition(kafka: str, namespace: str, tmp_path: Path) -> None:
    settings = KafkaSettings(bootstrap_servers=kafka, namespace=namespace, partitions=4)
    others = [name for name in (f"c{number}" for number in range(100)) if partition_of(name.encode(), 4) != 3]
    hot = next(name for name in others if partition_of(name.encode(), 4) == 0)
    small = len(booking(0, hot, note="").value)

    def lines() -> Iterator[InputLine]:
        for number in range(6_000):
            if number == 3_000:
                yield booking(number, hot, note="x" * (MAX_BYTES - small - 10))
            else:
                yield booking(number, hot if number % 2 else others[number % len(others)])

    figures = work(settings, lines(), tmp_path)
    assert figures["records"] == 6_000
    assert figures["dead letters"] == 0


@pytest.mark.long
@pytest.mark.timeout(300)
def test_sixty_four_partitions_on_one_worker(kafka: str, namespace: str, tmp_path: Path) -> None:
    settings = KafkaSettings(bootstrap_servers=kafka, namespace=namespace, partitions=64)

    def lines() -> Iterator[InputLine]:
        for day in Simulation(Parameters(seed=9, customers=200, months=3)).days():
            yield from day
        yield tick("end", "2025-06-01T00:00:00+08:00", "clock")

    figures = work(settings, lines(), tmp_path)
    assert figures["dead letters"] == 0
