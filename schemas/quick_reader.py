"""A quick reader for the two kinds of event that make up nearly all traffic.

It reads only what is certain: no field that the model does not name, no escape in a string, nothing out of the ordinary. All
else it leaves to the pydantic models, which alone decide what is refused and why. What it reads, the models read too, and to
the same values: a property test holds the two together.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import msgspec

from schemas.events.envelope import EventKind
from schemas.events.transactions import WITHOUT_MOVEMENT
from schemas.localtime import Instant
from schemas.moment_text import instant_of
from schemas.money import MoneyError, minor_units
from schemas.quick import QuickEvent, QuickInteraction, QuickTransaction
from schemas.rejection import MAX_BYTES

_DECODE: Final[dict[EventKind, Callable[[bytes], QuickEvent]]] = {
    "transaction": msgspec.json.Decoder(QuickTransaction).decode,
    "interaction": msgspec.json.Decoder(QuickInteraction).decode,
}


def read_quickly(kind: EventKind, value: bytes) -> tuple[QuickEvent, Instant] | None:
    """The event and its instant; None where it takes the model to tell."""
    decode = _DECODE.get(kind)
    if decode is None or len(value) > MAX_BYTES or b"\\" in value or b"\x7f" in value:
        return None
    try:
        event = decode(value)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
    at = instant_of(event.occurred_at)
    return None if at is None or not _consistent(event) else (event, at)


def _consistent(event: QuickEvent) -> bool:
    """Whether the model's own check would pass, as far as can be told quickly."""
    return _consistent_transaction(event) if isinstance(event, QuickTransaction) else _consistent_interaction(event)


def _consistent_transaction(event: QuickTransaction) -> bool:
    try:
        if minor_units(event.amount, event.currency) < 0:
            return False
        if event.balance_after is not None:
            minor_units(event.balance_after, event.currency)
    except MoneyError:
        return False
    if (event.direction == "none") != (event.kind in WITHOUT_MOVEMENT):
        return False
    return event.loan_id is not None or event.kind not in ("instalment_due", "loan_repayment")


def _consistent_interaction(event: QuickInteraction) -> bool:
    if event.kind == "survey_answer":
        score, low, high = event.score, event.scale_min, event.scale_max
        if event.instrument is None or score is None or high is None or not low <= score <= high:
            return False
        return event.instrument != "nps" or (low == 0 and high == 10)
    return event.campaign_id is not None or event.kind not in ("campaign_contact", "campaign_response")
