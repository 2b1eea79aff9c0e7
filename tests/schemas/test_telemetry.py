"""Every metric a process publishes is declared once, well named, and bounded."""

from __future__ import annotations

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from schemas.telemetry import FORBIDDEN_LABELS, METRICS, Kind, Telemetry, TelemetryMetric


@pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS.keys())
def test_a_declaration_keeps_to_the_naming_rules(metric: TelemetryMetric) -> None:
    assert metric.name.startswith("crm_")
    assert metric.name.endswith("_total") == (metric.kind is Kind.COUNTER)
    assert bool(metric.buckets) == (metric.kind is Kind.HISTOGRAM)
    assert list(metric.buckets) == sorted(metric.buckets)
    assert not FORBIDDEN_LABELS & set(metric.labels), "a label must not grow with the number of customers"
    assert metric.meaning.endswith(".")
    if metric.unit.startswith("seconds"):
        assert "_seconds" in metric.name


@pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS.keys())
def test_every_declared_metric_can_be_published(metric: TelemetryMetric) -> None:
    telemetry = Telemetry(CollectorRegistry())
    made = getattr(telemetry, metric.kind.value)(metric.name)
    child = made.labels(*["x"] * len(metric.labels)) if metric.labels else made
    child.observe(1) if metric.kind is Kind.HISTOGRAM else child.inc()
    assert f"\n# TYPE {metric.name} {metric.kind}\n" in "\n" + generate_latest(telemetry.registry).decode()


def test_asking_twice_gives_the_same_metric() -> None:
    telemetry = Telemetry()
    assert telemetry.counter("crm_ticks_total") is telemetry.counter("crm_ticks_total")


def test_an_undeclared_metric_or_another_kind_is_refused() -> None:
    telemetry = Telemetry()
    with pytest.raises(KeyError):
        telemetry.counter("crm_surprise_total")
    with pytest.raises(TypeError, match="declared as a counter, not as a gauge"):
        telemetry.gauge("crm_ticks_total")


def test_two_processes_in_one_interpreter_do_not_share_values() -> None:
    first, second = Telemetry(), Telemetry()
    first.counter("crm_ticks_total").inc()
    assert second.counter("crm_ticks_total")._value.get() == 0
