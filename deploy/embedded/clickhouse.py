"""The embedded ClickHouse: one process owns its folder, and serves it over HTTP on loopback from a thread.

The sink of the same process writes through ``url`` (in-process, no HTTP between); everything else reads over HTTP as
``bi_reader``, or writes as ``writer`` with the password of this run.
"""

from __future__ import annotations

import fcntl
import logging
import secrets
import shutil
import socket
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

import uvicorn

from deploy.embedded.front.app import Front, User
from deploy.embedded.ports import LOOPBACK, choose_port
from deploy.errors import DependencyLost, UserError
from sinks.in_process import open_folder

DEFAULT_PORT = 8123
READER = "bi_reader"
WRITER = "writer"
START_SECONDS = 15.0
STOP_SECONDS = 5.0
#: What ClickHouse would silently take as its configuration if it were in the current directory.
CONFIGURATION = ("users.xml", "config.xml")
ANOTHER_FOLDER = "name another folder in FENGHUO_EMBEDDED__DATA_DIR"

log = logging.getLogger(__name__)


class EmbeddedClickHouse:
    """``with EmbeddedClickHouse(data_dir) as clickhouse: clickhouse.http_url``. ``fresh`` empties the folder first, if it is ours."""

    def __init__(self, data_dir: Path, port: int | None = None, fresh: bool = True) -> None:
        self.path = (data_dir / "clickhouse").resolve()
        self._lock_file = data_dir / ".fenghuo-embedded"  # held while running; its presence says that the folder is ours to empty
        self._lock: TextIO | None = None
        self._asked_port = port
        self._fresh = fresh
        self.port = 0
        self.writer_password = secrets.token_urlsafe(16)
        self._owner: Any = None
        self._front: Front | None = None
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """For the sink in this process: ``chdb:///folder``."""
        return f"chdb://{self.path}"

    @property
    def http_url(self) -> str:
        """For readers: any ClickHouse client or BI tool on this machine."""
        return f"http://{LOOPBACK}:{self.port}"

    def start(self) -> None:
        """Open the folder and serve. Raises UserError where the folder or port cannot be used, DependencyLost if it does not come up."""
        self._prepare_folder()
        listening = self._listen()
        try:
            self._owner = open_folder(str(self.path))
        except RuntimeError as error:
            listening.close()
            raise UserError(f"{self.path} cannot be opened: {error}", ANOTHER_FOLDER) from None
        users = {"default": User("", True), READER: User("", True), WRITER: User(self.writer_password, False)}
        self._front = Front(str(self.path), users)
        config = uvicorn.Config(self._front.app, host=LOOPBACK, port=self.port, log_config=None, access_log=False, lifespan="off", timeout_graceful_shutdown=1)
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, args=([listening],), name="clickhouse-front", daemon=True)
        self._thread.start()
        deadline = time.monotonic() + START_SECONDS
        while not self._server.started:
            if not self._thread.is_alive() or time.monotonic() > deadline:
                self.stop()
                raise DependencyLost(f"the embedded ClickHouse does not answer on {LOOPBACK}:{self.port}", "its log says why")
            time.sleep(0.01)

    def stop(self) -> None:
        """End the server and let go of the folder. Does nothing if it is not open."""
        if self._server is not None and self._thread is not None:
            self._server.should_exit = True
            self._thread.join(STOP_SECONDS)
        if self._front is not None:
            self._front.close()
        if self._owner is not None:
            self._owner.close()
        if self._lock is not None:
            self._lock.close()
        self._server = self._thread = self._front = self._owner = self._lock = None

    def _listen(self) -> socket.socket:
        """A socket that holds its port at once: nobody takes it between the choice and the use. Raises UserError where none can be had."""
        while True:
            self.port = choose_port(self._asked_port, DEFAULT_PORT, "embedded ClickHouse")
            # Of a socket that does not name its protocol asyncio leaves Nagle's algorithm on: each answer would wait 40 ms for the client's ACK.
            listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listening.bind((LOOPBACK, self.port))
                listening.listen()
            except OSError:  # taken since: choose again, which says so where this very port was asked for
                listening.close()
            else:
                return listening

    def _prepare_folder(self) -> None:
        for name in CONFIGURATION:
            if Path(name).exists():
                raise UserError(f"{Path(name).resolve()}: ClickHouse would read this as its configuration", "start from another directory")
        ours = self._lock_file.exists()
        try:
            self._lock_file.parent.mkdir(parents=True, exist_ok=True)
            self._lock = self._lock_file.open("w")
        except OSError as error:
            raise UserError(f"{self._lock_file}: {error.strerror}", ANOTHER_FOLDER) from None
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise UserError(f"{self._lock_file.parent} is in use by another process", f"stop it, or {ANOTHER_FOLDER}") from None
        if self._fresh and self.path.exists():
            if not ours:
                self._lock_file.unlink()
                raise UserError(f"{self.path} holds something that fenghuo did not make", ANOTHER_FOLDER)
            shutil.rmtree(self.path)

    def __enter__(self) -> EmbeddedClickHouse:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()
