"""What a partition remembers beside its customers: where it is in every input, the four counters, the journal and the clock."""

from __future__ import annotations

from typing import Final, Literal

import msgspec

from schemas.events import EventKind
from schemas.localtime import Instant
from streams.records import InputRecord, Record
from streams.watermark import Watermark

#: The record's key in the changelog. No customer id can be equal to it: identifiers hold no control characters.
KEY: Final = b"\x00partition"

Outcome = Literal["applied", "duplicate", "late", "dead_lettered"]
OUTCOMES: Final[tuple[Outcome, ...]] = ("applied", "duplicate", "late", "dead_lettered")


class InputProgress(msgspec.Struct, array_like=True):
    """One input topic's partition. ``next - start == applied + duplicate + late + dead_lettered + gaps``, always.

    ``gaps`` are offsets that hold no record (compacted away, or a transaction's markers). ``latest`` is the place in time of
    the last readable record handed out by the merge.
    """

    start: int
    next: int
    latest: Instant = 0
    applied: int = 0
    duplicate: int = 0
    late: int = 0
    dead_lettered: int = 0
    gaps: int = 0


class Waiting(msgspec.Struct, array_like=True):
    """A record that has moved the clock and waits until all that fell due thereby is judged; ``place`` is where in time the merge has put it."""

    kind: EventKind
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes]]
    place: Instant | None

    @classmethod
    def of(cls, kind: EventKind, record: Record, place: Instant | None) -> Waiting:
        """As a lane took it in hand."""
        return cls(kind, record.offset, record.timestamp, record.key, record.value, list(record.headers), place)

    def record(self) -> InputRecord:
        """As the consumer gave it."""
        return InputRecord(self.offset, self.timestamp, self.key, self.value, self.headers)


class PartitionRecord(msgspec.Struct, array_like=True):
    """``position`` is the journal position of the next entry. The two runs say how much went wrong without anything going right:
    records dead-lettered, and looks at a customer as the clock passed. ``waiting`` is read from its topic already, but not accounted for.
    ``state_form`` is that of the customers beside it; records written before there was a second form do not say it.
    """

    watermark: Watermark
    inputs: dict[EventKind, InputProgress] = msgspec.field(default_factory=dict)
    position: int = 0
    dead_letters_in_a_row: int = 0
    failed_looks_in_a_row: int = 0
    waiting: Waiting | None = None
    state_form: int = 1


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(PartitionRecord).decode


def encode_record(record: PartitionRecord) -> bytes:
    """The record's changelog value."""
    return _encode(record)


def decode_record(value: bytes) -> PartitionRecord:
    """The record in a changelog value. Raises msgspec.DecodeError."""
    return _decode(value)
