"""Processes that this one starts: each with its own log file, each ended with us, even when we are killed."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Final

from deploy.embedded import guard
from deploy.errors import Failed

PROGRAM: Final = "from deploy.cli import main; main()"
_TAIL_LINES: Final = 12
_LEAVE_SECONDS: Final = guard.GRACE_SECONDS + 2


class Child:
    """``fenghuo ARGUMENT...`` as a process of its own. ``probe_port`` is where it answers /metrics and /readyz."""

    def __init__(self, name: str, arguments: Iterable[str], environ: Mapping[str, str], log_file: Path, probe_port: int) -> None:
        self.name = name
        self.log_file = log_file
        self.probe_port = probe_port
        environ = {**environ, "FENGHUO_PROBES__PORT": str(probe_port)}
        with log_file.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-S", "-E", guard.__file__, sys.executable, "-c", PROGRAM, *arguments],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=environ,
                start_new_session=True,  # Ctrl-C is for us: children are ended in order
            )

    @property
    def code(self) -> int | None:
        """Its exit code, None while it runs."""
        return self._process.poll()

    def check(self) -> None:
        """Raises Failed, with the end of its log, if it has ended."""
        if self.code is not None:
            raise self.failure()

    def failure(self) -> Failed:
        """What to tell the user: its last words."""
        return Failed(f"the {self.name} ended with exit code {self.code}; the end of {self.log_file}:\n{self.tail()}", "the lines above say why")

    def tail(self) -> str:
        """The last lines of its log."""
        with self.log_file.open(encoding="utf-8", errors="replace") as lines:
            return "".join(f"    {line}" for line in deque(lines, _TAIL_LINES)).rstrip()

    def probe(self, path: str) -> str | None:
        """What it answers on a probe's path with status 200; None when it does not, or not yet."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.probe_port}{path}", timeout=2) as answer:
                text: bytes = answer.read()
                return text.decode()
        except (urllib.error.URLError, OSError):
            return None

    def counted(self, metric: str, label: str) -> Counter[str]:
        """One of its counters, summed by one label; empty while it does not answer."""
        counts: Counter[str] = Counter()
        value_of = re.compile(rf'[{{,]{label}="([^"]*)"')
        for line in (self.probe("/metrics") or "").splitlines():
            if line.startswith(f"{metric}{{") and (value := value_of.search(line)):
                counts[value[1]] += int(float(line.rpartition(" ")[2]))
        return counts

    def ask_to_end(self) -> None:
        """Let it finish what it does and leave."""
        assert self._process.stdin is not None
        self._process.stdin.close()

    def wait(self) -> None:
        """Until it has ended; with force when it takes longer than its guard gives it."""
        try:
            self._process.wait(_LEAVE_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """End it at once with SIGKILL, in the middle of whatever it does."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


class Children:
    """All child processes, in the order started; ended in the reverse order when the context is left."""

    def __init__(self) -> None:
        self._running: list[Child] = []

    def add(self, child: Child) -> Child:
        """Look after a child."""
        self._running.append(child)
        return child

    def forget(self, child: Child) -> None:
        """Look after it no longer."""
        self._running.remove(child)

    def check(self) -> None:
        """Raises Failed if any child has ended."""
        for child in self._running:
            child.check()

    def wait_until_done(self, done: Iterable[Child], meanwhile: Callable[[], None], poll_seconds: float = 0.3) -> None:
        """Wait until these have ended by themselves. Raises Failed if one does so with an error."""
        waiting = list(done)
        while waiting:
            for child in waiting[:]:
                if child.code is not None:
                    if child.code:
                        raise child.failure()
                    waiting.remove(child)
                    self._running.remove(child)
            meanwhile()
            if waiting:
                time.sleep(poll_seconds)

    def __enter__(self) -> Children:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for child in reversed(self._running):
            if child.code is None:
                child.ask_to_end()
        for child in reversed(self._running):
            child.wait()
        self._running.clear()
