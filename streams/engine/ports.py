"""What the engine needs from a processor, and nothing more: any lane with these methods runs under the same guarantees."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from streams.records import Output, Record


class Place(NamedTuple):
    """One partition of one topic; equal to the consumer libraries' own tuples."""

    topic: str
    partition: int


class FrameLike(Protocol):
    """What one step of a lane wants made durable, all of it or nothing."""

    @property
    def outputs(self) -> Sequence[Output]: ...
    @property
    def changelog(self) -> Mapping[bytes, bytes | None]: ...
    @property
    def positions(self) -> Mapping[Any, int]: ...
    @property
    def counts(self) -> Mapping[tuple[Any, str], int]: ...
    @property
    def clock(self) -> int | None: ...
    @property
    def steps(self) -> int:
        """How much work it was: records, and whatever else the lane counts against a frame's limit."""
        ...

    @property
    def dead_letters_in_a_row(self) -> int:
        """How many records, up to and including the frame's last, were dead-lettered one after the other."""
        ...


class LaneLike(Protocol):
    """One partition number of all inputs of a processor. Pure: it computes, the engine reads and writes."""

    @property
    def positions(self) -> Mapping[Any, int]: ...
    def offer(self, kind: Any, records: Sequence[Record]) -> None: ...
    def ended(self, kind: Any, at_end: bool) -> None: ...
    def in_hand(self, kind: Any) -> int: ...
    def frame(self, limit: int) -> Any: ...


LaneFactory = Callable[[int, dict[bytes, bytes]], LaneLike]


@dataclass(frozen=True)
class Processor:
    """A named job on the engine: which topics it reads, where its state is kept, and how a lane is made from recovered state.

    ``inputs`` maps full topic names to the kind the lane knows them by; all of them and ``changelog`` have ``partitions`` partitions.
    ``topic_name`` gives the full name of an output's short one.
    """

    name: str
    namespace: str
    partitions: int
    inputs: Mapping[str, Any]
    changelog: str
    topic_name: Callable[[str], str]
    lane_factory: LaneFactory

    @property
    def group(self) -> str:
        """The consumer group, and the prefix of the transactional ids."""
        return f"{self.namespace}-{self.name}"

    def places(self, number: int) -> dict[Place, Any]:
        """The input partitions of one lane, with the kind of each."""
        return {Place(topic, number): kind for topic, kind in self.inputs.items()}


class Reader(Protocol):
    """What a lane's keeper asks of the consumer."""

    def seek_place(self, place: Place, offset: int) -> None: ...
    def hold(self, place: Place) -> None: ...
    def release(self, place: Place) -> None: ...
    def mark_done(self, place: Place, next_offset: int) -> None: ...


class Stopped(Exception):
    """The worker cannot go on: one clear line for the log. ``code`` is the exit code (2 configuration, 3 a dependency lost)."""

    def __init__(self, message: str, code: int = 3) -> None:
        super().__init__(message)
        self.code = code
