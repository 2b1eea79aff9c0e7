"""From a record's bytes to an event, or to the reason why it is none.

The pydantic models decide what is an event. The hot path asks ``schemas.quick_reader`` first, which reads most events in a fraction of
the time; everything that makes a failure readable happens after it failed, in ``schemas.diagnosis``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, cast

from pydantic import ValidationError

from schemas.diagnosis import depth_within, diagnose, strict_json
from schemas.events import MODELS, AnyEvent, Complaint, Customer, EventKind, Feedback, Interaction, Tick, Transaction
from schemas.localtime import Instant, to_instant
from schemas.quick import QuickEvent
from schemas.quick_reader import read_quickly
from schemas.rejection import MAX_BYTES, MAX_DEPTH, REASONS, Reason, Rejected

_VALIDATE: Final[dict[EventKind, Callable[[bytes], AnyEvent]]] = {kind: model.__pydantic_validator__.validate_json for kind, model in MODELS.items()}


#: An event as a model read it, or as the quick reader did: the same fields with the same values, but for ``occurred_at``'s type.
ReadEvent = AnyEvent | QuickEvent
#: One that is about a customer: any but a tick.
CustomerEvent = Transaction | Complaint | Interaction | Customer | Feedback | QuickEvent


def read(kind: EventKind, key: bytes | None, value: bytes | None) -> tuple[ReadEvent, Instant]:
    """The event of a record, and its instant. Raises Rejected, and nothing else, as ``decode`` does."""
    found = read_value(kind, value)
    expected = key_of(found[0]) if kind == "tick" else cast(CustomerEvent, found[0]).customer_id.encode()
    if key != expected:
        raise _wrong_key(kind)
    return found


def read_value(kind: EventKind, value: bytes | None) -> tuple[ReadEvent, Instant]:
    """The event of a value and its instant, its record's key left aside. Raises Rejected, and nothing else."""
    found = None if value is None else read_quickly(kind, value)
    if found is not None:
        return found
    event = validate(kind, value)
    return event, to_instant(event.occurred_at)


def decode(kind: EventKind, key: bytes | None, value: bytes | None) -> AnyEvent:
    """The event that a record of an input topic of this kind holds. Raises Rejected, and nothing else."""
    event = validate(kind, value)
    if key != key_of(event):
        raise _wrong_key(kind)
    return event


def validate(kind: EventKind, value: bytes | None) -> AnyEvent:
    """The event of a value, its record's key left aside. Raises Rejected, and nothing else."""
    if not value:
        raise _without_value(value)
    if len(value) > MAX_BYTES:
        raise Rejected("decode", "too_large", f"value has {len(value)} bytes, the limit is {MAX_BYTES}")
    if value.count(b"{") + value.count(b"[") > MAX_DEPTH and not depth_within(value, MAX_DEPTH):
        raise Rejected("decode", "too_deep", f"value is nested more than {MAX_DEPTH} levels deep")
    try:
        event = _VALIDATE[kind](value)
    except ValidationError as failure:
        raise diagnose(MODELS[kind], value, failure) from None
    if (b"NaN" in value or b"Infinity" in value) and not strict_json(value):
        raise Rejected("decode", "not_json", "value holds NaN or Infinity, which JSON does not have")
    return event


def key_of(event: ReadEvent) -> bytes:
    """The key that a record of this event carries: its customer, or a tick's partition in decimal."""
    if isinstance(event, Tick):
        return b"%d" % event.partition
    return event.customer_id.encode()


_WRONG_KEY: Final = "the record's key is not the event's customer_id in UTF-8"
_WRONG_KEY_OF_TICK: Final = "the record's key is not the tick's partition in decimal"


def _wrong_key(kind: EventKind) -> Rejected:
    return Rejected("key", "wrong_key", _WRONG_KEY_OF_TICK if kind == "tick" else _WRONG_KEY, "partition" if kind == "tick" else "customer_id")


def _without_value(value: bytes | None) -> Rejected:
    if value is None:
        return Rejected("decode", "tombstone", "the record has no value (a tombstone)")
    return Rejected("decode", "empty", "the value has no bytes")


__all__ = ["MAX_BYTES", "MAX_DEPTH", "REASONS", "ReadEvent", "Reason", "Rejected", "decode", "key_of", "read", "read_value", "validate"]
