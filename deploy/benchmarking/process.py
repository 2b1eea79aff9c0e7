"""A process under measurement, and how fast it gets on: its own CPU time and memory, and the offsets that its group commits.

Every engine is measured the same way, from outside. Time and CPU count between two commits: the first one after the warm-up (or
after a third of the input, where that comes earlier), and the last one before the input's end. What is committed between them was
done between them; start, warm-up and leaving are left out.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Final, NamedTuple

from confluent_kafka import Consumer, KafkaException, TopicPartition

from deploy.benchmarking.figures import Run
from deploy.embedded import guard
from deploy.errors import Failed, UserError

_POLL_SECONDS: Final = 0.05
_STALL_SECONDS: Final = 90.0
_START_SECONDS: Final = 600.0
_TAIL: Final = 2_000


def require_proc() -> None:
    """Raises UserError where CPU time and memory of a process cannot be seen from outside."""
    if not Path("/proc/self/stat").exists():
        raise UserError("CPU time and memory of a worker are read from /proc, which this platform does not have", "fenghuo bench core state needs no /proc")


class MeasuredProcess:
    """One program, ended with us. Use as a context manager. Its output goes to ``log_file``, ``folder`` is where it runs."""

    def __init__(self, name: str, command: Sequence[str], environ: Mapping[str, str], folder: Path) -> None:
        require_proc()
        self.name = name
        self.log_file = folder / "output.log"
        folder.mkdir(parents=True, exist_ok=True)
        with self.log_file.open("wb") as log:
            self._guard = subprocess.Popen(
                [sys.executable, "-S", "-E", guard.__file__, *command],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=dict(environ),
                cwd=folder,
                start_new_session=True,
            )
        self._pid: int | None = None
        self._peak = 0
        self._resident = 0

    @property
    def ended(self) -> bool:
        return self._guard.poll() is not None

    def failure(self, what: str) -> Failed:
        """What to tell the user: what went wrong, and the program's last words."""
        text = self.log_file.read_text(encoding="utf-8", errors="replace")[-_TAIL:].rstrip()
        return Failed(f"{self.name} {what}; the end of its output:\n{text}", "the lines above say why")

    def cpu_seconds(self) -> float | None:
        """User and system time of all its threads so far; None before it runs or after it ended."""
        try:
            if self._pid is None:
                self._pid = int(Path(f"/proc/{self._guard.pid}/task/{self._guard.pid}/children").read_text().split()[0])
            fields = Path(f"/proc/{self._pid}/stat").read_text().rpartition(")")[2].split()
            status = Path(f"/proc/{self._pid}/status").read_text()
        except (OSError, IndexError):
            return None
        memory = {line.split()[0]: int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith(("VmHWM:", "VmRSS:"))}
        if memory:
            self._peak, self._resident = memory["VmHWM:"], memory["VmRSS:"]
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    @property
    def peak_bytes(self) -> int:
        """The most memory it has had resident."""
        return self._peak

    @property
    def resident_bytes(self) -> int:
        """The memory that it had resident when its CPU time was last asked for."""
        return self._resident

    def __enter__(self) -> MeasuredProcess:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        assert self._guard.stdin is not None
        self._guard.stdin.close()
        self._guard.wait()


class Processes:
    """Some programs seen as one: their CPU time and memory added up. All must be running to be measured."""

    def __init__(self, processes: Sequence[MeasuredProcess]) -> None:
        self._processes = processes
        self.name = " and ".join(process.name for process in processes)

    @property
    def ended(self) -> bool:
        return any(process.ended for process in self._processes)

    def failure(self, what: str) -> Failed:
        """As of the first that ended, or of the first of all."""
        return next((process for process in self._processes if process.ended), self._processes[0]).failure(what)

    def cpu_seconds(self) -> float | None:
        used = [process.cpu_seconds() for process in self._processes]
        return None if None in used else sum(seconds for seconds in used if seconds is not None)

    @property
    def peak_bytes(self) -> int:
        return sum(process.peak_bytes for process in self._processes)


class Commit(NamedTuple):
    """What was seen when a group's offsets had moved: monotonic seconds, events committed so far, CPU seconds used so far."""

    at: float
    events: int
    cpu: float


class Watch:
    """Watches the offsets that ``group`` commits for ``topics``. Made before the process starts."""

    def __init__(self, servers: str, group: str, topics: Sequence[str], partitions: int) -> None:
        # A consumer that never joins, only asks: where a new group's coordinator loads, the admin client's call aborts the process when it times out.
        self._consumer = Consumer({"bootstrap.servers": servers, "group.id": group, "enable.auto.commit": False, "log_level": 0})
        self._places = [TopicPartition(topic, number) for topic in topics for number in range(partitions)]
        self._known = 0

    def _committed(self) -> int:
        """Events committed; as before while the broker does not say (a new group's coordinator loads for seconds)."""
        with suppress(KafkaException):
            self._known = sum(max(0, place.offset) for place in self._consumer.committed(self._places, timeout=5))
        return self._known

    def until(self, process: MeasuredProcess, events: int) -> float:
        """When (monotonic seconds) so many events were committed. Raises Failed when the process ends or stands still before."""
        began = time.monotonic()
        while self._committed() < events:
            process.cpu_seconds()
            if process.ended:
                raise process.failure(f"ended before {events:,} events")
            if time.monotonic() - began > _START_SECONDS:
                raise process.failure(f"did not come to {events:,} events in {_START_SECONDS:.0f} s")
            time.sleep(_POLL_SECONDS)
        return time.monotonic()

    def measure(self, process: MeasuredProcess | Processes, events: int, warm_up_seconds: float, at_most_seconds: float) -> Run:
        """Until ``events`` are committed, or ``at_most_seconds`` after the warm-up. Raises Failed when the process ends or stands still before."""
        commits: list[Commit] = []
        last_change = time.monotonic()
        while True:
            cpu, committed, now = process.cpu_seconds(), self._committed(), time.monotonic()
            if committed > (commits[-1].events if commits else 0) and cpu is not None:
                commits.append(Commit(now, committed, cpu))
                last_change = now
            if committed >= events or (commits and now - commits[0].at > warm_up_seconds + at_most_seconds):
                return between(commits, events, warm_up_seconds, process)
            if process.ended:
                raise process.failure(f"ended after {committed:,} of {events:,} events")
            if now - last_change > _STALL_SECONDS:
                raise process.failure(f"committed nothing for {_STALL_SECONDS:.0f} s after {committed:,} of {events:,} events")
            time.sleep(_POLL_SECONDS)


def between(commits: list[Commit], events: int, warm_up_seconds: float, process: MeasuredProcess | Processes) -> Run:
    """The stretch to count. Raises Failed where too few commits were seen."""
    warm = [commit for commit in commits if commit.at - commits[0].at >= warm_up_seconds or commit.events * 3 >= events]
    full = [commit for commit in warm if commit.events < events]
    if len(full) < 2:
        full = warm  # too few commits to leave the last one out, whose events may have come to less than its interval
    if len(full) < 2:
        raise Failed(f"{process.name} was through {events:,} events too soon to be measured", "give more --events")
    first, last = full[0], full[-1]
    return Run(last.events - first.events, last.at - first.at, last.cpu - first.cpu, process.peak_bytes)
