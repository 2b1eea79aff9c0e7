"""The whole worker: a real ``fenghuo worker`` process, its input in the topics before it starts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from deploy.benchmarking.brokers import TITLES, BrokerKind, prepare, running, worker_command, worker_environ
from deploy.benchmarking.figures import HEADINGS, Rounds, Run, cells, table
from deploy.benchmarking.process import MeasuredProcess, Watch
from deploy.benchmarking.workload import bank
from deploy.inputs import InputRecord
from deploy.publish_inputs import InputPublisher
from schemas.topics import load_registry

_WARM_UP_SECONDS: Final = 2.0
_AT_MOST_SECONDS: Final = 600.0


def bench_worker(events: int, rounds: int, kinds: Sequence[BrokerKind], folder: Path, progress: Callable[[str], None]) -> dict[str, Any]:
    """Measure on each kind of broker and return the figures. Raises UserError where a broker cannot run here."""
    progress("worker: simulating a bank")
    inputs = bank(events, load_registry())
    figures: dict[str, Any] = {"events": len(inputs)}
    for kind in kinds:
        runs = []
        for number in range(rounds):
            progress(f"worker on {TITLES[kind]}: round {number + 1} of {rounds}, {len(inputs):,} events")
            with running(kind, folder / f"{kind}-{number}") as servers:
                runs.append(_round(servers, inputs, folder / f"{kind}-{number}"))
        figures[kind] = Rounds(runs).as_json()
    return figures


def worker_text(figures: dict[str, Any]) -> str:
    """The figures as a table."""
    rows = [[title, *cells(figures[kind])] for kind, title in TITLES.items() if kind in figures]
    return table(["whole worker on", *HEADINGS], rows)


def _round(servers: str, inputs: list[InputRecord], folder: Path) -> Run:
    kafka = prepare(servers, "bench")
    registry = kafka.registry()
    publisher = InputPublisher(kafka, registry)
    publisher.publish(inputs)
    publisher.finish()
    watch = Watch(servers, "bench-customer", [topic.name for topic in registry.inputs.values()], registry.partitions)
    with MeasuredProcess("the worker", worker_command(), worker_environ(kafka), folder / "worker") as process:
        return watch.measure(process, len(inputs), _WARM_UP_SECONDS, _AT_MOST_SECONDS)
