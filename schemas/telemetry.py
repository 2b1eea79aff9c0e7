"""What the processes say about themselves: every Prometheus metric, declared once, with kind, unit, labels and meaning.

A process asks ``Telemetry`` for a metric by its name; one that is not declared here cannot be published, and the table in
``docs/observability.md`` is rendered from here. Labels are bounded: topics, partitions, kinds, codes. Never a customer, an
account or anything else that grows with the bank. (The bank's own metrics, about customers, are in ``schemas/metrics``.)
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

FORBIDDEN_LABELS = frozenset(
    {"customer", "customer_id", "account", "account_id", "event_id", "alert_id", "subject", "subject_id", "key", "name", "display_name"}
)


class Kind(StrEnum):
    """How Prometheus reads the metric."""

    COUNTER = "counter"  # only rises; take its rate
    GAUGE = "gauge"  # a value now
    HISTOGRAM = "histogram"  # a distribution


@dataclass(frozen=True, slots=True)
class TelemetryMetric:
    """One declaration. ``buckets`` are upper bounds in the metric's unit, for histograms only."""

    name: str
    kind: Kind
    unit: str
    labels: tuple[str, ...]
    meaning: str
    buckets: tuple[float, ...] = ()


FAST_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
LAG_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 3600.0)
ROWS = (1.0, 10.0, 100.0, 1_000.0, 5_000.0, 10_000.0, 50_000.0, 100_000.0, 500_000.0)

_DECLARED = (
    TelemetryMetric("crm_build_info", Kind.GAUGE, "1", ("version", "python"), "Always 1; the labels say which version runs."),
    # -- worker: input ------------------------------------------------------------------------------------------------
    TelemetryMetric(
        "crm_events_consumed_total", Kind.COUNTER, "events", ("topic", "kind"), "Records taken from an input topic and settled, whatever became of them."
    ),
    TelemetryMetric(
        "crm_events_settled_total",
        Kind.COUNTER,
        "events",
        ("kind", "outcome"),
        "The four counters: every consumed record ends as exactly one of applied, duplicate, late, dead_lettered.",
    ),
    TelemetryMetric(
        "crm_dlq_events_total",
        Kind.COUNTER,
        "events",
        ("topic", "stage", "reason"),
        "Records set aside in the dead-letter topic, by the step that refused them and the reason code.",
    ),
    TelemetryMetric("crm_late_events_total", Kind.COUNTER, "events", ("topic",), "Records older than the horizon, sent to the late-events topic."),
    TelemetryMetric(
        "crm_duplicates_skipped_total", Kind.COUNTER, "events", ("topic",), "Second copies of an event id within the horizon, counted and skipped."
    ),
    TelemetryMetric("crm_events_in_hand", Kind.GAUGE, "events", ("partition",), "Records fetched and waiting for the merge."),
    # -- worker: frames -----------------------------------------------------------------------------------------------
    TelemetryMetric("crm_frame_events", Kind.HISTOGRAM, "events", (), "Events settled by one frame: it grows with the backlog.", ROWS),
    TelemetryMetric(
        "crm_event_processing_seconds", Kind.HISTOGRAM, "seconds", ("step",), "Time one frame spent in a step: merge, apply, write, commit.", FAST_SECONDS
    ),
    TelemetryMetric("crm_event_end_to_end_seconds", Kind.HISTOGRAM, "seconds", (), "From the record's Kafka timestamp to its frame's commit.", LAG_SECONDS),
    TelemetryMetric("crm_frames_failed_total", Kind.COUNTER, "frames", ("reason",), "Frames that could not be made durable; each one stops the worker."),
    TelemetryMetric("crm_warnings_total", Kind.COUNTER, "warnings", ("kind", "severity"), "Alert revisions published, by rule type and grade."),
    TelemetryMetric("crm_snapshots_total", Kind.COUNTER, "snapshots", (), "Metrics snapshots published."),
    # -- worker: state ------------------------------------------------------------------------------------------------
    TelemetryMetric("crm_partitions_owned", Kind.GAUGE, "partitions", (), "Partitions assigned to this worker and recovered."),
    TelemetryMetric("crm_state_customers", Kind.GAUGE, "customers", ("partition",), "Customers with state in a partition's store."),
    TelemetryMetric("crm_state_bytes", Kind.GAUGE, "bytes", ("partition",), "Size of a partition's store as in its changelog."),
    TelemetryMetric("crm_recovery_seconds", Kind.HISTOGRAM, "seconds", (), "Time to read one partition's changelog back when it is assigned.", LAG_SECONDS),
    # -- lag and clock ------------------------------------------------------------------------------------------------
    TelemetryMetric(
        "crm_consumer_lag_events", Kind.GAUGE, "events", ("group", "topic", "partition"), "Records between the committed position and the end of the partition."
    ),
    TelemetryMetric(
        "crm_consumer_lag_seconds",
        Kind.GAUGE,
        "seconds",
        ("group", "topic", "partition"),
        "Age of the oldest record that is not committed yet; 0 when all are. Alert on this one.",
    ),
    TelemetryMetric(
        "crm_watermark_timestamp_seconds",
        Kind.GAUGE,
        "seconds since 1970",
        ("partition",),
        "The partition's clock: deadlines and absences up to here have been judged.",
    ),
    TelemetryMetric("crm_ticks_total", Kind.COUNTER, "ticks", (), "Ticks that the clock has published."),
    # -- sink ---------------------------------------------------------------------------------------------------------
    TelemetryMetric("crm_sink_batch_rows", Kind.HISTOGRAM, "rows", ("table",), "Rows in one insert.", ROWS),
    TelemetryMetric("crm_sink_insert_seconds", Kind.HISTOGRAM, "seconds", ("table",), "Time of one insert, retries not included.", FAST_SECONDS),
    TelemetryMetric("crm_sink_rows_total", Kind.COUNTER, "rows", ("table",), "Rows that ClickHouse has confirmed."),
    TelemetryMetric("crm_sink_retries_total", Kind.COUNTER, "inserts", ("code",), "Inserts tried again, by ClickHouse error code or `connection`."),
    TelemetryMetric("crm_sink_commits_total", Kind.COUNTER, "commits", (), "Offset commits, each after the rows before it were confirmed."),
    # -- dependencies -------------------------------------------------------------------------------------------------
    TelemetryMetric("crm_dependency_up", Kind.GAUGE, "0 or 1", ("dependency",), "Whether the last call to kafka or clickhouse succeeded."),
    TelemetryMetric("crm_errors_total", Kind.COUNTER, "errors", ("component",), "Errors written to the log, by component."),
)

#: Every metric a process may publish, by name.
METRICS: dict[str, TelemetryMetric] = {metric.name: metric for metric in _DECLARED}

M = TypeVar("M", Counter, Gauge, Histogram)


class Telemetry:
    """A process's metrics. Each one is made when it is first asked for, so ``/metrics`` shows what the process really does.

    With no registry given it makes its own, with the process's CPU and memory in it; tests stay apart that way.
    """

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        if registry is None:
            registry = CollectorRegistry()
            ProcessCollector(registry=registry)
        self.registry = registry
        self._made: dict[str, Counter | Gauge | Histogram] = {}
        self._lock = threading.Lock()

    def counter(self, name: str) -> Counter:
        """The declared counter. Raises KeyError for a name that is not declared, TypeError for one of another kind."""
        return self._metric(name, Counter)

    def gauge(self, name: str) -> Gauge:
        """The declared gauge; errors as ``counter``."""
        return self._metric(name, Gauge)

    def histogram(self, name: str) -> Histogram:
        """The declared histogram; errors as ``counter``."""
        return self._metric(name, Histogram)

    def _metric(self, name: str, kind: type[M]) -> M:
        metric = self._made.get(name)
        if metric is None:
            with self._lock:
                metric = self._made.get(name) or self._make(METRICS[name])
                self._made[name] = metric
        if not isinstance(metric, kind):
            raise TypeError(f"{name} is declared as a {METRICS[name].kind}, not as a {kind.__name__.lower()}")
        return metric

    def _make(self, declared: TelemetryMetric) -> Counter | Gauge | Histogram:
        if declared.kind is Kind.COUNTER:
            return Counter(declared.name, declared.meaning, declared.labels, registry=self.registry)
        if declared.kind is Kind.GAUGE:
            return Gauge(declared.name, declared.meaning, declared.labels, registry=self.registry)
        return Histogram(declared.name, declared.meaning, declared.labels, registry=self.registry, buckets=declared.buckets)


def render_table() -> str:
    """The declarations as a Markdown table, for ``docs/observability.md``."""
    rows = ["| metric | kind | unit | labels | meaning |", "|---|---|---|---|---|"]
    rows += [f"| `{m.name}` | {m.kind} | {m.unit} | {', '.join(f'`{label}`' for label in m.labels) or '-'} | {m.meaning} |" for m in METRICS.values()]
    return "\n".join(rows)
