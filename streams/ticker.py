"""The clock: one tick per partition per interval, so that "nothing happened" is judged from the log and replays identically.

This is the one place where wall-clock time enters the pipeline. Instants are multiples of the interval and event ids follow from
them, so a second clock for safety publishes the same ticks, which do no harm. A tick that could not be sent is not sent later: the
next one says more.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from schemas.connection import KafkaSettings
from schemas.telemetry import Telemetry

log = logging.getLogger("fenghuo.clock")

SOURCE: Final = "fenghuo-clock"
ALIVE_INTERVALS: Final = 10


def tick(at: float, partition: int) -> bytes:
    """The value of one tick; ``at`` in seconds since 1970, to the millisecond."""
    instant = datetime.fromtimestamp(round(at, 3), UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return json.dumps(
        {"event_id": f"tick-{partition}-{round(at * 1000)}", "occurred_at": instant, "source": SOURCE, "partition": partition}, separators=(",", ":")
    ).encode()


class Ticker:
    """Publishes ticks until stopped. ``run`` once; the other methods may be called from any thread."""

    def __init__(self, kafka: KafkaSettings, telemetry: Telemetry, interval: float, now: Callable[[], float] = time.time) -> None:
        """``interval`` in seconds; ``now`` gives seconds since 1970."""
        self._topic = kafka.registry().name("ticks")
        self._servers = kafka.bootstrap_servers
        self._partitions = kafka.partitions
        self._interval = interval
        self._now = now
        self._telemetry = telemetry
        self._stop = threading.Event()
        self._turned = time.monotonic()
        self._up = False
        self._complained = False
        timeout = int(max(5.0, interval * 2) * 1000)
        self._producer = Producer(
            kafka.client_config() | {"acks": "all", "enable.idempotence": True, "linger.ms": 0, "message.timeout.ms": timeout, "log_level": 0}
        )

    def live(self) -> bool:
        """Whether the clock has turned within its last ten intervals."""
        return time.monotonic() - self._turned < max(10.0, self._interval * ALIVE_INTERVALS)

    def waiting_for(self) -> list[str]:
        """Kafka, until it has confirmed the latest ticks; empty when ready."""
        return [] if self._up else [f"kafka {self._servers}"]

    def stop(self) -> None:
        self._stop.set()

    def run(self) -> int:
        """Tick until stopped. 0 when the last ticks are confirmed or given up; a broker that is down is waited for."""
        log.info("a tick every %g s to %d partitions of %s", self._interval, self._partitions, self._topic)
        while not self._stop.is_set():
            at = self._now() // self._interval * self._interval
            self.publish(at)
            self._turned = time.monotonic()
            while not self._stop.is_set() and self._now() < at + self._interval:
                self._producer.poll(0)
                self._stop.wait(min(0.25, max(0.01, at + self._interval - self._now())))
        self._producer.flush(5 if self._up else 0.5)
        log.info("the clock has stopped")
        return 0

    def publish(self, at: float) -> None:
        """One tick to every partition; confirmed, or given up with a line in the log, within two intervals."""
        for partition in range(self._partitions):
            try:
                self._producer.produce(self._topic, tick(at, partition), b"%d" % partition, partition, on_delivery=self._delivered)
            except (BufferError, KafkaException) as error:
                self._lost(type(error).__name__)
        self._producer.poll(0)

    def _delivered(self, error: KafkaError | None, _message: Message[bytes, bytes]) -> None:
        if error is not None:
            self._lost(error.name())
            return
        if not self._up and self._complained:
            log.info("kafka answers again")
        self._up, self._complained = True, False
        self._telemetry.counter("crm_ticks_total").inc()
        self._telemetry.gauge("crm_dependency_up").labels("kafka").set(1)

    def _lost(self, why: str) -> None:
        if not self._complained:
            log.warning("ticks are not delivered (%s); time-driven warnings wait until Kafka is back", why)
        self._up, self._complained = False, True
        self._telemetry.gauge("crm_dependency_up").labels("kafka").set(0)
