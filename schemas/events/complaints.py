"""Complaints: one event per step of a case, so that the regulator's clock can run on the stream."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from schemas.events.envelope import Channel, Event, FieldError, Identifier, Text

ComplaintStep = Literal[
    "received",
    "classified",
    "accepted",
    "extended",
    "investigated",
    "answered",
    "closed",
    "withdrawn",
    "reopened",
    "escalated",
]
#: Facet B of JR/T 0169-2018: the business complained about.
ComplaintBusiness = Literal[
    "deposit", "loan", "card", "payment", "wealth", "insurance", "foreign_exchange", "credit_record", "electronic_banking", "account", "other"
]
#: Facet C of JR/T 0169-2018: the reason (the published outline's first ten, and other).
ComplaintReason = Literal[
    "service",
    "facilities",
    "rules_process",
    "selling",
    "disclosure",
    "returns",
    "choice",
    "contract",
    "fund_safety",
    "information_safety",
    "pricing",
    "collection",
    "other",
]
Severity = Literal["minor", "normal", "serious", "major"]


class Complaint(Event):
    """One step of one case. Facets are stated on ``received`` or ``classified`` and may be corrected by a later step.

    ``complex`` asks for the longer limit; an ``extended`` step needs the ``approver``. ``people`` is how many attend
    together. ``at_fault`` is the bank's finding once investigated.
    """

    case_id: Identifier
    step: ComplaintStep
    channel: Channel | None = None
    business: ComplaintBusiness | None = None
    reason: ComplaintReason | None = None
    severity: Severity | None = None
    complex: bool | None = None
    at_fault: bool | None = None
    people: Annotated[int, Field(ge=1, le=100_000)] | None = None
    owner: Identifier | None = None
    outlet_id: Identifier | None = None
    approver: Identifier | None = None
    narrative: Text | None = None

    @model_validator(mode="after")
    def _extension_is_approved(self) -> Self:
        if self.step == "extended" and self.approver is None:
            raise FieldError("approver", "approver is required for an extension")
        return self
