"""What the engine publishes about itself; the names are declared in ``schemas/telemetry``."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from schemas.telemetry import Telemetry
from streams.engine.ports import Place, Processor


class Meter:
    """The engine's metrics for one processor. Cheap per frame, nothing per event."""

    def __init__(self, telemetry: Telemetry, processor: Processor) -> None:
        self._telemetry = telemetry
        self._group = processor.group
        self._topics = {kind: topic for topic, kind in processor.inputs.items()}

    def frame(self, number: int, frame: Any, applying: float, writing: float) -> None:
        """One durable frame: its events by outcome, and the seconds spent applying and writing it."""
        telemetry = self._telemetry
        settled = telemetry.counter("crm_events_settled_total")
        consumed = telemetry.counter("crm_events_consumed_total")
        total = 0
        for (kind, outcome), count in frame.counts.items():
            total += count
            settled.labels(kind, outcome).inc(count)
            consumed.labels(self._topics[kind], kind).inc(count)
            if outcome == "late":
                telemetry.counter("crm_late_events_total").labels(self._topics[kind]).inc(count)
            elif outcome == "duplicate":
                telemetry.counter("crm_duplicates_skipped_total").labels(self._topics[kind]).inc(count)
        for aside in getattr(frame, "set_aside", ()):
            if aside.reason != "late":
                telemetry.counter("crm_dlq_events_total").labels(aside.topic, aside.stage, aside.reason).inc()
        telemetry.histogram("crm_frame_events").observe(total)
        seconds = telemetry.histogram("crm_event_processing_seconds")
        seconds.labels("apply").observe(applying)
        seconds.labels("commit").observe(writing)
        if frame.clock is not None:
            telemetry.gauge("crm_watermark_timestamp_seconds").labels(number).set(frame.clock / 1000)

    def settled(self, oldest: Sequence[int]) -> None:
        """The oldest record's broker time in ms, per input that a frame settled."""
        if oldest:
            self._telemetry.histogram("crm_event_end_to_end_seconds").observe(max(0.0, time.time() - min(oldest) / 1000))

    def in_hand(self, number: int, events: int) -> None:
        self._telemetry.gauge("crm_events_in_hand").labels(number).set(events)

    def lag(self, place: Place, events: int, seconds: float) -> None:
        """Records not durable yet, and the age of the oldest of them in seconds."""
        labels = (self._group, place.topic, place.partition)
        self._telemetry.gauge("crm_consumer_lag_events").labels(*labels).set(events)
        self._telemetry.gauge("crm_consumer_lag_seconds").labels(*labels).set(seconds)

    def recovered(self, seconds: float) -> None:
        self._telemetry.histogram("crm_recovery_seconds").observe(seconds)

    def owned(self, partitions: int) -> None:
        self._telemetry.gauge("crm_partitions_owned").set(partitions)

    def gone(self, number: int, places: Sequence[Place]) -> None:
        """A partition is no longer ours: its gauges would only mislead."""
        for name in ("crm_events_in_hand", "crm_watermark_timestamp_seconds"):
            self._remove(name, (str(number),))
        for place in places:
            for name in ("crm_consumer_lag_events", "crm_consumer_lag_seconds"):
                self._remove(name, (self._group, place.topic, str(place.partition)))

    def _remove(self, name: str, labels: tuple[str, ...]) -> None:
        try:
            self._telemetry.gauge(name).remove(*labels)
        except KeyError:
            return

    def broker(self, up: bool) -> None:
        self._telemetry.gauge("crm_dependency_up").labels("kafka").set(up)
