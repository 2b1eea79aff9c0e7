"""An alert: one revision of one episode of one rule on one subject, explained."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from schemas.events.envelope import Currency, EventKind, Identifier
from schemas.events.feedback import Assessment

Grade = Literal["low", "medium", "high", "critical"]
GRADES: tuple[Grade, ...] = ("low", "medium", "high", "critical")
Department = Literal[
    "relationship-manager",
    "risk-officer",
    "complaint-handler",
    "branch-head",
    "head-office",
    "operations",
    "compliance",
    "brand-protection",
]
AlertType = Literal[
    "churn", "credit", "complaint-clock", "operational", "legal", "market", "reputation", "transaction-anomaly", "service", "opportunity", "care"
]
#: raised: first revision · risen: higher grade · cleared: the rule's own clear condition · expired: nobody acted in time.
AlertState = Literal["raised", "risen", "acknowledged", "in_progress", "waiting", "resolved", "dismissed", "snoozed", "cleared", "expired"]
Quantity = int | float | str


class _Output(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Bilingual(_Output):
    zh: str
    en: str


class Reason(_Output):
    """One indicator that held, most important first. ``window`` is its days, where it has one; values are in ``unit``."""

    code: Identifier
    zh: str
    en: str
    metric: Identifier
    unit: str
    observed: Quantity | None
    baseline: Quantity | None = None
    threshold: Quantity | None = None
    window_days: int | None = None
    contribution: Annotated[int, Field(ge=0, le=100)]


class Evidence(_Output):
    """Journal entries that the alert rests on: entry ``position`` of partition ``partition`` of ``crm.journal``."""

    partition: int
    positions: list[int]


class Cause(_Output):
    """What raised this revision: an event, or the clock passing an instant (kind ``clock``, no event)."""

    kind: EventKind | Literal["clock"]
    event_id: Identifier | None = None
    position: int


class SubjectRef(_Output):
    """Who or what the alert is about; ``display_name`` is masked."""

    kind: Literal["customer", "complaint", "loan"]
    id: Identifier
    customer_id: Identifier
    display_name: str | None = None
    outlet_id: Identifier | None = None
    relationship_manager: Identifier | None = None


class Action(_Output):
    """What to do, and what not to: offers are barred while a complaint is open."""

    code: Identifier
    do: Bilingual
    do_not: Bilingual | None = None


class Alert(_Output):
    """One revision. ``alert_id`` is a hash of (rule, subject, episode): the same on every replay.

    ``occurred_at`` is the event time (or the instant the clock passed), ``watermark`` the partition's clock when raised.
    ``value_at_stake`` is in minor units of ``currency``; ``due_at`` is the deadline of the case, where there is one.
    ``reasons`` are those of the latest raise or rise; a cleared or expired alert says first why it closed.
    A closed alert never reopens: ``previous`` links a recurrence.
    """

    alert_id: Identifier
    revision: Annotated[int, Field(ge=1)]
    state: AlertState
    rule: Identifier
    rule_version: int
    pack: Identifier
    pack_version: Identifier
    type: AlertType
    title: Bilingual
    grade: Grade
    score: Annotated[int, Field(ge=0, le=100)]
    subject: SubjectRef
    episode: Annotated[int, Field(ge=1)]
    previous: Identifier | None = None
    occurrences: Annotated[int, Field(ge=1)]
    raised_at: AwareDatetime
    occurred_at: AwareDatetime
    watermark: AwareDatetime
    expires_at: AwareDatetime
    due_at: AwareDatetime | None = None
    currency: Currency
    value_at_stake: int
    reasons: Annotated[list[Reason], Field(max_length=4)]
    cause: Cause
    evidence: Evidence
    action: Action
    owner: Department
    snoozed_until: AwareDatetime | None = None
    assessment: Assessment | None = None
