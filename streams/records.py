"""What goes into a lane and what comes out: input records as the consumer hands them over, outputs as the writer sends them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, NamedTuple, Protocol

_TRACEPARENT: Final = re.compile(rb"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")


class Record(Protocol):
    """One record of an input partition; aiokafka's ConsumerRecord is one. ``timestamp`` is the broker's, in milliseconds."""

    @property
    def offset(self) -> int: ...
    @property
    def timestamp(self) -> int: ...
    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...
    @property
    def headers(self) -> Sequence[tuple[str, bytes]]: ...


class InputRecord(NamedTuple):
    """A record that did not come from a consumer: from a file, a journal or a test."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]] = ()


class Output(NamedTuple):
    """One record to write to the lane's partition of the output topic with this short name."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes]]


def trace_of(headers: Sequence[tuple[str, bytes | None]]) -> str | None:
    """The W3C traceparent among a record's headers; one that is null or no traceparent is as good as none."""
    for name, value in headers:
        if name == "traceparent":
            return value.decode() if value is not None and _TRACEPARENT.fullmatch(value) else None
    return None
