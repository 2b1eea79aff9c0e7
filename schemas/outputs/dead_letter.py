"""Dead letters and late events: the record as it came, byte for byte, and why it was set aside, in headers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Stage = Literal["decode", "validate", "key", "time", "process", "clock", "insert"]
Headers = list[tuple[str, bytes]]

PREFIX: Final = "fenghuo.errors."


@dataclass(frozen=True, slots=True)
class SetAside:
    """Why one record was not applied. ``message`` holds no personal data: it never repeats a value from the record.

    ``reason`` is a short stable code (``not_json``, ``missing_field`` ...); ``field`` the path of the offending field.
    """

    topic: str
    partition: int
    offset: int
    stage: Stage
    reason: str
    message: str
    field: str | None = None
    exception: str | None = None

    def headers(self, original: Headers) -> Headers:
        """The record's own headers first, untouched, then ours under one prefix."""
        leaves = {
            "topic": self.topic,
            "partition": str(self.partition),
            "offset": str(self.offset),
            "stage": self.stage,
            "reason": self.reason,
            "message": self.message,
        }
        if self.field is not None:
            leaves["field"] = self.field
        if self.exception is not None:
            leaves["exception.class.name"] = self.exception
        return original + [(PREFIX + name, text.encode()) for name, text in leaves.items()]
