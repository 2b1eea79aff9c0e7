"""Tells alerts at a pace that a person can read: the gravest of each moment in full, the others as a number."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from zoneinfo import ZoneInfo

from rich.text import Text

from deploy.demo.alert_view import Language, alert_block, grade_counts, gravity
from schemas.outputs import Alert

_TOLD = ("raised", "risen")


class Teller:
    """Gathers new and risen alerts and prints every ``pause`` seconds the gravest one."""

    def __init__(self, show: Callable[[Text], None], zone: ZoneInfo, language: Language, pause: float = 1.0) -> None:
        self._show = show
        self._zone = zone
        self._language = language
        self._pause = pause
        self._held: list[Alert] = []
        self._next = 0.0

    def hear(self, revisions: Iterable[Alert]) -> None:
        """Take revisions as they come; tells one when it is time."""
        self._held += [alert for alert in revisions if alert.state in _TOLD]
        if self._held and time.monotonic() >= self._next:
            self.tell()

    def tell(self) -> None:
        """The gravest of those held, and how many others there are."""
        if not self._held:
            return
        self._next = time.monotonic() + self._pause
        gravest = max(self._held, key=gravity)
        self._held.remove(gravest)
        block = alert_block(gravest, self._zone, self._language)
        if self._held:
            block.append(f"\n    … and {len(self._held)} more: {grade_counts(self._held)}", "dim")
        self._show(block.append("\n"))
        self._held.clear()
