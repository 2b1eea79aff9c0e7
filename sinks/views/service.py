"""Contacts and service: what the bank's outlets offered, how long people waited, how many gave up.

``v_outlet_service`` holds counts and totals only, so that hours, days and outlets add up to the right share and the right mean:
``abandoned / n``, ``wait_seconds_total / waited``. Quantiles cannot be added up, so they stand in ``v_daily_contacts`` by its own rows.
"""

from __future__ import annotations

from schemas.events.interactions import BANK_INITIATED
from sinks.views.sql import listed
from sinks.views.view import View

#: Kinds of contact that wait for somebody of the bank.
SERVED = ("visit", "call", "chat", "enquiry")
#: The service level of the field: answered within so many seconds.
WITHIN_SECONDS = 20
_CONTACTS = (
    "business_day",
    "outlet_id",
    "channel",
    "kind",
    "outcome",
    "n",
    "customers",
    "waited",
    "wait_seconds_total",
    "wait_seconds_p50",
    "wait_seconds_p90",
    "as_of",
)
_SERVICE = (
    "business_day",
    "hour",
    "outlet_id",
    "channel",
    "kind",
    "n",
    "abandoned",
    "served",
    "resolved",
    "waited",
    "wait_seconds_total",
    "answered_in_20s",
    "handled",
    "handling_seconds_total",
    "as_of",
)


def service_views(database: str, zone: str) -> tuple[View, ...]:
    """By day and outcome with quantiles, and by hour with what can be added up."""
    contacts = f"""
SELECT business_day, outlet_id, channel, kind, outcome, count() AS n, uniqExact(customer_id) AS customers, countIf(wait_seconds IS NOT NULL) AS waited,
       sum(wait_seconds) AS wait_seconds_total, quantileExact(0.5)(wait_seconds) AS wait_seconds_p50, quantileExact(0.9)(wait_seconds) AS wait_seconds_p90,
       max(occurred_at) AS as_of
FROM {database}.interactions
GROUP BY business_day, outlet_id, channel, kind, outcome"""
    by_customer = f"(initiator = 'customer' OR (initiator = '' AND kind NOT IN ({listed(sorted(BANK_INITIATED))})))"
    service = f"""
SELECT business_day, toHour(toTimeZone(occurred_at, '{zone}')) AS hour, outlet_id, channel, kind, count() AS n, countIf(outcome = 'abandoned') AS abandoned,
       countIf(outcome IN ('served', 'resolved', 'unresolved', 'transferred')) AS served, countIf(outcome = 'resolved') AS resolved,
       countIf(wait_seconds IS NOT NULL) AS waited, sum(ifNull(wait_seconds, 0)) AS wait_seconds_total,
       countIf(wait_seconds <= {WITHIN_SECONDS} AND outcome != 'abandoned') AS answered_in_20s, countIf(handling_seconds IS NOT NULL) AS handled,
       sum(ifNull(handling_seconds, 0)) AS handling_seconds_total, max(occurred_at) AS as_of
FROM {database}.interactions
WHERE kind IN ({listed(SERVED)}) AND {by_customer}
GROUP BY business_day, hour, outlet_id, channel, kind"""
    return (
        View("v_daily_contacts", "Interactions by business day, outlet, channel, kind and outcome, with waits", contacts, _CONTACTS),
        View(
            "v_outlet_service",
            "Visits, calls, chats and enquiries that customers began, by business day, local hour, outlet and channel: abandoned, waits, service level",
            service,
            _SERVICE,
        ),
    )
