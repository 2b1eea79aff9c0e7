"""Rows that ClickHouse refuses go where every record goes that cannot be applied: the dead-letter topic, byte for byte, with the reason."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from confluent_kafka import KafkaException, Producer

from schemas.connection import KafkaSettings
from schemas.outputs import SetAside


@dataclass(frozen=True, slots=True)
class Refused:
    """One record that ClickHouse would not take, and where it came from."""

    key: bytes | None
    value: bytes
    partition: int
    why: SetAside


class DeadLetters(Protocol):
    """Where refused rows go."""

    def put(self, refused: list[Refused]) -> None:
        """Returns once all are safe. Raises KafkaException otherwise: then none may be taken as set aside."""


class MemoryDeadLetters:
    """For tests."""

    def __init__(self) -> None:
        self.refused: list[Refused] = []

    def put(self, refused: list[Refused]) -> None:
        self.refused += refused


class KafkaDeadLetters:
    """The topic ``dead-letters``, through a producer that is opened when it is first needed.

    Not part of a transaction: a crash between this and the offset commit writes them twice. The view
    ``v_dead_letters`` shows each once.
    """

    def __init__(self, kafka: KafkaSettings) -> None:
        self._kafka = kafka
        self._topic = kafka.registry().name("dead-letters")
        self._producer: Producer | None = None

    def put(self, refused: list[Refused]) -> None:
        if self._producer is None:
            self._producer = Producer({**self._kafka.client_config(), "enable.idempotence": True, "acks": "all", "delivery.timeout.ms": 30_000})
        failed: list[object] = []
        for one in refused:
            self._producer.produce(
                self._topic,
                key=one.key,
                value=one.value,
                partition=one.partition,
                headers=one.why.headers([]),  # type: ignore[arg-type]
                on_delivery=lambda error, _: failed.append(error) if error else None,
            )
        if self._producer.flush(35) or failed:
            raise KafkaException(failed[0] if failed else "dead letters were not confirmed in 35 s")
