"""Customers: as they stand, as they stood on a day, and every snapshot.

A snapshot is written when something happened, so what only passing time changes (silence, days past due) is carried on from the
snapshot's day to the day asked for. Averages and windows are those of the snapshot: ``business_day`` says which day that was.
"""

from __future__ import annotations

from collections.abc import Sequence

from schemas.metrics import KEYS, Subject, Unit
from sinks.columns import metric_column
from sinks.titles import Title, metric_titles
from sinks.views.clock import today
from sinks.views.sql import local_day, minor_units, money
from sinks.views.view import View

_FACTS = ("display_name", "outlet_id", "relationship_manager", "nature", "tier")
_HEAD = ("as_of", "business_day", "revision", "currency")
_CARRIED = ("as_of_day", "silent_days", "days_past_due", "amount_past_due", "past_due_band")
_METRICS = tuple(key for key, metric in KEYS.items() if metric.subject is Subject.CUSTOMER)
#: What passing time counts on from.
_CARRIED_FROM = ("activity.last_day", "loan.due.count", "loan.dpd", "loan.due.amount", "loan.overdue.amount")


def customer_views(database: str, zone: str) -> tuple[View, ...]:
    """The latest, the history, and one that takes a day."""
    titles: dict[str, Title] = metric_titles()
    on_day = f"{database}.customer_metrics WHERE business_day <= {{day:Date32}} ORDER BY customer_id DESC, revision DESC LIMIT 1 BY customer_id"
    return (
        View(
            "v_customers_latest",
            "One row a customer: the profile's outlet and manager, the newest metrics, silence and days past due as of today by v_clock; money as Decimal",
            latest_select(database, zone, _METRICS),
            latest_columns(_METRICS),
            titles,
        ),
        View(
            "v_customers_as_of",
            "The same as of the end of a business day: v_customers_as_of(day = '2026-03-31'); outlet and manager are today's",
            _standing(database, zone, on_day, "{day:Date32}", _METRICS),
            latest_columns(_METRICS),
            titles,
            ("day",),
        ),
        View(
            "v_customers_history",
            "Every metrics snapshot of every customer; money as Decimal",
            history_select(database, _METRICS),
            history_columns(_METRICS),
            titles,
        ),
    )


def latest_columns(keys: Sequence[str]) -> tuple[str, ...]:
    """Columns of ``latest_select``."""
    return ("customer_id", *_FACTS, *_HEAD, *_CARRIED, *map(metric_column, keys))


def latest_select(database: str, zone: str, keys: Sequence[str]) -> str:
    """One row a customer as of today: facts, these metrics of the newest snapshot, silence and days past due."""
    return _standing(database, zone, f"{database}.customer_metrics_latest FINAL", today(database, zone), keys)


def history_columns(keys: Sequence[str]) -> tuple[str, ...]:
    """Columns of ``history_select``."""
    return ("customer_id", *_HEAD, *map(metric_column, keys))


def history_select(database: str, keys: Sequence[str]) -> str:
    """These metrics of every snapshot."""
    return f"\nSELECT m.customer_id AS customer_id, {_head()}, {_metrics(keys)}\nFROM ({_snapshots(f'{database}.customer_metrics', keys)}) AS m"


def _standing(database: str, zone: str, snapshots: str, day: str, keys: Sequence[str]) -> str:
    facts = ", ".join(f"p.{name} AS {name}" for name in _FACTS)
    return f"""
SELECT m.customer_id AS customer_id, {facts}, {_head()}, {_carried(zone, day)}, {_metrics(keys)}
FROM ({_snapshots(snapshots, (*keys, *_CARRIED_FROM))}) AS m
LEFT JOIN ({_profiles(database)}) AS p ON p.customer_id = m.customer_id"""


def _snapshots(source: str, keys: Sequence[str]) -> str:
    """Snapshots with the divisor of their money: written out once, or planning a query would take longer than running it."""
    stored = ", ".join(dict.fromkeys(map(metric_column, keys)))
    return f"SELECT customer_id, {', '.join(_HEAD)}, {stored}, {minor_units()} AS _minor FROM {source}"


def _profiles(database: str) -> str:
    """Each fact as last stated by a change that takes effect."""
    facts = ", ".join(f"argMaxIf({name}, (occurred_at, _position), {name} != '') AS {name}" for name in _FACTS)
    return f"SELECT customer_id, {facts} FROM {database}.customers WHERE change IN ('recorded', 'change_approved') GROUP BY customer_id"


def _head() -> str:
    return ", ".join(f"m.{name} AS {name}" for name in _HEAD)


def _carried(zone: str, day: str) -> str:
    """What passing time alone changes between the snapshot's day and the day asked for."""
    passed = "greatest(0, dateDiff('day', m.business_day, as_of_day))"
    past_due = f"if(m.loan_due_count > 0, ifNull(m.loan_dpd, 0) + {passed}, 0)"
    amount = f"if(days_past_due = 0, 0, if({passed} > 0, ifNull(m.loan_due_amount, 0), ifNull(m.loan_overdue_amount, 0)))"
    return f"""{day} AS as_of_day,
       if(m.activity_last_day IS NULL, NULL, greatest(0, dateDiff('day', {local_day("m.activity_last_day", zone)}, as_of_day))) AS silent_days,
       {past_due} AS days_past_due, {money(amount, "m._minor")} AS amount_past_due,
       multiIf(days_past_due = 0, '', days_past_due <= 30, '1-30', days_past_due <= 60, '31-60', days_past_due <= 90, '61-90',
               days_past_due <= 180, '91-180', '>180') AS past_due_band"""


def _metrics(keys: Sequence[str]) -> str:
    parts = []
    for key in keys:
        metric, column = KEYS[key], metric_column(key)
        if metric.unit is not Unit.MONEY:
            parts.append(f"m.{column} AS {column}")
        elif metric.by is None:
            parts.append(f"{money(f'm.{column}', 'm._minor')} AS {column}")
        else:
            parts.append(f"mapApply((k, v) -> (k, {money('v', 'm._minor')}), m.{column}) AS {column}")
    return ", ".join(parts)
