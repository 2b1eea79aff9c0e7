"""How a long-running process ends: with its code, even if a client library's thread still waits for a broker that is gone."""

from __future__ import annotations

import logging
import os
import sys

import typer


def end_process(code: int) -> None:
    """Raise ``typer.Exit`` after a clean end; leave at once after any other, since what still runs must not be waited for."""
    if code == 0:
        raise typer.Exit(0)
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
