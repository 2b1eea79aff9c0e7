"""Worker processes that are killed, stopped, added and taken away."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

from deploy.embedded import guard
from tests.kills.launch import Order, give, hit_of

ROOT = Path(__file__).resolve().parents[2]


class Member:
    """One worker process."""

    def __init__(self, name: str, folder: Path, environ: Mapping[str, str], instance: str | None) -> None:
        self.name = name
        self.instance = instance
        self.log = folder / f"{name}.log"
        self._orders = folder / f"{name}.order"
        own = {} if instance is None else {"FENGHUO_WORKER__INSTANCE_ID": instance}
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-S", "-E", guard.__file__, sys.executable, "-m", "tests.kills.launch", str(self._orders)],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**environ, **own},
                cwd=ROOT,
                start_new_session=True,
            )

    @property
    def code(self) -> int | None:
        """Its exit code, None while it lives."""
        return self._process.poll()

    def send(self, number: int) -> None:
        """A signal to the worker itself."""
        os.kill(int((self._orders.with_suffix(".pid")).read_text()), number)

    def order(self, order: Order) -> None:
        """Strike when it next takes the step."""
        give(self._orders, order)

    def hit(self) -> float | None:
        """When the order was carried out, by the wall clock."""
        try:
            return float(hit_of(self._orders).read_text())
        except FileNotFoundError:
            return None

    def wait(self, seconds: float) -> int:
        """Its exit code; fails the test when it does not come."""
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.name} did not end within {seconds:.0f} s; its last words:\n{self.words()}") from None

    def words(self) -> str:
        """The end of its log."""
        return "".join(self.log.read_text(errors="replace").splitlines(keepends=True)[-15:])

    def end(self) -> None:
        """At once, whatever state it is in."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


class Fleet:
    """The workers that should be there. Those struck are replaced by whoever strikes them."""

    def __init__(self, folder: Path, environ: Mapping[str, str], static: bool = False) -> None:
        self.members: list[Member] = []
        self._all: list[Member] = []
        self._folder = folder
        self._environ = environ
        self._static = static

    def add(self, instance: str | None = None) -> Member:
        """Start one more. In a static fleet it has a fixed name: a new one, or the ``instance`` of one that went."""
        number = len(self._all) + 1
        if self._static and instance is None:
            instance = f"fixed-{number}"
        member = Member(f"worker-{number}", self._folder, self._environ, instance)
        self._all.append(member)
        self.members.append(member)
        return member

    def gone(self, member: Member) -> None:
        """It has been taken away."""
        self.members.remove(member)

    def leave(self, seconds: float = 40.0) -> None:
        """All finish, commit and leave; each must say that it did."""
        for member in self.members:
            member.send(signal.SIGTERM)
        deadline = time.monotonic() + seconds
        for member in self.members:
            code = member.wait(max(1.0, deadline - time.monotonic()))
            assert code == 0, f"{member.name} left with exit code {code}:\n{member.words()}"
        self.members.clear()

    def __enter__(self) -> Fleet:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for member in self._all:
            if member.code is None:
                member.end()
