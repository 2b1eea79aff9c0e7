"""What the engine takes from outside itself: Kafka clients, a clock and a pause. A simulation of the engine gives its own.

The clients are librdkafka's, with one logger for all. Consumer membership is Faust's and comes in through ``ports.Reader``.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from confluent_kafka import Consumer, Producer
from confluent_kafka.admin import AdminClient

from streams.engine.quiet import CLIENT_LOG
from streams.engine.steps import Observer, unobserved

Config = Mapping[str, Any]


def _producer(config: Config) -> Producer:
    return Producer(dict(config), logger=CLIENT_LOG)


def _consumer(config: Config) -> Consumer:
    return Consumer(dict(config), logger=CLIENT_LOG)


def _admin(config: Config) -> AdminClient:
    return AdminClient(dict(config), logger=CLIENT_LOG)


@dataclass(frozen=True)
class Outside:
    """``monotonic`` and ``sleep`` are in seconds; a client is made from librdkafka's own settings; ``observe`` is told of every step of every lane."""

    producer: Callable[[Config], Producer] = _producer
    consumer: Callable[[Config], Consumer] = _consumer
    admin: Callable[[Config], AdminClient] = _admin
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    observe: Observer = unobserved


REAL = Outside()
