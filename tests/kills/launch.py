"""Somebody inside a worker who strikes at a named step.

As soon as a file holds an order, the next time any lane takes the step it names, the whole process gets the signal: SIGKILL as a
lost machine would, SIGSTOP as one that hangs. The moment is left beside it in ``FILE.hit``.
"""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import msgspec

from streams.engine.steps import Step


class Order(msgspec.Struct, frozen=True):
    """``delay_ms`` after ``step`` the signal comes. With ``meanwhile`` the worker goes on until then, else it is held at the step."""

    step: Step
    signal: int
    delay_ms: float = 0.0
    meanwhile: bool = False


class Striker:
    """An observer that carries out one order at a time; several threads may take steps at once, one of them strikes."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._hit = hit_of(file)
        self._decode = msgspec.json.Decoder(Order).decode

    def __call__(self, step: Step, _number: int) -> None:
        try:
            order = self._decode(self._file.read_bytes())
            if order.step is not step:
                return
            self._file.unlink()
        except FileNotFoundError:
            return
        if order.meanwhile:
            threading.Thread(target=self._strike, args=(order,)).start()
        else:
            self._strike(order)

    def _strike(self, order: Order) -> None:
        time.sleep(order.delay_ms / 1000)
        unfinished = self._hit.with_suffix(".writing")
        unfinished.write_text(repr(time.time()))
        unfinished.rename(self._hit)
        os.kill(os.getpid(), order.signal)


def hit_of(file: Path) -> Path:
    """Where the moment of a strike is left."""
    return file.with_suffix(".hit")


def give(file: Path, order: Order) -> None:
    """Put an order in force."""
    unfinished = file.with_suffix(".giving")
    unfinished.write_bytes(msgspec.json.encode(order))
    hit_of(file).unlink(missing_ok=True)
    unfinished.rename(file)
