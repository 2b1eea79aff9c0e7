"""Frames: what one poll brought for one topic partition, handed through Faust as a single message.

Faust's cost is per message (locks, futures, event objects), whatever the payload. One message a poll makes that cost vanish.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import faust

from streams.engine.ports import Place
from streams.records import Record


class PolledFrame:
    """Looks to Faust like the poll's last record; its value is the frame itself.

    ``start`` and ``end`` are the consumer's positions before and after the poll. They include offsets that hold no record
    (transaction markers, compacted ones), so that consecutive frames join without a gap or something was lost on the way.
    """

    __slots__ = (
        "checksum",
        "end",
        "headers",
        "key",
        "offset",
        "partition",
        "records",
        "serialized_key_size",
        "serialized_value_size",
        "start",
        "timestamp",
        "timestamp_type",
        "topic",
    )

    def __init__(self, records: list[Record], start: int, end: int, place: Place) -> None:
        last = records[-1]
        self.records, self.start, self.end = records, start, end
        self.topic, self.partition = place
        self.offset, self.timestamp, self.timestamp_type = last.offset, last.timestamp, 0
        self.key, self.headers, self.checksum = None, (), None
        self.serialized_key_size = self.serialized_value_size = 0

    @property
    def value(self) -> PolledFrame:
        return self


class FrameScheduler:
    """Faust's ConsumerScheduler setting: frames go out in the order they were polled."""

    def iterate(self, records: Mapping[Any, PolledFrame]) -> Iterator[tuple[Any, PolledFrame]]:
        yield from records.items()


class PassThrough(faust.Schema):  # type: ignore[type-arg]
    """Faust decodes nothing: bad bytes are the lane's business, which sets them aside instead of losing them."""

    def loads_key(self, app: Any, message: Any, *, loads: Any = None, serializer: Any = None) -> Any:  # noqa: ARG002 Faust's signature
        return message.key

    def loads_value(self, app: Any, message: Any, *, loads: Any = None, serializer: Any = None) -> Any:  # noqa: ARG002
        return message.value
