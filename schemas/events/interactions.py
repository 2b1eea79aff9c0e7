"""Interactions: every contact between the customer and the bank, surveys and campaigns among them."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from schemas.events.envelope import Amount, Channel, Currency, Event, FieldError, Identifier, Text, exact

InteractionKind = Literal[
    "visit",
    "call",
    "chat",
    "login",
    "message",
    "survey_answer",
    "campaign_contact",
    "campaign_response",
    "care_contact",
    "enquiry",
    "referral",
]
Initiator = Literal["customer", "bank"]
Instrument = Literal["csat", "nps", "ces"]
#: The five dimensions of satisfaction, and the whole.
Dimension = Literal["overall", "service", "product", "price", "transparency", "cooperation"]
Outcome = Literal["served", "resolved", "unresolved", "transferred", "abandoned", "no_answer", "accepted", "declined", "none"]
CampaignArm = Literal["treated", "holdout"]

#: Kinds that are the bank's doing unless the event says otherwise.
BANK_INITIATED: frozenset[str] = frozenset({"campaign_contact", "care_contact", "message", "survey_answer"})


class Interaction(Event):
    """One contact. ``wait_seconds`` is time queued before service, ``handling_seconds`` time served.

    A ``survey_answer`` states ``instrument``, ``score`` and ``scale_max`` (scale from ``scale_min``), so that a score is
    never read on the wrong scale. ``campaign_id`` and ``arm`` go with campaign contact and response.
    """

    kind: InteractionKind
    initiator: Initiator | None = None
    channel: Channel = "other"
    outlet_id: Identifier | None = None
    wait_seconds: Annotated[float, Field(ge=0, le=1_000_000)] | None = None
    handling_seconds: Annotated[float, Field(ge=0, le=1_000_000)] | None = None
    outcome: Outcome = "none"
    instrument: Instrument | None = None
    dimension: Dimension | None = None
    score: Annotated[int, Field(ge=0, le=100)] | None = None
    scale_min: Annotated[int, Field(ge=0, le=1)] = 1
    scale_max: Annotated[int, Field(ge=2, le=100)] | None = None
    campaign_id: Identifier | None = None
    arm: CampaignArm | None = None
    cost: Amount | None = None
    currency: Currency | None = None
    referred_customer_id: Identifier | None = None
    case_id: Identifier | None = None
    topic: Text | None = None

    @property
    def by_customer(self) -> bool:
        """Whether the customer started it."""
        return self.initiator == "customer" if self.initiator else self.kind not in BANK_INITIATED

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.kind == "survey_answer":
            if self.instrument is None or self.score is None or self.scale_max is None:
                field = "instrument" if self.instrument is None else "score" if self.score is None else "scale_max"
                raise FieldError(field, "instrument, score and scale_max are required for a survey answer")
            if not self.scale_min <= self.score <= self.scale_max:
                raise FieldError("score", "score must lie on its scale")
            if self.instrument == "nps" and (self.scale_min, self.scale_max) != (0, 10):
                raise FieldError("scale_max", "an nps answer is on the scale 0 to 10")
        if self.kind in ("campaign_contact", "campaign_response") and self.campaign_id is None:
            raise FieldError("campaign_id", "campaign_id is required for campaign contact and response")
        if self.cost is not None:
            if self.currency is None:
                raise FieldError("currency", "currency is required with cost")
            if exact("cost", self.cost, self.currency) < 0:
                raise FieldError("cost", "cost must not be negative", "negative_amount")
        return self
