"""A customer's snapshot: every metric that has a value, as JSON, and when the next one is due."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

import msgspec

from schemas.localtime import Day, Instant, to_date, to_datetime
from schemas.metrics import KEYS, Subject, Unit
from streams.customer.customer import CustomerInHand
from streams.metrics.computed import COMPUTED, Compute

_encode = msgspec.json.Encoder().encode
Plan = tuple[tuple[str, Compute, bool], ...]  # key, how it is computed, whether a zero is left out

#: Zero sums by window and empty maps are left out; a zero that is a finding (0 days late, a norm of 0) stays, where there is something to find it in.
_ZERO_LEFT_OUT: Final = frozenset(
    key for key, metric in KEYS.items() if metric.by or (metric.unit in (Unit.COUNT, Unit.MONEY) and metric.windows and metric.name != "flow.out.norm")
)
#: Computed for all windows at once by ``fill`` of Flows, Balances, Contacts and Satisfaction.
_FILLED: Final = frozenset(
    key
    for key, metric in KEYS.items()
    if (metric.family == "flow" and metric.name != "flow.out.norm")
    or metric.family in ("balance", "cash", "contact", "satisfaction")
    or metric.name in ("activity.frequency", "activity.monetary")
)


def _plan(*families: str) -> Plan:
    keys = [key for key, metric in KEYS.items() if metric.subject is Subject.CUSTOMER and metric.family in families and key not in _FILLED]
    return tuple((key, COMPUTED[key], key in _ZERO_LEFT_OUT) for key in keys)


#: Families in order of the dictionary, each with the test whether the customer has anything in it that is not zero or none.
_PLANS: Final[tuple[tuple[Callable[[CustomerInHand], Any], Plan], ...]] = (
    (lambda _: True, _plan("flow", "activity")),
    (lambda c: c.state.salary, _plan("salary")),
    (lambda c: c.state.loans, _plan("loan")),
    (lambda c: c.state.complaints.cases, _plan("complaint")),
)


@lru_cache(maxsize=4096)
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
    customer.flows.fill(metrics)
    state.balances.fill(metrics, customer.today)
    if customer.contacts:
        customer.contacts.fill(metrics)
    if customer.satisfaction:
        customer.satisfaction.fill(metrics)
    for has_any, plan in _PLANS:
        if has_any(customer):
            for key, compute, zero_left_out in plan:
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
