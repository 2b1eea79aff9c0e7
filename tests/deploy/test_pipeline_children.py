"""Child processes: one that ends is noticed with its last words, and none outlives the one that started it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from deploy.errors import Failed
from deploy.pipeline.children import Child, Children

ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("FENGHUO_")}
#: Port 9 answers nobody: a worker waits there for its broker until it is told to leave.
WAITING = ENVIRONMENT | {"FENGHUO_KAFKA__BOOTSTRAP_SERVERS": "127.0.0.1:9"}


def test_a_failure_is_told_with_the_end_of_the_log(tmp_path: Path) -> None:
    child = Child("worker 1", ["worker", "--pack", "no-such-pack"], ENVIRONMENT, tmp_path / "worker-1.log", 0)
    with Children() as children:
        children.add(child)
        with pytest.raises(Failed) as failed:
            children.wait_until_done([child], lambda: None)
    assert "the worker 1 ended with exit code 2" in failed.value.message
    assert "no-such-pack" in failed.value.message


def test_a_child_that_ends_although_nobody_asked_is_a_failure(tmp_path: Path) -> None:
    child = Child("version", ["--version"], ENVIRONMENT, tmp_path / "version.log", 0)
    child.wait()
    with Children() as children:
        children.add(child)
        with pytest.raises(Failed, match="exit code 0"):
            children.check()


def test_leaving_ends_the_children(tmp_path: Path) -> None:
    with Children() as children:
        child = children.add(Child("worker 1", ["worker"], WAITING, tmp_path / "worker-1.log", _free()))
        _until(lambda: child.probe("/livez") is not None)
        assert child.counted("crm_events_settled_total", "outcome").total() == 0
        assert child.counted("crm_build_info", "version").total() == 1
    assert child.code == 0
    assert child.probe("/livez") is None


def test_a_killed_parent_leaves_no_child(tmp_path: Path) -> None:
    port = _free()
    parent = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import os, sys, time; from pathlib import Path; from deploy.pipeline.children import Child; "
            f"Child('worker 1', ['worker'], dict(os.environ), Path(sys.argv[1]), {port}); time.sleep(60)",
            str(tmp_path / "worker-1.log"),
        ],
        env=WAITING,
    )
    try:
        _until(lambda: _listens(port))
    finally:
        parent.send_signal(signal.SIGKILL)
        parent.wait()
    _until(lambda: not _listens(port))


def _until(true: Callable[[], bool], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def _free() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
