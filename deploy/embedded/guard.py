"""Runs a program that must not outlive its parent: ``python guard.py PROGRAM ARGUMENT...`` with a pipe from the parent as standard input.

The pipe closes when the parent ends it, exits or is killed, even with SIGKILL; then the program gets SIGTERM and, five seconds
later, SIGKILL. A death signal of the kernel would do on Linux, but it fires when the starting *thread* ends, and not on macOS.
Imports nothing of ours, so that it starts in milliseconds.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

GRACE_SECONDS = 5.0


def main(command: list[str]) -> int:
    """Run the command until it ends or standard input closes. Returns its exit code, 0 where it was us who ended it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    asked_to_end = threading.Event()

    def end() -> None:
        asked_to_end.set()
        child.terminate()
        try:
            child.wait(GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            child.kill()

    def wait_for_parent() -> None:
        while os.read(0, 4096):  # not sys.stdin: its lock must not be held when the interpreter ends
            pass
        end()

    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=end, daemon=True).start())
    threading.Thread(target=wait_for_parent, daemon=True).start()
    code = child.wait()
    return 0 if asked_to_end.is_set() else code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
