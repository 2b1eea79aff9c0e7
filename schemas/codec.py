"""From a record's bytes to an event, or to the reason why it is none.

The hot path is one call into pydantic's core. Everything that makes a failure readable happens after it failed, in
``schemas.diagnosis``, so that good events pay nothing for bad ones.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from pydantic import ValidationError

from schemas.diagnosis import depth_within, diagnose, strict_json
from schemas.events import MODELS, AnyEvent, EventKind, Tick
from schemas.rejection import MAX_BYTES, MAX_DEPTH, REASONS, Reason, Rejected

_VALIDATE: Final[dict[EventKind, Callable[[bytes], AnyEvent]]] = {kind: model.__pydantic_validator__.validate_json for kind, model in MODELS.items()}


def decode(kind: EventKind, key: bytes | None, value: bytes | None) -> AnyEvent:
    """The event that a record of an input topic of this kind holds. Raises Rejected, and nothing else."""
    event = validate(kind, value)
    if key != key_of(event):
        raise Rejected("key", "wrong_key", _WRONG_KEY_OF_TICK if kind == "tick" else _WRONG_KEY, "partition" if kind == "tick" else "customer_id")
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


def key_of(event: AnyEvent) -> bytes:
    """The key that a record of this event carries: its customer, or a tick's partition in decimal."""
    if isinstance(event, Tick):
        return b"%d" % event.partition
    return event.customer_id.encode()


_WRONG_KEY: Final = "the record's key is not the event's customer_id in UTF-8"
_WRONG_KEY_OF_TICK: Final = "the record's key is not the tick's partition in decimal"


def _without_value(value: bytes | None) -> Rejected:
    if value is None:
        return Rejected("decode", "tombstone", "the record has no value (a tombstone)")
    return Rejected("decode", "empty", "the value has no bytes")


__all__ = ["MAX_BYTES", "MAX_DEPTH", "REASONS", "Reason", "Rejected", "decode", "key_of", "validate"]
