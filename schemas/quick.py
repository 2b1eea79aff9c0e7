"""The two kinds of event that make up nearly all traffic, as the quick reader gives them (``schemas.quick_reader``)."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from schemas.events.envelope import Channel
from schemas.events.interactions import BANK_INITIATED, CampaignArm, Dimension, Initiator, Instrument, InteractionKind, Outcome
from schemas.events.transactions import Direction, ProductLine, TransactionKind, TransactionStatus

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


QuickEvent = QuickTransaction | QuickInteraction
