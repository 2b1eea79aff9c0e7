"""The publisher over librdkafka's own wire-level broker: what arrives, where, and what is refused before it leaves."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import confluent_kafka
import pytest

from schemas.codec import Rejected, decode
from schemas.connection import KafkaSettings
from schemas.events import Tick, Transaction
from schemas.publisher import Publisher, Undelivered, Unreachable
from schemas.topics import load_registry, partition_of

FIELDS: dict[str, Any] = {
    "event_id": "t-1",
    "customer_id": "c1",
    "occurred_at": datetime(2026, 7, 10, 1, 30, tzinfo=UTC),
    "source": "core banking/门户",
    "account_id": "a1",
    "amount": Decimal("12.30"),
    "currency": "CNY",
    "direction": "in",
    "kind": "deposit",
    "ledger": {"batch": None},
}
EVENT = Transaction.model_validate(FIELDS | {"amount": "12.30"})
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture(scope="module")
def cluster() -> Iterator[KafkaSettings]:
    """A one-process cluster of librdkafka's own, which lives as long as its client."""
    owner = confluent_kafka.Producer({"test.mock.num.brokers": 1, "bootstrap.servers": "unused"})
    brokers = owner.list_topics(timeout=10).brokers.values()
    yield KafkaSettings(bootstrap_servers=",".join(f"{broker.host}:{broker.port}" for broker in brokers))
    owner.flush(0)


def records(settings: KafkaSettings, short: str, count: int) -> list[confluent_kafka.Message]:
    consumer = confluent_kafka.Consumer({**settings.client_config(), "group.id": "reader", "auto.offset.reset": "earliest"})
    name = settings.registry().name(short)
    consumer.assign([confluent_kafka.TopicPartition(name, number, 0) for number in range(settings.partitions)])
    found = consumer.consume(count, timeout=10)
    consumer.close()
    return found


def test_an_event_arrives_keyed_placed_and_readable_by_the_workers(cluster: KafkaSettings) -> None:
    settings = cluster.model_copy(update={"namespace": "one"})
    with Publisher(settings) as publisher:
        delivery = publisher.publish(EVENT, traceparent=TRACE)
    assert delivery.done
    assert (delivery.topic, delivery.partition, delivery.offset) == ("one.transactions", partition_of(b"c1", 4), 0)

    [record] = records(settings, "transactions", 1)
    assert (record.key(), record.partition()) == (b"c1", partition_of(b"c1", 4))
    read = decode("transaction", record.key(), record.value())
    assert read.model_dump(exclude_none=True) == EVENT.model_dump(exclude_none=True)
    assert read.model_extra == {"ledger": {"batch": None}}
    assert dict(record.headers() or []) == {
        "content-type": b"application/json",
        "ce_specversion": b"1.0",
        "ce_id": b"t-1",
        "ce_source": b"core%20banking/%E9%97%A8%E6%88%B7",
        "ce_type": b"fenghuo.transaction.v1",
        "ce_time": b"2026-07-10T01:30:00+00:00",
        "ce_subject": b"c1",
        "traceparent": TRACE.encode(),
    }


def test_fields_are_written_as_the_contract_wants_them(cluster: KafkaSettings) -> None:
    settings = cluster.model_copy(update={"namespace": "fields"})
    with Publisher(settings) as publisher:
        publisher.publish_fields("transaction", FIELDS)
    [record] = records(settings, "transactions", 1)
    read = decode("transaction", b"c1", record.value())
    assert isinstance(read, Transaction)
    assert read.amount == "12.30"
    assert read.model_extra == {"ledger": {"batch": None}}


def test_a_tick_goes_to_the_partition_it_names(cluster: KafkaSettings) -> None:
    settings = cluster.model_copy(update={"namespace": "ticks"})
    with Publisher(settings) as publisher:
        for number in range(4):
            publisher.publish(Tick(event_id=f"k-{number}", occurred_at=EVENT.occurred_at, source="clock", partition=number))
        with pytest.raises(Rejected) as caught:
            publisher.publish(Tick(event_id="k-4", occurred_at=EVENT.occurred_at, source="clock", partition=4))
    assert caught.value.field == "partition"
    assert sorted((record.partition(), record.key()) for record in records(settings, "ticks", 4)) == [(n, b"%d" % n) for n in range(4)]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"amount": 12.3}, "amount_format"),
        ({"amount": Decimal("12.345")}, "amount_decimals"),
        ({"occurred_at": datetime(2026, 7, 10)}, "naive_time"),  # noqa: DTZ001
        ({"customer_id": None}, "wrong_type"),
        ({"note": float("nan")}, "not_json"),
        ({"note": "\ud800"}, "not_json"),
        ({"note": object()}, "not_json"),
        ({"note": "x" * 2_000_000}, "too_large"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_the_workers_would_refuse_never_leaves(cluster: KafkaSettings, changes: dict[str, Any], reason: str) -> None:
    with Publisher(cluster) as publisher, pytest.raises(Rejected) as caught:
        publisher.publish_fields("transaction", FIELDS | changes)
    assert caught.value.reason == reason


def test_an_event_changed_after_it_was_checked_is_checked_again(cluster: KafkaSettings) -> None:
    event = EVENT.model_copy(update={"amount": "-1.00"})
    with Publisher(cluster) as publisher, pytest.raises(Rejected, match="must not be negative"):
        publisher.publish(event)


def test_a_malformed_traceparent_is_refused(cluster: KafkaSettings) -> None:
    with Publisher(cluster) as publisher, pytest.raises(ValueError, match="traceparent"):
        publisher.publish(EVENT, traceparent="xyz")


def test_a_topic_with_other_partitions_than_the_settings_say_is_not_written_to(cluster: KafkaSettings) -> None:
    settings = cluster.model_copy(update={"namespace": "narrow", "partitions": 6})
    with Publisher(settings) as publisher, pytest.raises(Unreachable, match="has 4 partitions, FENGHUO_KAFKA__PARTITIONS says 6"):
        publisher.publish(EVENT)


def test_many_threads_share_one_publisher_and_nothing_is_lost(cluster: KafkaSettings) -> None:
    settings = cluster.model_copy(update={"namespace": "many"})
    with Publisher(settings) as publisher:

        def work(thread: int) -> None:
            for number in range(250):
                publisher.publish(EVENT.model_copy(update={"event_id": f"{thread}-{number}", "customer_id": f"c{number}"}))

        threads = [threading.Thread(target=work, args=(thread,)) for thread in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    found = records(settings, "transactions", 1000)
    assert len({record.value() for record in found}) == 1000
    registry = load_registry("many")
    assert all(record.partition() == partition_of(record.key(), registry.partitions) for record in found)


def test_what_kafka_did_not_take_is_named() -> None:
    owner = confluent_kafka.Producer({"test.mock.num.brokers": 1, "bootstrap.servers": "unused"})
    [broker] = owner.list_topics(timeout=10).brokers.values()
    publisher = Publisher(KafkaSettings(bootstrap_servers=f"{broker.host}:{broker.port}"), delivery_seconds=1.0)
    first = publisher.publish(EVENT)
    publisher.flush()
    del owner  # the cluster is gone
    second = publisher.publish(EVENT.model_copy(update={"event_id": "t-2"}))
    with pytest.raises(Undelivered, match="1 events were not delivered") as caught:
        publisher.flush()
    assert caught.value.deliveries == [second]
    assert first.offset == 0
    assert "t-2" not in str(caught.value)
    publisher.flush()


def test_a_broker_that_is_not_there_is_said_at_once() -> None:
    publisher = Publisher(KafkaSettings(bootstrap_servers="127.0.0.1:1"), delivery_seconds=1.0)
    with pytest.raises(Unreachable, match=r"127\.0\.0\.1:1 does not answer"):
        publisher.publish(EVENT)
