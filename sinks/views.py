"""The views that BI reads. No reader needs FINAL, argMax, or a word about duplicates; money is Decimal, every row has a business day.

A view's SELECT is written here over the declared columns, so a metric added to the dictionary appears by itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from schemas.metrics import KEYS, Subject, Unit
from schemas.money import CURRENCY_EXPONENTS
from sinks.columns import metric_column

#: Alert states in which somebody may still have to act.
OPEN_STATES: Final = ("raised", "risen", "acknowledged", "in_progress", "waiting", "snoozed")
#: Complaint steps after which a case is no longer open.
CLOSING_STEPS: Final = ("answered", "closed", "withdrawn")


@dataclass(frozen=True, slots=True)
class View:
    """One view, with its one line of documentation."""

    name: str
    comment: str
    select: str


def declared_views(database: str, zone: str) -> tuple[View, ...]:
    """All views of a database whose business day starts at midnight in ``zone``."""
    return (
        View("v_events", "Every applied event of every kind, one row each; ticks are left out", _events(database)),
        View("v_customers_latest", "One row a customer: the profile's outlet and manager, and the newest metrics; money as Decimal", _customers(database)),
        View("v_customers_history", "Every metrics snapshot of every customer; money as Decimal", _history(database)),
        View("v_alerts_latest", "One row an alert, as it stands; is_open: somebody may still have to act", _alerts(database, "alerts_latest FINAL")),
        View("v_alerts_history", "Every revision of every alert: its life", _alerts(database, "alerts")),
        View("v_complaints", "One row a complaint case: facets, steps, age in local days as of today", _complaints(database, zone)),
        View("v_daily_business", "Transactions by business day, outlet, product line, kind, channel, direction and currency", _daily(database)),
        View("v_daily_contacts", "Interactions by business day, outlet, channel, kind and outcome, with waits", _contacts(database)),
        View("v_dead_letters", "Records that could not be applied, by topic, stage and reason; values stay in the table", _set_aside(database, "dead_letters")),
        View("v_late_events", "Events that came after their day had left the horizon", _set_aside(database, "late_events")),
    )


def money(column: str, currency: str = "currency") -> str:
    """Minor units as a Decimal of the currency's own decimals, exactly."""
    whole = sorted(code for code, digits in CURRENCY_EXPONENTS.items() if digits == 0)
    three = sorted(code for code, digits in CURRENCY_EXPONENTS.items() if digits == 3)
    divisor = f"multiIf({currency} IN ({_list(whole)}), 1, {currency} IN ({_list(three)}), 1000, 100)"
    return f"toDecimal128({column}, 4) / {divisor}"


def _list(codes: list[str] | tuple[str, ...]) -> str:
    return ", ".join(f"'{code}'" for code in codes)


def _metrics() -> str:
    parts = []
    for key, metric in KEYS.items():
        if metric.subject is not Subject.CUSTOMER:
            continue
        column = metric_column(key)
        if metric.unit is not Unit.MONEY:
            parts.append(f"m.{column} AS {column}")
        elif metric.by is None:
            parts.append(f"{money(f'm.{column}', 'm.currency')} AS {column}")
        else:
            parts.append(f"mapApply((k, v) -> (k, {money('v', 'm.currency')}), m.{column}) AS {column}")
    return ", ".join(parts)


def _customers(database: str) -> str:
    return f"""
SELECT m.customer_id AS customer_id, p.display_name AS display_name, p.outlet_id AS outlet_id, p.relationship_manager AS relationship_manager,
       p.nature AS nature, p.tier AS tier, m.as_of AS as_of, m.business_day AS business_day, m.revision AS revision, m.currency AS currency, {_metrics()}
FROM (SELECT * FROM {database}.customer_metrics_latest FINAL) AS m
LEFT JOIN ({_profiles(database)}) AS p ON p.customer_id = m.customer_id"""


def _profiles(database: str) -> str:
    """Each fact as last stated by a change that takes effect."""
    facts = ", ".join(
        f"argMaxIf({name}, (occurred_at, _position), {name} != '') AS {name}"
        for name in ("display_name", "outlet_id", "relationship_manager", "nature", "tier")
    )
    return f"SELECT customer_id, {facts} FROM {database}.customers WHERE change IN ('recorded', 'change_approved') GROUP BY customer_id"


def _history(database: str) -> str:
    return f"""
SELECT m.customer_id AS customer_id, m.as_of AS as_of, m.business_day AS business_day, m.revision AS revision, m.currency AS currency, {_metrics()}
FROM {database}.customer_metrics AS m"""


def _alerts(database: str, table: str) -> str:
    return f"""
SELECT alert_id, revision, state, state IN ({_list(OPEN_STATES)}) AS is_open, rule, rule_version, pack, pack_version, type,
       title.zh AS title_zh, title.en AS title_en, grade, indexOf(['low', 'medium', 'high', 'critical'], grade) AS grade_rank, score,
       subject.kind AS subject_kind, subject.id AS subject_id, subject.customer_id AS customer_id, subject.display_name AS display_name,
       subject.outlet_id AS outlet_id, subject.relationship_manager AS relationship_manager, episode, previous, occurrences,
       raised_at, occurred_at, business_day, watermark AS as_of, expires_at, due_at, snoozed_until, currency, {money("value_at_stake")} AS value_at_stake,
       reasons.code AS reason_codes, reasons.zh AS reasons_zh, reasons.en AS reasons_en, reasons,
       action.code AS action_code, action.do.zh AS do_zh, action.do.en AS do_en, action.do_not.zh AS do_not_zh, action.do_not.en AS do_not_en,
       owner, assessment, cause.kind AS cause_kind, cause.event_id AS cause_event_id,
       evidence.partition AS evidence_partition, evidence.positions AS evidence_positions
FROM {database}.{table}"""


def _complaints(database: str, zone: str) -> str:
    """A case is open from its last reception or reopening until a closing step after it; order is time, then the journal's."""
    order = "(occurred_at, _position)"
    facets = ", ".join(f"argMaxIf({name}, {order}, {name} != '') AS {name}" for name in ("channel", "business", "reason", "severity", "outlet_id", "owner"))
    last_open = f"maxIf({order}, step IN ('received', 'reopened'))"
    last_end = f"maxIf({order}, step IN ({_list(CLOSING_STEPS)}))"
    return f"""
SELECT case_id, customer_id, channel, business, reason, severity, outlet_id, owner, at_fault, people, steps, last_step, extensions, reopenings,
       first_at AS received_at, opened.1 AS started_at, if(is_open, NULL, toNullable(ended.1)) AS ended_at, is_open,
       {_local_day("first_at", zone)} AS business_day, now64(3, 'UTC') AS as_of,
       dateDiff('day', {_local_day("opened.1", zone)}, {_local_day("if(is_open, now64(3, 'UTC'), ended.1)", zone)}) AS age_days,
       multiIf(age_days <= 7, '0-7', age_days <= 15, '8-15', age_days <= 30, '16-30', age_days <= 60, '31-60', '>60') AS age_band
FROM
(
    SELECT case_id, customer_id, {facets}, argMaxIf(at_fault, {order}, at_fault IS NOT NULL) AS at_fault, max(people) AS people, count() AS steps,
           argMax(step, {order}) AS last_step, countIf(step = 'extended') AS extensions, countIf(step = 'reopened') AS reopenings,
           min(occurred_at) AS first_at, {last_open} AS opened, {last_end} AS ended, opened > ended AS is_open
    FROM {database}.complaints
    GROUP BY case_id, customer_id
)"""


def _local_day(instant: str, zone: str) -> str:
    return f"toDate32(toTimeZone({instant}, '{zone}'))"


def _daily(database: str) -> str:
    return f"""
SELECT business_day, outlet_id, product_line, kind, channel, direction, currency, count() AS n, uniqExact(customer_id) AS customers,
       sumIf(amount, status = 'posted') - sumIf(amount, status = 'reversed') AS amount,
       countIf(status = 'posted') AS posted, countIf(status = 'reversed') AS reversed, countIf(status = 'declined') AS declined, max(occurred_at) AS as_of
FROM {database}.transactions
GROUP BY business_day, outlet_id, product_line, kind, channel, direction, currency"""


def _contacts(database: str) -> str:
    return f"""
SELECT business_day, outlet_id, channel, kind, outcome, count() AS n, uniqExact(customer_id) AS customers, countIf(wait_seconds IS NOT NULL) AS waited,
       sum(wait_seconds) AS wait_seconds_total, quantileExact(0.5)(wait_seconds) AS wait_seconds_p50, quantileExact(0.9)(wait_seconds) AS wait_seconds_p90,
       max(occurred_at) AS as_of
FROM {database}.interactions
GROUP BY business_day, outlet_id, channel, kind, outcome"""


def _set_aside(database: str, table: str) -> str:
    return f"""
SELECT topic, partition, offset, stage, reason, message, field, exception, set_aside_at, lengthUTF8(ifNull(value_base64, '')) * 3 / 4 AS approximate_bytes
FROM {database}.{table}
ORDER BY topic, partition, offset, stage LIMIT 1 BY topic, partition, offset, stage"""


def _events(database: str) -> str:
    kinds = {
        "transactions": ("transaction", "kind", "channel", "outlet_id", "toNullable(amount)", "currency", "account_id"),
        "complaints": ("complaint", "step", "channel", "outlet_id", "NULL", "''", "case_id"),
        "interactions": ("interaction", "kind", "channel", "outlet_id", "cost", "currency", "campaign_id"),
        "customers": ("customer", "change", "''", "outlet_id", "NULL", "''", "request_id"),
        "feedback": ("feedback", "action", "''", "''", "NULL", "''", "alert_id"),
    }
    return " UNION ALL ".join(
        f"SELECT '{kind}' AS event_kind, {what} AS what, event_id, source, customer_id, occurred_at, business_day, {channel} AS channel, {outlet} AS outlet_id,"
        f" CAST({amount} AS Nullable(Decimal(19, 4))) AS amount, {currency} AS currency, {reference} AS reference, _partition AS journal_partition,"
        f" _position AS journal_position FROM {database}.{table}"
        for table, (kind, what, channel, outlet, amount, currency, reference) in kinds.items()
    )
