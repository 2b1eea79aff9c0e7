"""A customer's snapshot: every metric that has a value, as JSON, and when the next one is due."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

import msgspec

from schemas.metrics import KEYS, Subject, Unit
from streams.calendar import Day, Instant, to_date, to_datetime
from streams.customer.customer import CustomerInHand
from streams.metrics.computed import COMPUTED

_encode = msgspec.json.Encoder().encode
#: Zero counts, amounts and empty maps are left out; a zero that is a finding (0 days late, ratio 0.0) stays.
_ZERO_LEFT_OUT: Final = frozenset(key for key, metric in KEYS.items() if metric.by or (metric.unit in (Unit.COUNT, Unit.MONEY) and metric.windows))
_PLAN: Final = tuple((key, COMPUTED[key], key in _ZERO_LEFT_OUT) for key, metric in KEYS.items() if metric.subject is Subject.CUSTOMER)


def rfc3339(instant: Instant) -> str:
    """``2026-07-19T16:00:00Z``, with milliseconds where there are any."""
    return to_datetime(instant).isoformat(timespec="milliseconds" if instant % 1000 else "seconds").replace("+00:00", "Z")


@lru_cache(maxsize=4096)
def _iso_day(day: Day) -> str:
    return to_date(day).isoformat()


def snapshot(customer: CustomerInHand, partition: int, position: int) -> bytes:
    """The next snapshot of the customer as of the instant it was last advanced to (see ``schemas.outputs.Snapshot``)."""
    state = customer.state
    state.revision += 1
    metrics: dict[str, Any] = {}
    for key, compute, zero_left_out in _PLAN:
        value = compute(customer)
        if value is not None and (value or not zero_left_out):
            metrics[key] = value
    return _encode(
        {
            "customer_id": customer.customer_id,
            "as_of": rfc3339(state.as_of),
            "business_day": _iso_day(customer.today),
            "revision": state.revision,
            "partition": partition,
            "position": position,
            "currency": customer.pack.currency,
            "metrics": metrics,
        }
    )
