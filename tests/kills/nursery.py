"""Forks workers from a process that has imported everything already, so that a replacement is there at once on a busy machine.

``python -m tests.kills.nursery`` reads one JSON object a line: ``file`` of its orders, ``log``, ``environ``. The process id is left in
``FILE.pid``, the exit code in ``FILE.code``. When standard input closes, every worker is killed: none outlives the test.
"""

from __future__ import annotations

import gc
import json
import os
import select
import signal
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import streams.engine.app
import streams.processors  # noqa: F401  imported for the workers
from deploy.version import core
from deploy.working import run_worker
from streams.engine.outside import REAL
from tests.kills.launch import Striker


def _become_worker(wanted: dict[str, Any]) -> None:
    os.setsid()
    log = os.open(wanted["log"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((nothing, 0), (log, 1), (log, 2)):
        os.dup2(source, target)
    os.environ.update(wanted["environ"])
    code = 70
    try:
        code = run_worker(None, False, replace(REAL, observe=Striker(Path(wanted["file"]))))
    finally:
        sys.stderr.flush()
        os._exit(code)


def _write(file: Path, text: str) -> None:
    unfinished = file.with_name(file.name + ".writing")
    unfinished.write_text(text)
    unfinished.rename(file)


def main() -> None:
    """Until standard input closes."""
    print(f"workers have a core that is {core()}", file=sys.stderr, flush=True)
    gc.freeze()
    living: dict[int, Path] = {}
    try:
        _serve(living)
    finally:
        for pid in living:
            os.kill(pid, signal.SIGKILL)
        time.sleep(0.1)


def _serve(living: dict[int, Path]) -> None:
    waiting = b""
    while True:
        ready, _, _ = select.select([0], [], [], 0.02)
        while living and (ended := os.waitpid(-1, os.WNOHANG)) != (0, 0):
            _write(living.pop(ended[0]).with_suffix(".code"), str(os.waitstatus_to_exitcode(ended[1])))
        if not ready:
            continue
        received = os.read(0, 1 << 20)
        if not received:
            return
        *lines, waiting = (waiting + received).split(b"\n")
        for line in lines:
            wanted = json.loads(line)
            pid = os.fork()
            if pid == 0:
                _become_worker(wanted)
            file = Path(wanted["file"])
            living[pid] = file
            _write(file.with_suffix(".pid"), str(pid))


if __name__ == "__main__":
    main()
