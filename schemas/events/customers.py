"""Customers: profile facts and their change control (request, approval, deletion with one month's hold, purge)."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from schemas.events.envelope import Event, FieldError, Identifier, Text
from schemas.events.moments import Day

CustomerChange = Literal["recorded", "change_requested", "change_approved", "change_rejected", "deletion_requested", "deletion_approved", "purged"]
CustomerNature = Literal["individual", "farm_household", "enterprise", "cooperative", "government"]
RiskPreference = Literal["conservative", "steady", "balanced", "growth", "aggressive"]


class Customer(Event):
    """One change of a profile. Only the facts stated change; ``recorded`` and ``change_approved`` take effect.

    ``display_name`` comes masked by the upstream system (for example ``张*伟``): a full name never enters the stream.
    A change names its ``request_id`` and ``reason``, an approval its ``approver``.
    """

    change: CustomerChange
    request_id: Identifier | None = None
    reason: Text | None = None
    approver: Identifier | None = None
    display_name: Annotated[str, Field(max_length=100, pattern=r"^[^\x00-\x1f\x7f]*$")] | None = None
    nature: CustomerNature | None = None
    size: Literal["small", "medium", "large"] | None = None
    region: Literal["urban", "rural", "fringe"] | None = None
    business: Literal["deposit", "loan", "investment"] | None = None
    birth_date: Day | None = None
    sex: Literal["female", "male", "unstated"] | None = None
    occupation: Identifier | None = None
    household_id: Identifier | None = None
    outlet_id: Identifier | None = None
    relationship_manager: Identifier | None = None
    risk_preference: RiskPreference | None = None
    tier: Identifier | None = None
    joined_on: Day | None = None
    language: Literal["zh", "en"] | None = None
    marketing_consent: bool | None = None

    @model_validator(mode="after")
    def _change_is_controlled(self) -> Self:
        if self.change in ("change_approved", "change_rejected", "deletion_approved") and self.approver is None:
            raise FieldError("approver", "approver is required to approve or reject")
        if self.change in ("change_requested", "deletion_requested") and self.reason is None:
            raise FieldError("reason", "reason is required to ask for a change or a deletion")
        return self
