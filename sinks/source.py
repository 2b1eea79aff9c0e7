"""Where the sink reads: a Kafka consumer group with manual commits, behind a contract that a test can fulfil from memory."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicCollection, TopicPartition
from confluent_kafka.admin import AdminClient

from schemas.connection import KafkaSettings
from schemas.telemetry import Telemetry
from sinks.rows import TOPICS

log = logging.getLogger(__name__)

_MESSAGES = 10_000
_CRITICAL = 2  # librdkafka's own log of a short-lived client: its errors are raised anyway

#: A topic's short name and a partition number.
Place = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Fetched:
    """One record."""

    place: Place
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]]


@dataclass(frozen=True, slots=True)
class End:
    """The partition was read up to ``offset`` (exclusive), its end at that moment."""

    place: Place
    offset: int


class NotOwner(Exception):
    """A commit was refused: the partition went to another member. Its rows are safe: the new owner repeats the same ranges."""


class KafkaGone(Exception):
    """The consumer cannot go on: a fatal error of librdkafka."""


class Source(Protocol):
    """What the sink needs of Kafka. All calls come from one thread."""

    def open(self, assigned: Callable[[list[Place]], None], revoked: Callable[[list[Place]], None]) -> None: ...
    def incarnations(self) -> dict[str, str]:
        """An id of each topic, by short name, that another topic of the same name does not have. Raises KafkaException."""

    def poll(self, timeout: float) -> list[Fetched | End]:
        """What came within ``timeout`` seconds. Raises KafkaGone."""

    def pause(self) -> None: ...
    def resume(self) -> None: ...
    def commit(self, positions: Mapping[Place, int]) -> None:
        """Next offsets to read. Raises NotOwner; KafkaException when the broker is away."""

    def lag(self, place: Place, position: int) -> int | None:
        """Records behind ``position``, if known."""

    def close(self) -> None: ...


class KafkaSource:
    """The consumer group ``<namespace>-<group>`` on the topics of ``sinks.rows``."""

    def __init__(self, kafka: KafkaSettings, group: str, session_seconds: float, telemetry: Telemetry) -> None:
        registry = kafka.registry()
        self._names = {short: registry.name(short) for short in TOPICS}
        self._shorts = {name: short for short, name in self._names.items()}
        self._kafka = kafka
        self._session_seconds = session_seconds
        self._up = telemetry.gauge("crm_dependency_up").labels("kafka")
        self.group = f"{kafka.namespace}-{group}"
        self._consumer: Consumer | None = None
        self._paused = False

    def open(self, assigned: Callable[[list[Place]], None], revoked: Callable[[list[Place]], None]) -> None:
        consumer = Consumer(
            {
                **self._kafka.client_config(),
                "group.id": self.group,
                "client.id": "fenghuo-sink",
                "enable.auto.commit": False,
                "isolation.level": "read_committed",
                "auto.offset.reset": "earliest",
                "enable.partition.eof": True,
                "partition.assignment.strategy": "range",
                "session.timeout.ms": round(self._session_seconds * 1000),
                "heartbeat.interval.ms": round(self._session_seconds * 1000 / 4),
                "max.poll.interval.ms": 300_000,
                "fetch.max.bytes": 64 * 2**20,
                "fetch.message.max.bytes": 4 * 2**20,
                "queued.max.messages.kbytes": 64 * 1024,
                "fetch.queue.backoff.ms": 20,  # with 64 MiB in the queue; a second by default, in which a sink that is behind runs dry
                "topic.metadata.refresh.interval.ms": 10_000,
                "logger": log,
            }
        )

        def taken(_: Consumer, partitions: list[TopicPartition]) -> None:
            self._paused = False
            assigned([self._place(one) for one in partitions])

        def lost(_: Consumer, partitions: list[TopicPartition]) -> None:
            revoked([self._place(one) for one in partitions])

        consumer.subscribe(list(self._names.values()), on_assign=taken, on_revoke=lost, on_lost=lost)
        self._consumer = consumer

    def incarnations(self) -> dict[str, str]:
        admin = AdminClient({**self._kafka.client_config(), "log_level": _CRITICAL})
        described = admin.describe_topics(TopicCollection(list(self._names.values())), request_timeout=10)
        return {self._shorts[name]: str(future.result(15).topic_id) for name, future in described.items()}

    def poll(self, timeout: float) -> list[Fetched | End]:
        found: list[Fetched | End] = []
        consumer = self._open()
        for message in consumer.consume(num_messages=_MESSAGES, timeout=0) or consumer.consume(num_messages=_MESSAGES, timeout=timeout):
            error = message.error()
            if error is None:
                found.append(self._fetched(message))
            elif error.code() == KafkaError._PARTITION_EOF:
                found.append(End((self._shorts[str(message.topic())], int(message.partition() or 0)), int(message.offset() or 0)))
            elif error.fatal():
                raise KafkaGone(f"Kafka: {error.name()}")
            else:
                self._up.set(0)
                log.warning("Kafka: %s", error.name())
        if found:
            self._up.set(1)
        return found

    def pause(self) -> None:
        if not self._paused:
            consumer = self._open()
            consumer.pause(consumer.assignment())
            self._paused = True

    def resume(self) -> None:
        if self._paused:
            consumer = self._open()
            consumer.resume(consumer.assignment())
            self._paused = False

    def commit(self, positions: Mapping[Place, int]) -> None:
        offsets = [TopicPartition(self._names[short], partition, position) for (short, partition), position in positions.items()]
        try:
            done = self._open().commit(offsets=offsets, asynchronous=False) or []
        except KafkaException as error:
            if error.args[0].code() in _NOT_OWNER:
                raise NotOwner(error.args[0].name()) from error
            raise
        for one in done:
            if one.error is not None:
                if one.error.code() in _NOT_OWNER:
                    raise NotOwner(one.error.name())
                raise KafkaException(one.error)

    def lag(self, place: Place, position: int) -> int | None:
        _, end = self._open().get_watermark_offsets(TopicPartition(self._names[place[0]], place[1]), cached=True)
        return max(0, end - position) if end >= 0 else None

    def close(self) -> None:
        if self._consumer is not None:
            self._consumer.close()
            self._consumer = None

    def _open(self) -> Consumer:
        if self._consumer is None:
            raise RuntimeError("the source is not open")
        return self._consumer

    def _place(self, one: TopicPartition) -> Place:
        return self._shorts[one.topic], one.partition

    def _fetched(self, message: Message) -> Fetched:
        key, value = message.key(), message.value()
        return Fetched(
            (self._shorts[str(message.topic())], int(message.partition() or 0)),
            int(message.offset() or 0),
            message.timestamp()[1],
            key.encode() if isinstance(key, str) else key,
            value.encode() if isinstance(value, str) else value,
            _headers(message),
        )


def _headers(message: Message) -> list[tuple[str, bytes | None]]:
    headers: Any = message.headers() or ()
    return [(name, value.encode() if isinstance(value, str) else value) for name, value in headers]


_NOT_OWNER = frozenset(
    {
        KafkaError.ILLEGAL_GENERATION,
        KafkaError.UNKNOWN_MEMBER_ID,
        KafkaError.REBALANCE_IN_PROGRESS,
        KafkaError.FENCED_INSTANCE_ID,
        KafkaError._ASSIGNMENT_LOST,
        KafkaError._STATE,
        KafkaError._NO_OFFSET,
    }
)
