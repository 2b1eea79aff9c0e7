"""Follows the alerts topic while the workers write it, for whoever watches."""

from __future__ import annotations

from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

from schemas.connection import KafkaSettings
from schemas.outputs import Alert


class AlertFeed:
    """Every revision of every alert from the topic's start on, each once. A context manager."""

    def __init__(self, kafka: KafkaSettings) -> None:
        topic = kafka.registry().topic("alerts")
        config = {"group.id": f"{kafka.namespace}.watch", "isolation.level": "read_committed", "enable.auto.commit": False, "fetch.wait.max.ms": 100}
        self._consumer = Consumer(kafka.client_config() | config)
        self._consumer.assign([TopicPartition(topic.name, partition, OFFSET_BEGINNING) for partition in range(topic.partitions)])
        self.revisions: list[Alert] = []

    def poll(self, seconds: float) -> list[Alert]:
        """The revisions that have come within ``seconds``; all of them are kept in ``revisions``."""
        fresh = [Alert.model_validate_json(message.value() or b"") for message in self._consumer.consume(1000, seconds) if message.error() is None]
        self.revisions += fresh
        return fresh

    def __enter__(self) -> AlertFeed:
        return self

    def __exit__(self, *_: object) -> None:
        self._consumer.close()
