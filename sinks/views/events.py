"""Every kind of event in one shape: a customer's timeline."""

from __future__ import annotations

from sinks.views.view import View

_COLUMNS = (
    "event_kind",
    "what",
    "event_id",
    "source",
    "customer_id",
    "occurred_at",
    "business_day",
    "channel",
    "outlet_id",
    "amount",
    "currency",
    "reference",
    "journal_partition",
    "journal_position",
    "as_of",
)
#: Table: kind, what happened, channel, outlet, amount, currency, what it refers to.
_KINDS = {
    "transactions": ("transaction", "kind", "channel", "outlet_id", "toNullable(amount)", "currency", "account_id"),
    "complaints": ("complaint", "step", "channel", "outlet_id", "NULL", "''", "case_id"),
    "interactions": ("interaction", "kind", "channel", "outlet_id", "cost", "currency", "campaign_id"),
    "customers": ("customer", "change", "''", "outlet_id", "NULL", "''", "request_id"),
    "feedback": ("feedback", "action", "''", "''", "NULL", "''", "alert_id"),
}


def event_views(database: str) -> tuple[View, ...]:
    """One view over the five event tables."""
    select = " UNION ALL ".join(
        f"SELECT '{kind}' AS event_kind, {what} AS what, event_id, source, customer_id, occurred_at, business_day, {channel} AS channel, {outlet} AS outlet_id,"
        f" CAST({amount} AS Nullable(Decimal(19, 4))) AS amount, {currency} AS currency, {reference} AS reference, _partition AS journal_partition,"
        f" _position AS journal_position, _ingested_at AS as_of FROM {database}.{table}"
        for table, (kind, what, channel, outlet, amount, currency, reference) in _KINDS.items()
    )
    return (View("v_events", "Every applied event of every kind, one row each; ticks are left out", select, _COLUMNS),)
