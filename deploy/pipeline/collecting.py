"""Reads what the workers wrote, partition by partition in the order of offsets, into the same files that a replay writes."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any, Final

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, Message, TopicPartition

from deploy.errors import DependencyLost
from deploy.output_files import FILES, OutputFiles
from schemas.connection import KafkaSettings
from schemas.topics import Registry
from streams.partition_record import KEY, decode_record
from streams.records import Output

_CHANGELOG: Final = "customer-changelog"
_SILENCE_SECONDS: Final = 60.0


def collect(kafka: KafkaSettings, files: OutputFiles, *, journal: bool) -> None:
    """Write every committed output record into ``files``, with each partition's account. Raises DependencyLost when the broker stays away."""
    registry = kafka.registry()
    shorts = [*FILES, _CHANGELOG, *(["journal"] if journal else [])]
    consumer = _reader(kafka)
    try:
        for partition in range(registry.partitions):
            account: bytes | None = None
            for short, message in _read_to_end(consumer, registry, shorts, partition):
                if short == _CHANGELOG:
                    account = message.value() if message.key() == KEY else account
                else:
                    files.write(partition, Output(short, message.key(), message.value(), message.headers() or []))  # type: ignore[arg-type]
            if account is not None:
                files.account(partition, decode_record(account))
    finally:
        consumer.close()


def _reader(kafka: KafkaSettings) -> Consumer:
    settings: dict[str, Any] = {
        "group.id": f"{kafka.namespace}.collect",  # required by the client, not used: partitions are assigned, nothing is committed
        "isolation.level": "read_committed",
        "enable.auto.commit": False,
        "enable.partition.eof": True,
        "fetch.wait.max.ms": 50,
        "queued.max.messages.kbytes": 64 << 10,
    }
    return Consumer(kafka.client_config() | settings)


def _read_to_end(consumer: Consumer, registry: Registry, shorts: Sequence[str], partition: int) -> Iterator[tuple[str, Message]]:
    """All records of one partition of these topics; each topic's in the order of offsets."""
    names = {registry.name(short): short for short in shorts}
    consumer.assign([TopicPartition(name, partition, OFFSET_BEGINNING) for name in names])
    open_topics = set(names)
    heard = time.monotonic()
    while open_topics:
        for message in consumer.consume(1000, 0.05):
            heard = time.monotonic()
            error = message.error()
            if error is None:
                yield names[message.topic() or ""], message
            elif error.code() == KafkaError._PARTITION_EOF:
                open_topics.discard(message.topic() or "")
            elif not error.retriable():
                raise DependencyLost(f"reading {message.topic()}[{partition}] failed: {error.str()}", "check the broker")
        if time.monotonic() - heard > _SILENCE_SECONDS:
            raise DependencyLost(f"no answer from Kafka for {_SILENCE_SECONDS:.0f} s while reading {', '.join(sorted(open_topics))}", "check the broker")
    consumer.unassign()
