"""Runs the parts that were asked for and prints what they measured."""

from __future__ import annotations

import os
import platform
import tempfile
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

import msgspec
from rich.console import Console

from alerting.pack import load_pack
from deploy.benchmarking.brokers import BrokerKind
from deploy.pipeline.interrupts import interruptible
from deploy.real_kafka.cluster import Unavailable, jars
from deploy.version import core, version
from schemas.topics import load_registry

_EVENTS: Final = {
    "core": 200_000,
    "state": 50_000,
    "worker": 200_000,
    "sink": 500_000,
    "freshness": 1_200_000,
    "latency": 60_000,
    "peers": 2_000_000,
    "customers": 1_000_000,
    "queries": 10_000_000,
}
_PACK: Final = "bank-cn"
Progress = Callable[[str], None]


@dataclass(frozen=True)
class Asked:
    """What is to be measured, and on how much. None: what the part takes by itself."""

    parts: Sequence[str]
    events: int | None
    rounds: int
    brokers: Sequence[str] | None
    workers: int
    customers: int
    away_minutes: float


def run(asked: Asked, *, as_json: bool) -> None:
    """Measure the parts one after the other. Raises UserError where one cannot run here."""
    console = Console(stderr=True)
    figures: dict[str, Any] = {"machine": _machine(), "rounds": asked.rounds}
    with interruptible(), tempfile.TemporaryDirectory(prefix="fenghuo-bench-") as folder:
        status = console.status("") if console.is_terminal else nullcontext()
        with status as shown:
            progress: Progress = (lambda text: shown.update(text)) if shown is not None else (lambda text: console.print(text, highlight=False))
            for part in dict.fromkeys(asked.parts):
                figures[part] = _measure(part, asked, Path(folder), progress)
                if not as_json:
                    print(_text(part, figures[part]), end="\n\n", flush=True)
    if as_json:
        print(msgspec.json.encode(figures).decode())
    else:
        machine = figures["machine"]
        made = f"Fenghuo {version()}, core {machine['core']}, Python {machine['python']}"
        print(f"{made}, {machine['cores']} cores, {machine['system']}; load average at the start {machine['load']}.")


def _measure(part: str, asked: Asked, folder: Path, progress: Progress) -> dict[str, Any]:
    events, rounds = asked.events or _EVENTS[part], asked.rounds
    # Each part is imported when asked for: what peers or ClickHouse need, the core does not.
    match part:
        case "worker":
            from deploy.benchmarking.worker import bench_worker

            return bench_worker(events, rounds, _brokers(asked.brokers, progress), asked.workers, folder, progress)
        case "peers":
            from deploy.benchmarking.peers import bench_peers

            return bench_peers(events, asked.customers, rounds, folder, progress)
        case "latency":
            from deploy.benchmarking.latency import bench_latency

            return bench_latency(events, folder, progress)
        case "sink":
            from deploy.benchmarking.sink import bench_sink

            return bench_sink(events, rounds, folder, progress)
        case "freshness":
            from deploy.benchmarking.freshness import bench_freshness

            return bench_freshness(events, asked.away_minutes, folder, progress)
        case "customers":
            from deploy.benchmarking.customers import bench_customers

            return bench_customers(events, "kafka" in _brokers(asked.brokers, progress), folder, progress)
        case "queries":
            from deploy.benchmarking.queries import bench_queries

            return bench_queries(events, folder, load_pack(_PACK), progress)
        case "state":
            from deploy.benchmarking.state import bench_state

            return bench_state(events, load_registry(), load_pack(_PACK), progress)
        case _:
            from deploy.benchmarking.core import bench_core

            return bench_core(events, rounds, load_registry(), load_pack(_PACK), progress)


def _brokers(asked: Sequence[str] | None, progress: Progress) -> list[BrokerKind]:
    if asked:
        return cast("list[BrokerKind]", list(asked))
    try:
        jars()
    except Unavailable as missing:
        progress(f"worker: only on the embedded broker: {missing}")
        return ["embedded"]
    return ["embedded", "kafka"]


def _text(part: str, figures: dict[str, Any]) -> str:
    from deploy.benchmarking import core, customers, freshness, latency, peers, queries, sink, state, worker

    texts: dict[str, Callable[[dict[str, Any]], str]] = {
        "core": core.core_text,
        "state": state.state_text,
        "worker": worker.worker_text,
        "sink": sink.sink_text,
        "freshness": freshness.freshness_text,
        "latency": latency.latency_text,
        "peers": peers.peers_text,
        "customers": customers.customers_text,
        "queries": queries.queries_text,
    }
    return texts[part](figures)


def _machine() -> dict[str, Any]:
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count(),
        "core": core(),
        "python": platform.python_version(),
        "load": round(os.getloadavg()[0], 2),
    }
