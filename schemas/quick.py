"""A quick reader for the two kinds of event that make up nearly all traffic.

It reads only what is certain: no field that the model does not name, no escape in a string, nothing out of the ordinary. All
else it leaves to the pydantic models, which alone decide what is refused and why. What it reads, the models read too, and to
the same values: a property test holds the two together.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from schemas.events.envelope import Channel, EventKind
from schemas.events.interactions import BANK_INITIATED, CampaignArm, Dimension, Initiator, Instrument, InteractionKind, Outcome
from schemas.events.moments import END, FIRST
from schemas.events.transactions import WITHOUT_MOVEMENT, Direction, ProductLine, TransactionKind, TransactionStatus
from schemas.localtime import Instant, to_instant
from schemas.money import MoneyError, minor_units
from schemas.rejection import MAX_BYTES

_Identifier = Annotated[str, Meta(min_length=1, max_length=128)]
_Text = Annotated[str, Meta(max_length=4000)]
_Version = Annotated[int, Meta(ge=1, le=1000)]
_Seconds = Annotated[float, Meta(ge=0, le=1_000_000)]


class QuickCounterparty(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """The fields of ``schemas.events.transactions.Counterparty``."""

    account: _Identifier | None = None
    bank: _Identifier | None = None
    country: Annotated[str, Meta(pattern="^[A-Z]{2}$")] | None = None


class QuickMerchant(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """The fields of ``schemas.events.transactions.Merchant``."""

    id: _Identifier
    category: _Identifier | None = None


class QuickTransaction(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """The fields of ``schemas.events.Transaction``; ``occurred_at`` as it is spelled."""

    event_id: _Identifier
    customer_id: _Identifier
    occurred_at: str
    source: _Identifier
    account_id: _Identifier
    amount: str
    currency: str
    direction: Direction
    kind: TransactionKind
    schema_version: _Version = 1
    status: TransactionStatus = "posted"
    channel: Channel = "other"
    outlet_id: _Identifier | None = None
    product_line: ProductLine = "deposit"
    product_id: _Identifier | None = None
    counterparty: QuickCounterparty | None = None
    merchant: QuickMerchant | None = None
    balance_after: str | None = None
    loan_id: _Identifier | None = None
    instalment: Annotated[int, Meta(ge=1, le=2000)] | None = None
    reverses: _Identifier | None = None
    description: _Text | None = None

    def consistent(self) -> bool:
        """Whether the model's own check would pass, as far as can be told quickly."""
        try:
            if minor_units(self.amount, self.currency) < 0:
                return False
            if self.balance_after is not None:
                minor_units(self.balance_after, self.currency)
        except MoneyError:
            return False
        if (self.direction == "none") != (self.kind in WITHOUT_MOVEMENT):
            return False
        return self.loan_id is not None or self.kind not in ("instalment_due", "loan_repayment")


class QuickInteraction(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """The fields of ``schemas.events.Interaction``; ``occurred_at`` as it is spelled. What a campaign or contact cost is left to the model."""

    event_id: _Identifier
    customer_id: _Identifier
    occurred_at: str
    source: _Identifier
    kind: InteractionKind
    schema_version: _Version = 1
    initiator: Initiator | None = None
    channel: Channel = "other"
    outlet_id: _Identifier | None = None
    wait_seconds: _Seconds | None = None
    handling_seconds: _Seconds | None = None
    outcome: Outcome = "none"
    instrument: Instrument | None = None
    dimension: Dimension | None = None
    score: Annotated[int, Meta(ge=0, le=100)] | None = None
    scale_min: Literal[0, 1] = 1
    scale_max: Annotated[int, Meta(ge=2, le=100)] | None = None
    campaign_id: _Identifier | None = None
    arm: CampaignArm | None = None
    referred_customer_id: _Identifier | None = None
    case_id: _Identifier | None = None
    topic: _Text | None = None

    @property
    def by_customer(self) -> bool:
        """Whether the customer started it."""
        return self.initiator == "customer" if self.initiator else self.kind not in BANK_INITIATED

    def consistent(self) -> bool:
        """Whether the model's own check would pass, as far as can be told quickly."""
        if self.kind == "survey_answer":
            score, low, high = self.score, self.scale_min, self.scale_max
            if self.instrument is None or score is None or high is None or not low <= score <= high:
                return False
            return self.instrument != "nps" or (low == 0 and high == 10)
        return self.campaign_id is not None or self.kind not in ("campaign_contact", "campaign_response")


QuickEvent = QuickTransaction | QuickInteraction

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
    return None if at is None or not event.consistent() else (event, at)


_FIRST: Final = to_instant(FIRST)
_END: Final = to_instant(END)
#: A moment in four parts, each with few values: 2026-07-19 | T09:30 | :00 | .123+08:00
_MINUTES: Final = {f"T{hour:02}:{minute:02}": (hour * 60 + minute) * 60_000 for hour in range(24) for minute in range(60)}
_SECONDS: Final = {f":{second:02}": second * 1000 for second in range(60)}
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_REST: Final = re.compile(r"(?:\.[0-9]{1,9})?(?:Z|[+-](?:0[0-9]|1[0-4]):[0-5][0-9])")
_REMEMBERED: Final = 20_000
_midnights: dict[str, Instant] = {}
_rests: dict[str, int] = {}


def instant_of(text: str) -> Instant | None:
    """The instant of a moment as events spell it, microseconds cut off; None if it is none, or outside the years that events may have."""
    date, rest = text[:10], text[19:]
    midnight, minutes, seconds, shift = _midnights.get(date), _MINUTES.get(text[10:16]), _SECONDS.get(text[16:19]), _rests.get(rest)
    if minutes is None or seconds is None:
        return None
    if midnight is None:
        midnight = _learn(_midnights, date, _DATE, f"{date}T00:00:00Z")
    if shift is None:
        shift = _learn(_rests, rest, _REST, f"1970-01-01T00:00:00{rest}")
    if midnight is None or shift is None:
        return None
    at = midnight + minutes + seconds + shift
    return at if _FIRST <= at < _END else None


def _learn(memory: dict[str, int], part: str, spelled: re.Pattern[str], moment: str) -> int | None:
    """Read one part of a moment, by a whole one that has it, and remember it."""
    if spelled.fullmatch(part) is None:
        return None
    try:
        value = to_instant(datetime.fromisoformat(moment))
    except ValueError:
        return None
    if len(memory) >= _REMEMBERED:
        memory.clear()
    memory[part] = value
    return value
