"""Alert feedback: what the people who act on an alert say of it; it moves the alert's life on and measures the rule."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import model_validator

from schemas.events.envelope import Event, FieldError, Identifier, Text
from schemas.events.moments import Moment

FeedbackAction = Literal["acknowledged", "in_progress", "waiting", "resolved", "dismissed", "snoozed", "assessed"]
Assessment = Literal["confirmed", "useful", "false_positive", "duplicate", "data_error"]


class Feedback(Event):
    """One act on one alert. A snooze needs reason, approver and ``until``; an assessment says how the alert turned out."""

    alert_id: Identifier
    action: FeedbackAction
    assessment: Assessment | None = None
    actor: Identifier
    reason: Text | None = None
    approver: Identifier | None = None
    until: Moment | None = None

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.action == "assessed" and self.assessment is None:
            raise FieldError("assessment", "assessment is required for the action assessed")
        if self.action == "snoozed":
            for field in ("reason", "approver", "until"):
                if getattr(self, field) is None:
                    raise FieldError(field, f"{field} is required to snooze")
        return self
