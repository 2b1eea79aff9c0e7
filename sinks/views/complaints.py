"""Complaint cases: facets, ages, and the limit that the policy pack sets, judged as the rules judge it.

The limits are the pack's (``fenghuo migrate up`` writes them into the view ``complaint_clock``). A case is open from its first
received step (its first step, where none is known) or its last reopening until a closing step after it; order is time, then the
journal's. The clock starts on the local day on which it was opened, and an extension counts only after that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from sinks.views.clock import now
from sinks.views.sql import columns, listed, local_day
from sinks.views.view import View

#: Complaint steps after which a case is no longer open.
CLOSING_STEPS: Final = ("answered", "closed", "withdrawn")
_FACETS: Final = ("channel", "business", "reason", "severity", "outlet_id", "owner")
_TYPES: Final = (
    "effective Date32, ordinary UInt16, complex UInt16, extension UInt16, working Bool, next_day Bool,"
    " holidays Array(Date32), workdays Array(Date32), cite String"
)


@dataclass(frozen=True, slots=True)
class ClockLine:
    """One version of the pack's complaint clock: limits in days, natural or ``working``; ``next_day``: the day of receipt does not count."""

    effective: date
    ordinary: int
    complex: int
    extension: int
    working: bool
    next_day: bool
    holidays: tuple[date, ...]
    workdays: tuple[date, ...]
    cite: str


def clock_select(lines: Sequence[ClockLine]) -> str:
    """The SELECT of ``complaint_clock``; without lines it is empty, and no case has a limit."""
    if not lines:
        return f"SELECT * FROM null('{_TYPES}')"
    rows = ", ".join(
        f"('{one.effective}', {one.ordinary}, {one.complex}, {one.extension}, {one.working}, {one.next_day}, {_days(one.holidays)}, {_days(one.workdays)},"
        f" {_text(one.cite)})"
        for one in lines
    )
    return f"SELECT * FROM values('{_TYPES}', {rows})"


def _days(days: Sequence[date]) -> str:
    return f"[{listed(map(str, days))}]"


def _text(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def complaint_views(database: str, zone: str) -> tuple[View, ...]:
    """One row a case."""
    return (
        View(
            "v_complaints",
            "One row a complaint case: facets, steps, age in local days, and the limit of the policy pack: due_at, in_time",
            _select(database, zone),
            tuple(_SELECTED),
        ),
    )


_SELECTED: Final = {name: name for name in ("case_id", "customer_id", *_FACETS, "at_fault", "people", "steps", "last_step", "extensions", "reopenings")} | {
    "received_at": "began.1",
    "business_day": "received_day",
    "started_at": "opened.1",
    "ended_at": "if(is_open, NULL, toNullable(ended.1))",
    "is_open": "is_open",
    "is_complex": "is_complex",
    "is_extended": "is_extended",
    "as_of": "as_of",
    "age_days": "greatest(0, dateDiff('day', started_day, last_day))",
    "age_band": "multiIf(age_days <= 7, '0-7', age_days <= 15, '8-15', age_days <= 30, '16-30', age_days <= 60, '31-60', '>60')",
    "limit_days": "if(due_day IS NULL, NULL, toNullable(toInt32(dateDiff('day', started_day, assumeNotNull(due_day)))))",
    "due_at": "if(due_day IS NULL, NULL, toNullable(toDateTime64(toDateTime(assumeNotNull(due_day), '{zone}'), 3, 'UTC')))",
    "in_time": "multiIf(due_day IS NULL, NULL, NOT is_open, toNullable(last_day < due_day), last_day >= due_day, toNullable(false), NULL)",
    "limit_used": "if(due_at IS NULL, NULL, greatest(0, dateDiff('second', start_of_clock, if(is_open, as_of, ended.1))"
    " / dateDiff('second', start_of_clock, due_at)))",
}


def _select(database: str, zone: str) -> str:
    order = "(occurred_at, _position)"
    facets = ", ".join(f"argMaxIf({name}, {order}, {name} != '') AS {name}" for name in _FACETS)
    shown = columns(_SELECTED).replace("{zone}", zone)
    # The nth working day from the first that counts: limits are below two months, and holidays at most half as many days again.
    works = "(has(workdays, d) OR (toDayOfWeek(d) < 6 AND NOT has(holidays, d)))"
    days = f"arrayFilter(d -> {works}, arrayMap(i -> first_day + i, range(toUInt32(allowed * 3 + 60))))"
    return f"""
SELECT {shown}
FROM
(
    SELECT *, {now(database)} AS as_of, {local_day("began.1", zone)} AS received_day, {local_day("if(is_open, as_of, ended.1)", zone)} AS last_day,
           toDateTime64(toDateTime(started_day, '{zone}'), 3, 'UTC') AS start_of_clock,
           arraySort(v -> v.1, (SELECT groupArray((effective, ordinary, complex, extension, working, next_day, holidays, workdays))
                                FROM {database}.complaint_clock)) AS versions,
           versions[greatest(1, arrayCount(v -> v.1 <= started_day, versions))] AS version,
           if(is_complex, version.3, version.2) + if(is_extended, version.4, 0) AS allowed,
           started_day + version.6 AS first_day, version.7 AS holidays, version.8 AS workdays,
           multiIf(empty(versions), NULL, version.5, toNullable({days}[allowed] + 1), toNullable(first_day + allowed)) AS due_day
    FROM
    (
        SELECT case_id, customer_id, {facets}, argMaxIf(at_fault, {order}, at_fault IS NOT NULL) AS at_fault, max(people) AS people, count() AS steps,
               argMax(step, {order}) AS last_step, countIf(step = 'extended') AS extensions, countIf(step = 'reopened') AS reopenings,
               if(countIf(step = 'received') > 0, argMinIf({order}, _position, step = 'received'), min({order})) AS began,
               greatest(began, maxIf({order}, step = 'reopened')) AS opened, maxIf({order}, step IN ({listed(CLOSING_STEPS)})) AS ended,
               opened > ended AS is_open, maxIf({order}, step = 'extended') >= opened AS is_extended,
               ifNull(argMaxIf(complex, {order}, complex IS NOT NULL), false) AS is_complex, {local_day("opened.1", zone)} AS started_day
        FROM {database}.complaints
        GROUP BY case_id, customer_id
    )
)"""
