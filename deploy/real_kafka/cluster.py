"""A real Apache Kafka for tests and benchmarks: fetched once by Maven, started on free ports with data of its own, stopped at the end.

One process is broker and controller (KRaft). The jars stay in ``.kafka/`` at the root of the repository, which git ignores.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from contextlib import suppress
from pathlib import Path
from random import SystemRandom

from deploy.embedded import guard
from deploy.repository import REPOSITORY

HOME = REPOSITORY / ".kafka"
POM = Path(__file__).with_name("pom.xml")
START_SECONDS = 100.0  # a killed broker checks its logs first, and a busy machine takes its time; less than a test has, so that this is what is said
_PORTS = 15_000, 32_000
_RANDOM = SystemRandom()


class Unavailable(Exception):
    """There is no Kafka to be had here; the message says what is missing."""


def jars() -> Path:
    """The folder with Kafka's jars, fetched if need be. Raises Unavailable."""
    folder = HOME / "libs"
    if shutil.which("java") is None:
        raise Unavailable("real Kafka needs Java 17 or later on the PATH")
    HOME.mkdir(exist_ok=True)
    with (HOME / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = HOME / "fetched"
        wanted = POM.read_text(encoding="utf-8")
        if done.exists() and done.read_text(encoding="utf-8") == wanted:
            return folder
        if shutil.which("mvn") is None:
            raise Unavailable("real Kafka is fetched by Maven (mvn), which is not on the PATH")
        shutil.rmtree(folder, ignore_errors=True)
        command = ["mvn", "-q", "-B", "-f", str(POM), "dependency:copy-dependencies", f"-DoutputDirectory={folder}"]
        fetched = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False)
        if fetched.returncode:
            raise Unavailable(f"Maven could not fetch Kafka: {fetched.stdout.strip().splitlines()[:1]}")
        done.write_text(wanted, encoding="utf-8")
    return folder


def free_port() -> int:
    """A port that nothing uses now, and that the system gives to no outgoing connection: a broker that comes back must find it free."""
    while True:
        port = _RANDOM.randrange(*_PORTS)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


class Broker:
    """One Kafka process. ``kill`` and ``pause`` are for tests of what happens then; ``start`` again keeps data and port."""

    def __init__(self, folder: Path, properties: dict[str, str], heap: str = "512m") -> None:
        self.folder = folder
        self.port = int(properties["listeners"].split(",")[0].rsplit(":", 1)[1])
        self._heap = heap
        self._process: subprocess.Popen[bytes] | None = None
        self._config = folder / "server.properties"
        folder.mkdir(parents=True, exist_ok=True)
        self._config.write_text("".join(f"{name}={value}\n" for name, value in properties.items()), encoding="utf-8")

    def java(self, *arguments: str, heap: str | None = None) -> list[str]:
        quiet = f"-Dlog4j2.configurationFile={POM.with_name('log4j2.yaml')}"
        return ["java", f"-Xmx{heap or self._heap}", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=4", quiet, "-cp", f"{jars()}/*", *arguments]

    def format(self, cluster_id: str) -> None:
        command = self.java("kafka.tools.StorageTool", "format", "-t", cluster_id, "-c", str(self._config), heap="128m")
        subprocess.run(command, check=True, capture_output=True, timeout=60)

    def start(self) -> None:
        with (self.folder / "broker.log").open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-S", "-E", guard.__file__, *self.java("kafka.Kafka", str(self._config))],
                stdin=subprocess.PIPE,  # a broker must not outlive a test process that crashed
                stdout=output,
                stderr=output,
                cwd=self.folder,
                start_new_session=True,
            )

    def wait(self) -> None:
        """Until it listens. Raises RuntimeError with the end of its log if it does not."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self._process is None or self._process.poll() is not None:
                break
            with socket.socket() as probe:
                probe.settimeout(0.5)
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.1)
        raise RuntimeError("Kafka did not start:\n" + (self.folder / "broker.log").read_text(errors="replace")[-2000:])

    def send(self, number: int) -> None:
        assert self._process is not None
        os.killpg(self._process.pid, number)

    def kill(self) -> None:
        """SIGKILL, as a lost machine would."""
        self.stop(signal.SIGKILL)

    def stop(self, number: int = signal.SIGTERM) -> None:
        if self._process is None:
            return
        self.send(number)
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self.send(signal.SIGKILL)
            self._process.wait(10)
        self._process = None


class Cluster:
    """One to three brokers. Use as a context manager."""

    def __init__(self, size: int = 1, heap: str = "512m") -> None:
        jars()
        self._folder = Path(tempfile.mkdtemp(prefix="fenghuo-kafka-"))
        ports = [(free_port(), free_port()) for _ in range(size)]
        voters = ",".join(f"{node}@127.0.0.1:{controller}" for node, (_, controller) in enumerate(ports, 1))
        self.brokers = [Broker(self._folder / str(node), _properties(self._folder, node, *pair, voters, size), heap) for node, pair in enumerate(ports, 1)]

    @property
    def bootstrap_servers(self) -> str:
        return ",".join(f"127.0.0.1:{broker.port}" for broker in self.brokers)

    def __enter__(self) -> Cluster:
        cluster_id = uuid.uuid4().hex[:22]
        try:
            for broker in self.brokers:
                broker.format(cluster_id)
                broker.start()
            for broker in self.brokers:
                broker.wait()
            self._until_ready()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for broker in self.brokers:
            broker.stop(signal.SIGKILL)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _until_ready(self) -> None:
        from confluent_kafka.admin import AdminClient

        admin = AdminClient({"bootstrap.servers": self.bootstrap_servers, "log_level": 0})
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if len(admin.list_topics(timeout=10).brokers) == len(self.brokers):
                return
            time.sleep(0.2)
        raise RuntimeError("the Kafka brokers do not see each other")


def _properties(folder: Path, node: int, port: int, controller: int, voters: str, size: int) -> dict[str, str]:
    copies = str(min(3, size))
    return {
        "process.roles": "broker,controller",
        "node.id": str(node),
        "listeners": f"PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}",
        "advertised.listeners": f"PLAINTEXT://127.0.0.1:{port}",
        "controller.listener.names": "CONTROLLER",
        "controller.quorum.voters": voters,
        "log.dirs": str(folder / str(node) / "data"),
        "group.initial.rebalance.delay.ms": "0",
        "group.min.session.timeout.ms": "1000",
        "offsets.topic.replication.factor": copies,
        "offsets.topic.num.partitions": "4",
        "transaction.state.log.replication.factor": copies,
        "transaction.state.log.min.isr": str(max(1, int(copies) - 1)),
        "transaction.state.log.num.partitions": "4",
        "auto.create.topics.enable": "false",
        "log.cleaner.dedupe.buffer.size": "33554432",
    }
