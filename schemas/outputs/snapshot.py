"""A customer's metrics at one instant."""

from __future__ import annotations

from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from schemas.events.envelope import Currency, Identifier

MetricValue = int | float | dict[str, int] | dict[str, float]


class Snapshot(BaseModel):
    """All metrics of the dictionary that have a value; zero sums by window (not a norm or an average of 0) and empty maps are left out, and so are
    families in which the customer has nothing at all (no salary, loan, complaint, answer or contact ever).

    ``metrics`` maps keys of ``schemas.metrics.KEYS`` to values in their unit (money in minor units of ``currency``).
    ``revision`` rises by one with each snapshot of the customer. ``position`` is how many journal entries of
    ``partition`` the snapshot rests on.
    """

    model_config = ConfigDict(extra="forbid")

    customer_id: Identifier
    as_of: AwareDatetime
    business_day: Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\d$")]
    revision: Annotated[int, Field(ge=1)]
    partition: Annotated[int, Field(ge=0)]
    position: Annotated[int, Field(ge=0)]
    currency: Currency
    metrics: dict[str, MetricValue]
