"""Sinks that end themselves with SIGKILL the n-th time they reach a milestone.

Reads lines ``MILESTONE<tab>N<tab>LOG`` and answers each with the exit code of the process that it made for it. What ``fenghuo sink``
imports is imported once; each sink is a process of its own, forked before it has opened anything.
"""

from __future__ import annotations

import os
import signal
import sys
import traceback

from deploy.sinking import run_sink
from sinks.milestones import Milestone


def run(milestone: str, times: int) -> None:
    seen = 0

    def observe(reached: Milestone) -> None:
        nonlocal seen
        if reached == milestone:
            seen += 1
            if seen == times:
                os.kill(os.getpid(), signal.SIGKILL)

    run_sink(True, observe)


def forked(milestone: str, times: int, log: str) -> int:
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    code = 1
    try:
        output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(output, 1)
        os.dup2(output, 2)
        run(milestone, times)
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    for line in sys.stdin:
        milestone, times, log = line.rstrip("\n").split("\t")
        print(forked(milestone, int(times), log), flush=True)
