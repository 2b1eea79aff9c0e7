"""The books of an import: which rows were read, what became of each, and the events in order of time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from deploy.inputs import InputLine, tick

_encode: Final = msgspec.json.Encoder().encode
_CLOSING: Final = timedelta(days=2)


class BadRow(ValueError):
    """A row that cannot become an event; the text is the reason under which it is counted, without a value of the row."""


@dataclass(slots=True)
class FileCount:
    """Rows of one file: each is either written as ``events`` (one row may make several), kept as ``reference``, or in ``skipped``."""

    rows: int = 0
    written: int = 0
    reference: int = 0
    events: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    first_skipped: dict[str, int] = field(default_factory=dict)

    @contextmanager
    def row(self, line: int) -> Iterator[None]:
        """Around what is done with a row: it counts as written, or as skipped with the reason of the BadRow raised."""
        try:
            yield
        except BadRow as bad:
            self.skip(str(bad), line)
        else:
            self.written += 1

    def skip(self, reason: str, line: int) -> None:
        """Leave a row out, and remember where the first one of its kind stands."""
        self.skipped[reason] += 1
        self.first_skipped.setdefault(reason, line)

    def as_dict(self) -> dict[str, Any]:
        """For the summary."""
        return {
            "rows": self.rows,
            "rows_written": self.written,
            "rows_for_reference": self.reference,
            "rows_skipped": {reason: {"rows": count, "first_line": self.first_skipped[reason]} for reason, count in sorted(self.skipped.items())},
            "events": self.events,
        }


class Imported:
    """Events of an import, collected, then given out in order of time with a tick that closes the last day."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.files: dict[str, FileCount] = {}
        self.topics: Counter[str] = Counter()
        self._events: list[tuple[float, int, InputLine]] = []
        self._last: datetime | None = None

    def add(self, file: FileCount, topic: str, occurred_at: datetime, event_id: str, customer_id: str, facts: dict[str, Any]) -> None:
        """One event; ``occurred_at`` is aware. Events of equal time stay in the order in which they are added."""
        event = {"event_id": event_id, "customer_id": customer_id, "occurred_at": occurred_at.isoformat(), "source": self.name} | facts
        self._events.append((occurred_at.timestamp(), len(self._events), InputLine(topic, customer_id, _encode(event))))
        file.events += 1
        self.topics[topic] += 1
        if self._last is None or occurred_at > self._last:
            self._last = occurred_at

    def __len__(self) -> int:
        return len(self._events)

    def lines(self) -> Iterator[InputLine]:
        """Every event in order of time, then the closing tick, two days after the last event."""
        self._events.sort(key=lambda entry: entry[:2])
        for _, _, line in self._events:
            yield line
        if self._last is not None:
            yield tick(f"{self.name}-tick-end", (self._last + _CLOSING).isoformat(), self.name)

    def summary(self) -> dict[str, Any]:
        """Rows and events, by file and by topic."""
        return {
            "import": self.name,
            "rows": sum(file.rows for file in self.files.values()),
            "events": len(self._events),
            "topics": dict(sorted(self.topics.items())),
            "files": {name: file.as_dict() for name, file in sorted(self.files.items())},
        }
