"""Other engines beside ours, on the same broker, topic and machine, one after the other, several rounds interleaved.

All but the last two do the small job: parse or validate a transaction, sum per customer and day, keep the sums in a changelog. Then comes
the whole product, and last its engine with all that the product writes and nothing of what it computes. The programs are in ``benchmarks/``
of the repository, the peers' each as its own documentation advises.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]  # re-exported there without saying so

from deploy.benchmarking.brokers import prepare, running, worker_command, worker_environ
from deploy.benchmarking.figures import HEADINGS, Rounds, Run, cells, table
from deploy.benchmarking.process import MeasuredProcess, Watch
from deploy.benchmarking.workload import plain
from deploy.errors import Failed, UserError
from deploy.repository import REPOSITORY
from schemas.connection import KafkaSettings

_PROGRAMS: Final = REPOSITORY / "benchmarks"
_BUILT: Final = REPOSITORY / ".bench"
_WARM_UP_SECONDS: Final = 5.0
_AT_MOST_SECONDS: Final = 20.0
_LOAD_SECONDS: Final = 300.0


@dataclass(frozen=True)
class Peer:
    """One engine's program. ``group`` follows the namespace; ``command`` makes what it needs and says how it is started."""

    name: str
    title: str
    group: str
    command: Callable[[], list[str]]


def _quix() -> list[str]:
    folder = _BUILT / "quix"
    python, wanted, done = folder / "bin" / "python", _PROGRAMS / "peers" / "quix-requirements.txt", folder / "installed"
    if not done.exists() or done.read_text() != wanted.read_text():
        venv.create(folder, with_pip=True, clear=True)
        pip = [str(python), "-m", "pip", "--quiet", "--disable-pip-version-check"]
        _build([*pip, "install", "--requirement", str(wanted)], "Quix Streams could not be installed")
        done.write_text(wanted.read_text())
    return [str(python), str(_PROGRAMS / "peers" / "quix_streams.py")]


def _kafka_streams() -> list[str]:
    folder = _BUILT / "kafka-streams"
    if shutil.which("mvn") is None:
        raise UserError("Kafka Streams is built by Maven (mvn), which is not on the PATH")
    _build(["mvn", "-q", "-B", "-f", str(_PROGRAMS / "kafka-streams" / "pom.xml"), "package", f"-Dbench.target={folder}"], "Kafka Streams could not be built")
    return ["java", "-Xmx1g", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp", f"{folder}/classes:{folder}/libs/*", "fenghuo.SmallJob"]


def _build(command: list[str], failure: str) -> None:
    built = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False)
    if built.returncode:
        said = (built.stdout + built.stderr).strip().splitlines()
        raise Failed(f"{failure}: {said[0] if said else 'without a word'}", "does this machine reach its package index?")


def _python(program: str, *arguments: str) -> Callable[[], list[str]]:
    return lambda: [sys.executable, str(_PROGRAMS / "peers" / program), *arguments]


PEERS: Final = (
    Peer("faust", "plain Faust, its Table, at least once", "faust", _python("plain_faust.py", "worker", "-l", "warn")),
    Peer("quix", "Quix Streams, stateful, exactly once", "quix", _quix),
    Peer("kafka_streams", "Kafka Streams 4.1, exactly_once_v2", "streams", _kafka_streams),
    Peer("fenghuo_small", "Fenghuo, small job, exactly once", "small", _python("fenghuo_small.py")),
    Peer("fenghuo_full", "Fenghuo, full job, exactly once", "customer", lambda: worker_command(until_drained=False)),
    Peer("fenghuo_written", "of the full job, its records written", "written", _python("full_job_written_only.py")),
)


def bench_peers(events: int, customers: int, rounds: int, folder: Path, progress: Callable[[str], None]) -> dict[str, Any]:
    """Measure and return the figures. Raises UserError where a peer cannot run here."""
    if not _PROGRAMS.is_dir():
        raise UserError("the peers' programs are in the repository, not in the installed package", "run it from a clone")
    progress("peers: preparing their programs")
    commands = {peer.name: peer.command() for peer in PEERS}
    runs: dict[str, list[Run]] = {peer.name: [] for peer in PEERS}
    with running("kafka", folder) as servers:
        for number in range(rounds):
            progress(f"round {number + 1} of {rounds}: loading {events:,} transactions")
            kafka = prepare(servers, f"peers-{number}")
            _load(kafka, events, customers)
            for peer in PEERS:
                progress(f"round {number + 1} of {rounds}: {peer.title}")
                runs[peer.name].append(_round(kafka, peer, commands[peer.name], events, folder / f"{peer.name}-{number}"))
            _forget(servers)
    figures = {peer.name: Rounds(runs[peer.name]).as_json() for peer in PEERS}
    return {"events": events, "customers": customers, "ratios_by_cpu": _ratios(figures), **figures}


def peers_text(figures: dict[str, Any]) -> str:
    """The figures as tables."""
    rows = [[peer.title, *cells(figures[peer.name])] for peer in PEERS]
    ratios = [[peer.title, *(f"{ratio:.2f}" for ratio in figures["ratios_by_cpu"][peer.name].values())] for peer in PEERS[:3]]
    return "\n\n".join((table(["engine", *HEADINGS], rows), table(["CPU per event, times that of", "Fenghuo small job", "Fenghuo full job"], ratios)))


def _ratios(figures: dict[str, Any]) -> dict[str, dict[str, float]]:
    cpu = {name: of_peer["cpu_seconds_per_million_events"]["median"] for name, of_peer in figures.items()}
    return {peer.name: {ours: round(cpu[peer.name] / cpu[ours], 2) for ours in ("fenghuo_small", "fenghuo_full")} for peer in PEERS[:3]}


def _load(kafka: KafkaSettings, events: int, customers: int) -> None:
    registry = kafka.registry()
    topic = registry.name("transactions")
    changelogs = [NewTopic(f"{kafka.namespace}.{job}-changelog", registry.partitions, 1, config={"cleanup.policy": "compact"}) for job in ("small", "written")]
    admin = AdminClient(dict(kafka.client_config()))
    for future in admin.create_topics(changelogs).values():
        future.result()
    producer = Producer(
        {**kafka.client_config(), "linger.ms": 20, "batch.size": 1 << 20, "compression.type": "lz4", "enable.idempotence": True, "log_level": 0}
    )
    for record in plain(events, registry.partitions, customers):
        while True:
            try:
                producer.produce(topic, record.value, record.key, record.partition, timestamp=record.at)
                break
            except BufferError:
                producer.poll(0.1)
    if producer.flush(_LOAD_SECONDS):
        raise Failed(f"the broker did not confirm all transactions within {_LOAD_SECONDS:.0f} s", "is its disk full?")


def _round(kafka: KafkaSettings, peer: Peer, command: list[str], events: int, folder: Path) -> Run:
    registry = kafka.registry()
    group = f"{kafka.namespace}-{peer.group}"
    topic = registry.name("transactions")
    environ = worker_environ(kafka) if peer.name == "fenghuo_full" else dict(os.environ)
    environ |= {
        "BENCH_SERVERS": kafka.bootstrap_servers,
        "BENCH_TOPIC": topic,
        "BENCH_GROUP": group,
        "BENCH_NAMESPACE": kafka.namespace,
        "BENCH_PARTITIONS": str(registry.partitions),
    }
    watch = Watch(kafka.bootstrap_servers, group, [topic], registry.partitions)
    with MeasuredProcess(peer.title, command, environ, folder) as process:
        return watch.measure(process, events, _WARM_UP_SECONDS, _AT_MOST_SECONDS)


def _forget(servers: str) -> None:
    """Delete what a round left, so that all rounds find the broker alike."""
    admin = AdminClient({"bootstrap.servers": servers})
    left = [name for name in admin.list_topics(timeout=30).topics if not name.startswith("__")]
    for future in admin.delete_topics(left, operation_timeout=60).values():
        future.result()
