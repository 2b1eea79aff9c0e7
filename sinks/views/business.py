"""Business by day: what moved, by outlet, product line, kind and channel. Every count and amount can be added up; ``customers`` cannot."""

from __future__ import annotations

from sinks.views.view import View

_KEYS = ("business_day", "outlet_id", "product_line", "kind", "channel", "direction", "currency")
_COLUMNS = (*_KEYS, "n", "customers", "amount", "posted", "reversed", "declined", "as_of")


def business_views(database: str) -> tuple[View, ...]:
    """One view over the transactions."""
    keys = ", ".join(_KEYS)
    select = f"""
SELECT {keys}, count() AS n, uniqExact(customer_id) AS customers,
       sumIf(amount, status = 'posted') - sumIf(amount, status = 'reversed') AS amount,
       countIf(status = 'posted') AS posted, countIf(status = 'reversed') AS reversed, countIf(status = 'declined') AS declined, max(occurred_at) AS as_of
FROM {database}.transactions
GROUP BY {keys}"""
    return (View("v_daily_business", "Transactions by business day, outlet, product line, kind, channel, direction and currency", select, _COLUMNS),)
