"""Reads topic partitions from where they begin to where they end, whatever a broker says of its ends."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any, Final

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, Message, TopicPartition

from deploy.errors import DependencyLost
from schemas.connection import KafkaSettings

_SILENCE_SECONDS: Final = 60.0


class TopicReader:
    """A consumer outside of any group; it commits nothing. Close it."""

    def __init__(self, kafka: KafkaSettings) -> None:
        settings: dict[str, Any] = {
            "group.id": f"{kafka.namespace}-audit",  # asked for by the client, never joined
            "isolation.level": "read_committed",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "fetch.wait.max.ms": 50,
            "queued.max.messages.kbytes": 64 << 10,
        }
        self._consumer = Consumer(kafka.client_config() | settings)
        #: Where each partition read so far ended: the offset that the next record will have.
        self.ends: dict[tuple[str, int], int] = {}

    def begin(self, topic: str, partition: int) -> int:
        """The first offset that the broker still has."""
        low, _ = self._consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=15)
        return int(low)

    def read(self, topics: list[str], partitions: int, start: dict[tuple[str, int], int] | None = None) -> Iterator[Message]:
        """Every committed record, from ``start`` or the beginning; topics and partitions are interleaved. Raises DependencyLost."""
        waiting = {(topic, number) for topic in topics for number in range(partitions)}
        self._consumer.assign([TopicPartition(*place, (start or {}).get(place, OFFSET_BEGINNING)) for place in waiting])
        heard = time.monotonic()
        while waiting:
            for message in self._consumer.consume(1000, 0.1):
                heard = time.monotonic()
                error, place = message.error(), (message.topic() or "", message.partition() or 0)
                if error is None:
                    yield message
                elif error.code() == KafkaError._PARTITION_EOF:
                    waiting.discard(place)
                    self.ends[place] = message.offset() or 0
                elif not error.retriable():
                    raise DependencyLost(f"reading {place[0]}[{place[1]}] failed: {error.name()}", "check the broker, then run it again")
            if time.monotonic() - heard > _SILENCE_SECONDS:
                raise DependencyLost(
                    f"no answer from Kafka for {_SILENCE_SECONDS:.0f} s while reading {', '.join(sorted({one for one, _ in waiting}))}", "check the broker"
                )
        self._consumer.unassign()

    def close(self) -> None:
        """Leave the broker."""
        self._consumer.close()


def committed_offsets(kafka: KafkaSettings, group: str, topics: list[str], partitions: int) -> dict[tuple[str, int], int]:
    """A group's committed offsets; partitions without one are missing. The group is asked, not joined."""
    consumer = Consumer(kafka.client_config() | {"group.id": group, "enable.auto.commit": False})
    try:
        asked = [TopicPartition(topic, number) for topic in topics for number in range(partitions)]
        return {(one.topic, one.partition): one.offset for one in consumer.committed(asked, timeout=15) if one.offset >= 0}
    finally:
        consumer.close()
