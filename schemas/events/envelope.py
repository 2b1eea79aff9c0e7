"""The envelope every event shares. Unknown fields are kept: upstream systems evolve before we do."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from schemas.events.moments import Moment
from schemas.money import AMOUNT_PATTERN, MoneyError, minor_units

Identifier = Annotated[str, StringConstraints(min_length=1, max_length=128, pattern=r"^[^\x00-\x1f\x7f]+$")]
Text = Annotated[str, StringConstraints(max_length=4000)]
Amount = Annotated[str, StringConstraints(pattern=AMOUNT_PATTERN)]
Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
Channel = Literal["branch", "atm", "self_service", "phone", "online", "mobile", "chat", "mail", "pos", "partner", "regulator", "system", "other"]
EventKind = Literal["transaction", "complaint", "interaction", "customer", "tick", "feedback"]


class FieldError(ValueError):
    """Fields that are fine each by itself and wrong together. ``code`` is the stable reason, ``field`` the one to look at.

    The message is a fixed sentence: it never repeats a value of the event.
    """

    def __init__(self, field: str, message: str, code: str = "inconsistent") -> None:
        super().__init__(message)
        self.field = field
        self.code = code


def exact(field: str, amount: str, currency: str) -> int:
    """The amount of ``field`` in minor units. Raises FieldError with the code of the MoneyError where it cannot be held exactly."""
    try:
        return minor_units(amount, currency)
    except MoneyError as wrong:
        raise FieldError("currency" if wrong.code == "unknown_currency" else field, str(wrong), wrong.code) from None


class Event(BaseModel):
    """Fields that every event carries, whatever its topic.

    ``occurred_at`` is RFC 3339 with a zone: when it happened, not when it was sent. ``event_id`` is unique per ``source``
    for ever; a second copy is counted and skipped.
    """

    model_config = ConfigDict(extra="allow", strict=True, ser_json_timedelta="iso8601")

    event_id: Identifier
    customer_id: Identifier
    occurred_at: Moment
    source: Identifier
    schema_version: Annotated[int, Field(ge=1, le=1000)] = 1
