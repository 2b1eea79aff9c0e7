"""What an upstream system sends events with: checked before they leave, keyed and placed as the workers expect, delivery confirmed.

An event that would be dead-lettered is refused here instead, at the desk of those who can mend it.
"""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Final, Self, cast

from confluent_kafka import KafkaError, KafkaException, Message, Producer
from pydantic_core import PydanticSerializationError, to_json

from schemas.cloudevents import cloud_event_headers
from schemas.codec import key_of, validate
from schemas.connection import KafkaSettings
from schemas.events import MODELS, AnyEvent, EventKind, Tick
from schemas.rejection import Rejected
from schemas.topics import Topic, partition_of

_KIND_OF: Final = {model: kind for kind, model in MODELS.items()}
_TRACEPARENT: Final = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
_REPLY_SECONDS: Final = 10.0


@dataclass(eq=False, slots=True)
class Delivery:
    """One event on its way. ``offset`` is set once the broker has it on all in-sync replicas, ``error`` once it is given up."""

    kind: EventKind
    event_id: str
    topic: str
    partition: int
    offset: int | None = field(default=None, init=False)
    error: str | None = field(default=None, init=False)

    @property
    def done(self) -> bool:
        """Whether its fate is known."""
        return self.offset is not None or self.error is not None


class Undelivered(Exception):
    """Events that Kafka did not take. ``deliveries`` names them, for sending again: a second copy of an event does no harm."""

    def __init__(self, deliveries: list[Delivery]) -> None:
        reasons = sorted({delivery.error or "no answer in time" for delivery in deliveries})
        super().__init__(f"{len(deliveries)} events were not delivered ({'; '.join(reasons)}): send them again, with the same event_id")
        self.deliveries = deliveries


class Unreachable(Exception):
    """Kafka does not answer, or is not as the settings say: nothing can be published."""


class Publisher:
    """Sends events to the input topics. Safe to share among threads.

    ``delivery_seconds`` is how long an event is tried before it is given up. Use it in a ``with`` block, or call ``flush``:
    only then is delivery confirmed.
    """

    def __init__(self, settings: KafkaSettings, *, client_id: str = "fenghuo-publisher", delivery_seconds: float = 120.0) -> None:
        self._registry = settings.registry()
        self._servers = settings.bootstrap_servers
        self._delivery_seconds = delivery_seconds
        self._producer = Producer(
            {
                **settings.client_config(),
                "client.id": client_id,
                "enable.idempotence": True,
                "acks": "all",
                "compression.type": "lz4",
                "linger.ms": 5,
                "delivery.timeout.ms": int(delivery_seconds * 1000),
            },
            logger=logging.getLogger("fenghuo.kafka"),
        )
        self._checked: set[str] = set()
        self._checking = threading.Lock()
        self._under_way: set[Delivery] = set()

    def publish(self, event: AnyEvent, *, traceparent: str | None = None) -> Delivery:
        """Queue one event. Unknown fields are kept.

        Raises Rejected where the workers would refuse it, ValueError for a malformed ``traceparent``, Unreachable.
        """
        absent = {name for name in type(event).model_fields if getattr(event, name, None) is None}
        return self._publish(_KIND_OF[type(event)], lambda: event.__pydantic_serializer__.to_json(event, exclude=absent, warnings=False), traceparent)

    def publish_fields(self, kind: EventKind, fields: Mapping[str, Any], *, traceparent: str | None = None) -> Delivery:
        """Queue one event given by its fields; Decimal amounts and aware datetimes are written as the contract wants them.

        Raises as ``publish`` does.
        """
        return self._publish(kind, lambda: to_json(dict(fields), inf_nan_mode="constants"), traceparent)

    def flush(self) -> None:
        """Wait until the fate of every event is known. Raises Undelivered with those that Kafka did not take."""
        self._producer.flush(self._delivery_seconds + _REPLY_SECONDS)
        lost = [delivery for delivery in list(self._under_way) if delivery.offset is None]
        self._under_way.difference_update(lost)
        if lost:
            raise Undelivered(lost)

    def _publish(self, kind: EventKind, encode: Callable[[], bytes], traceparent: str | None) -> Delivery:
        if traceparent is not None and not _TRACEPARENT.fullmatch(traceparent):
            raise ValueError("traceparent is not a W3C trace context, version-trace-parent-flags in lower-case hex")
        value = _encoded(encode)
        event = validate(kind, value)
        key = key_of(event)
        topic = self._registry.inputs[kind]
        self._check(topic)
        headers = cloud_event_headers(kind, event)
        if traceparent is not None:
            headers.append(("traceparent", traceparent.encode()))
        delivery = Delivery(kind, event.event_id, topic.name, _partition(event, key, topic.partitions))
        self._under_way.add(delivery)
        self._enqueue(delivery, key, value, headers)
        return delivery

    def _enqueue(self, delivery: Delivery, key: bytes, value: bytes, headers: list[tuple[str, bytes]]) -> None:
        def settle(error: KafkaError | None, message: Message) -> None:
            if error is None:
                delivery.offset = message.offset()
                self._under_way.discard(delivery)
            else:
                delivery.error = error.name()

        give_up = time.monotonic() + self._delivery_seconds
        while True:
            try:
                self._producer.produce(delivery.topic, value, key, delivery.partition, on_delivery=settle, headers=cast(Any, headers))
            except BufferError:  # the local queue is full: let it drain, which slows the caller to Kafka's pace
                if time.monotonic() > give_up:
                    delivery.error = "queue full"
                    return
                self._producer.poll(0.1)
            except KafkaException as wrong:
                delivery.error = wrong.args[0].name()
                return
            else:
                self._producer.poll(0)
                return

    def _check(self, topic: Topic) -> None:
        """A customer must stay in one partition, so the topic must have the partitions that the settings say. Asked once a topic."""
        if topic.name in self._checked:
            return
        with self._checking:
            try:
                found = self._producer.list_topics(topic.name, timeout=min(_REPLY_SECONDS, self._delivery_seconds)).topics[topic.name]
            except KafkaException as wrong:
                raise Unreachable(f"Kafka at {self._servers} does not answer ({wrong.args[0].name()})") from None
            if found.error is not None:
                raise Unreachable(f"{topic.name}: {found.error.name()}; fenghuo topics apply creates it")
            if len(found.partitions) != topic.partitions:
                raise Unreachable(f"{topic.name} has {len(found.partitions)} partitions, FENGHUO_KAFKA__PARTITIONS says {topic.partitions}")
            self._checked.add(topic.name)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        try:
            self.flush()
        except Undelivered as lost:
            if error is None:
                raise
            error.add_note(str(lost))


def _encoded(encode: Callable[[], bytes]) -> bytes:
    try:
        return encode()
    except (PydanticSerializationError, RecursionError):  # its text may hold the value
        raise Rejected("decode", "not_json", "a field holds what JSON cannot write (an object of Python's, a lone surrogate, a cycle)") from None


def _partition(event: AnyEvent, key: bytes, partitions: int) -> int:
    if not isinstance(event, Tick):
        return partition_of(key, partitions)
    if event.partition >= partitions:
        raise Rejected("validate", "bad_format", f"partition is above its upper limit (topics have {partitions} partitions)", "partition")
    return event.partition
