"""Publishing input records to Kafka fast, in the order given within each partition, with every delivery confirmed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from deploy.errors import DependencyLost, UserError
from deploy.inputs import InputRecord
from schemas.connection import KafkaSettings
from schemas.topics import Registry

_PROGRESS_EVERY = 2_000
_ANSWER_SECONDS = 15.0


class InputPublisher:
    """An idempotent producer of input records. Call ``publish`` any number of times, then ``finish``.

    Raises DependencyLost when the broker does not answer, UserError when an input topic is missing or has another partition count.
    """

    def __init__(self, kafka: KafkaSettings, registry: Registry, progress: Callable[[int], None] | None = None) -> None:
        self._names = {topic.short: topic.name for topic in registry.topics}
        self._progress = progress
        self._failure: KafkaError | None = None
        self.sent = 0
        self.confirmed = 0
        self._producer = Producer(
            kafka.client_config()
            | {
                "log_level": 0,  # what matters comes back as an error
                "acks": "all",
                "enable.idempotence": True,
                "linger.ms": 20,
                "batch.size": 1 << 20,
                "compression.type": "lz4",
                "queue.buffering.max.messages": 200_000,
                "queue.buffering.max.kbytes": 256 << 10,
                "delivery.timeout.ms": 120_000,
            }
        )
        self._check_topics(registry)

    def _check_topics(self, registry: Registry) -> None:
        try:
            found = self._producer.list_topics(timeout=_ANSWER_SECONDS).topics
        except KafkaException as error:
            raise DependencyLost(
                f"Kafka does not answer: {error.args[0].str()}", "start it, or set FENGHUO_KAFKA__BOOTSTRAP_SERVERS; --out writes a file instead"
            ) from None
        for topic in registry.inputs.values():
            partitions = len(found[topic.name].partitions) if topic.name in found else 0
            if partitions != registry.partitions:
                raise UserError(f"topic {topic.name} has {partitions} partitions, {registry.partitions} are set", "fenghuo topics plan shows what to put right")

    def publish(self, records: Iterable[InputRecord]) -> None:
        """Send records. Blocks while the local queue is full. Raises DependencyLost when the broker refuses or stays away."""
        produce, poll = self._producer.produce, self._producer.poll
        for topic, partition, key, value in records:
            while True:
                try:
                    produce(self._names[topic], value=value, key=key, partition=partition, on_delivery=self._delivered)
                    break
                except BufferError:
                    poll(0.1)
                    self._check()
                except KafkaException as error:
                    self._failure = error.args[0]
                    self._check()
            self.sent += 1
            if self.sent % _PROGRESS_EVERY == 0:
                poll(0)
                self._check()
                if self._progress is not None:
                    self._progress(self.sent)

    def finish(self, timeout_seconds: float = 120.0) -> int:
        """Wait until every record is confirmed; returns how many. Raises DependencyLost otherwise."""
        deadline = time.monotonic() + timeout_seconds
        while self._producer.flush(1.0) and time.monotonic() < deadline:
            self._check()
        self._check()
        if self.confirmed != self.sent:
            raise DependencyLost(f"Kafka confirmed {self.confirmed} of {self.sent} records in time", "check the broker; publishing the same file again is safe")
        if self._progress is not None:
            self._progress(self.sent)
        return self.confirmed

    def _delivered(self, error: KafkaError | None, _: Any | Message) -> None:
        if error is None:
            self.confirmed += 1
        else:
            self._failure = self._failure or error

    def _check(self) -> None:
        if self._failure is not None:
            raise DependencyLost(
                f"publishing stopped after {self.confirmed} confirmed records: {self._failure.str()}",
                "check the broker and its topics (fenghuo topics plan); publishing the same file again is safe: copies are counted and skipped",
            )
