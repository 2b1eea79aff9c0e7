"""Worker processes that are killed, stopped, added and taken away."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

from tests.kills.launch import Order, give, hit_of

ROOT = Path(__file__).resolve().parents[2]


class Nursery:
    """The process that workers are forked from; they end with it."""

    def __init__(self) -> None:
        # -P: a compiled core named in PYTHONPATH comes before the sources in the working directory
        path = os.pathsep.join([*filter(None, [os.environ.get("PYTHONPATH")]), str(ROOT)])
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "tests.kills.nursery"], stdin=subprocess.PIPE, cwd=ROOT, env=os.environ | {"PYTHONPATH": path}
        )

    def bear(self, orders: Path, log: Path, environ: Mapping[str, str]) -> None:
        """A worker process."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"file": str(orders), "log": str(log), "environ": dict(environ)}).encode() + b"\n")
        self._process.stdin.flush()

    def close(self) -> None:
        """End it and every worker that is left."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(10)


class Member:
    """One worker process."""

    def __init__(self, name: str, folder: Path, nursery: Nursery, environ: Mapping[str, str], instance: str | None) -> None:
        self.name = name
        self.instance = instance
        self.log = folder / f"{name}.log"
        self._orders = folder / f"{name}.order"
        own = {} if instance is None else {"FENGHUO_WORKER__INSTANCE_ID": instance}
        nursery.bear(self._orders, self.log, {**environ, **own})

    @property
    def code(self) -> int | None:
        """Its exit code, None while it lives; the negative signal that killed it."""
        try:
            return int(self._orders.with_suffix(".code").read_text())
        except FileNotFoundError:
            return None

    @property
    def pid(self) -> int:
        """Its process id; waits until it has one."""
        pid = self._orders.with_suffix(".pid")
        while not pid.exists():
            time.sleep(0.01)
        return int(pid.read_text())

    def send(self, number: int) -> None:
        """A signal to it."""
        os.kill(self.pid, number)

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
        deadline = time.monotonic() + seconds
        while (code := self.code) is None:
            assert time.monotonic() < deadline, f"{self.name} did not end within {seconds:.0f} s; its last words:\n{self.words()}"
            time.sleep(0.01)
        return code

    def words(self) -> str:
        """The end of its log."""
        return "".join(self.log.read_text(errors="replace").splitlines(keepends=True)[-15:])


class Fleet:
    """The workers that should be there. Those struck are replaced by whoever strikes them."""

    def __init__(self, folder: Path, environ: Mapping[str, str], static: bool = False) -> None:
        self.members: list[Member] = []
        self._nursery = Nursery()
        self._started = 0
        self._folder = folder
        self._environ = environ
        self._static = static

    def add(self, instance: str | None = None) -> Member:
        """Start one more. In a static fleet it has a fixed name: a new one, or the ``instance`` of one that went."""
        self._started += 1
        number = self._started
        if self._static and instance is None:
            instance = f"fixed-{number}"
        member = Member(f"worker-{number}", self._folder, self._nursery, self._environ, instance)
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
        self._nursery.close()
