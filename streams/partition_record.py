"""What a partition remembers beside its customers: where it is in every input, the four counters, the journal and the clock."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Literal

import msgspec

from schemas.events import EventKind
from schemas.localtime import Instant
from streams.records import InputRecord, Record
from streams.watermark import Watermark

#: The record's key in the changelog. No customer id can be equal to it: identifiers hold no control characters.
KEY: Final = b"\x00partition"

Outcome = Literal["applied", "duplicate", "late", "dead_lettered"]
OUTCOMES: Final[tuple[Outcome, ...]] = ("applied", "duplicate", "late", "dead_lettered")


class InputProgress:
    """One input topic's partition. ``next - start == applied + duplicate + late + dead_lettered + gaps``, always.

    ``gaps`` are offsets that hold no record (compacted away, or a transaction's markers). ``latest`` is the place in time of
    the last readable record handed out by the merge.
    """

    __slots__ = ("applied", "dead_lettered", "duplicate", "gaps", "late", "latest", "next", "start")

    def __init__(
        self, start: int, next: int, latest: Instant = 0, applied: int = 0, duplicate: int = 0, late: int = 0, dead_lettered: int = 0, gaps: int = 0
    ) -> None:
        self.start = start
        self.next = next
        self.latest = latest
        self.applied = applied
        self.duplicate = duplicate
        self.late = late
        self.dead_lettered = dead_lettered
        self.gaps = gaps

    def count(self, outcome: Outcome) -> None:
        """One more record has ended so."""
        if outcome == "applied":
            self.applied += 1
        elif outcome == "duplicate":
            self.duplicate += 1
        elif outcome == "late":
            self.late += 1
        else:
            self.dead_lettered += 1

    def packed(self) -> tuple[int, ...]:
        """What is stored."""
        return self.start, self.next, self.latest, self.applied, self.duplicate, self.late, self.dead_lettered, self.gaps

    def __eq__(self, other: object) -> bool:
        return isinstance(other, InputProgress) and self.packed() == other.packed()


class Waiting:
    """A record that has moved the clock and waits until all that fell due thereby is judged; ``place`` is where in time the merge has put it."""

    __slots__ = ("headers", "key", "kind", "offset", "place", "timestamp", "value")

    def __init__(
        self, kind: EventKind, offset: int, timestamp: int, key: bytes | None, value: bytes | None, headers: Sequence[Sequence[Any]], place: Instant | None
    ) -> None:
        self.kind = kind
        self.offset = offset
        self.timestamp = timestamp
        self.key = key
        self.value = value
        self.headers: list[tuple[str, bytes]] = [(header[0], header[1]) for header in headers]
        self.place = place

    @staticmethod
    def of(kind: EventKind, record: Record, place: Instant | None) -> Waiting:
        """As a lane took it in hand."""
        return Waiting(kind, record.offset, record.timestamp, record.key, record.value, record.headers, place)

    def packed(self) -> tuple[Any, ...]:
        """What is stored."""
        return self.kind, self.offset, self.timestamp, self.key, self.value, self.headers, self.place

    def record(self) -> InputRecord:
        """As the consumer gave it."""
        return InputRecord(self.offset, self.timestamp, self.key, self.value, self.headers)


class PartitionRecord:
    """``position`` is the journal position of the next entry. The two runs say how much went wrong without anything going right:
    records dead-lettered, and looks at a customer as the clock passed. ``waiting`` is read from its topic already, but not accounted for.
    ``state_form`` is that of the customers beside it; records written before there was a second form do not say it.
    """

    __slots__ = ("dead_letters_in_a_row", "failed_looks_in_a_row", "inputs", "position", "state_form", "waiting", "watermark")

    def __init__(
        self,
        watermark: Watermark,
        inputs: dict[EventKind, InputProgress] | None = None,
        position: int = 0,
        dead_letters_in_a_row: int = 0,
        failed_looks_in_a_row: int = 0,
        waiting: Waiting | None = None,
        state_form: int = 1,
    ) -> None:
        self.watermark = watermark
        self.inputs: dict[EventKind, InputProgress] = {} if inputs is None else inputs
        self.position = position
        self.dead_letters_in_a_row = dead_letters_in_a_row
        self.failed_looks_in_a_row = failed_looks_in_a_row
        self.waiting = waiting
        self.state_form = state_form

    def packed(self) -> tuple[Any, ...]:
        """What is stored."""
        return (
            self.watermark.packed(),
            {kind: progress.packed() for kind, progress in self.inputs.items()},
            self.position,
            self.dead_letters_in_a_row,
            self.failed_looks_in_a_row,
            None if self.waiting is None else self.waiting.packed(),
            self.state_form,
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PartitionRecord) and self.packed() == other.packed()


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[Any]).decode


def encode_record(record: PartitionRecord) -> bytes:
    """The record's changelog value."""
    return _encode(record.packed())


def decode_record(value: bytes) -> PartitionRecord:
    """The record in a changelog value. Raises msgspec.DecodeError."""
    return _read(*_decode(value))


def _read(watermark: Sequence[Any], inputs: dict[Any, Any], position: int, *others: Any) -> PartitionRecord:
    letters, looks, waiting, form = others + (0, 0, None, 1)[len(others) :]
    progress = {kind: InputProgress(*stored) for kind, stored in inputs.items()}
    return PartitionRecord(Watermark(*watermark), progress, position, letters, looks, None if waiting is None else Waiting(*waiting), form)
