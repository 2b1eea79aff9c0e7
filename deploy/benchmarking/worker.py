"""The whole worker: real ``fenghuo worker`` processes, their input in the topics before they start."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

from deploy.benchmarking.brokers import TITLES, BrokerKind, prepare, running, worker_command, worker_environ
from deploy.benchmarking.figures import HEADINGS, Rounds, Run, cells, table
from deploy.benchmarking.process import MeasuredProcess, Processes, Watch
from deploy.benchmarking.workload import bank
from deploy.inputs import InputRecord
from deploy.publish_inputs import InputPublisher
from schemas.topics import load_registry

_WARM_UP_SECONDS: Final = 2.0
_ALL_JOINED_SECONDS: Final = 8.0
_AT_MOST_SECONDS: Final = 600.0


def bench_worker(events: int, rounds: int, kinds: Sequence[BrokerKind], workers: int, folder: Path, progress: Callable[[str], None]) -> dict[str, Any]:
    """Measure so many workers together on each kind of broker and return the figures. Raises UserError where a broker cannot run here."""
    progress("worker: simulating a bank")
    inputs = bank(events, load_registry())
    figures: dict[str, Any] = {"events": len(inputs), "workers": workers}
    for kind in kinds:
        runs = []
        for number in range(rounds):
            progress(f"worker on {TITLES[kind]}: round {number + 1} of {rounds}, {len(inputs):,} events")
            with running(kind, folder / f"{kind}-{number}") as servers:
                runs.append(_round(servers, inputs, workers, folder / f"{kind}-{number}"))
        figures[kind] = Rounds(runs).as_json()
    return figures


def worker_text(figures: dict[str, Any]) -> str:
    """The figures as a table."""
    rows = [[title, *cells(figures[kind])] for kind, title in TITLES.items() if kind in figures]
    return table([f"{figures['workers']} workers on" if figures["workers"] > 1 else "whole worker on", *HEADINGS], rows)


def _round(servers: str, inputs: list[InputRecord], workers: int, folder: Path) -> Run:
    kafka = prepare(servers, "bench")
    registry = kafka.registry()
    publisher = InputPublisher(kafka, registry)
    publisher.publish(inputs)
    publisher.finish()
    watch = Watch(servers, "bench-customer", [topic.name for topic in registry.inputs.values()], registry.partitions)
    with ExitStack() as running_workers:
        command = worker_command(until_drained=workers == 1)  # of several, one would leave before the others are through
        processes = [
            running_workers.enter_context(MeasuredProcess(f"worker {number + 1}", command, worker_environ(kafka), folder / f"worker-{number}"))
            for number in range(workers)
        ]
        return watch.measure(Processes(processes), len(inputs), _WARM_UP_SECONDS if workers == 1 else _ALL_JOINED_SECONDS, _AT_MOST_SECONDS)
