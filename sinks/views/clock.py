"""The bank's time: the instant that every partition has passed. Ages and silences count up to it, not to the reader's wall clock.

So a replayed year shows the ages of that year, and ages stand still, visibly, while nothing comes in.
"""

from __future__ import annotations

from sinks.views.sql import local_day
from sinks.views.view import View


def clock_views(database: str, zone: str) -> tuple[View, ...]:
    """One view of one row. Ticks tell; where none are kept any more, the newest snapshot."""
    select = f"""
SELECT if(partitions > 0, ticked, newest) AS as_of, {local_day("as_of", zone)} AS business_day, partitions
FROM
(
    SELECT minIf(reached, ticks) AS ticked, countIf(ticks) AS partitions, maxIf(reached, NOT ticks) AS newest
    FROM
    (
        SELECT max(occurred_at) AS reached, true AS ticks FROM {database}.ticks GROUP BY _partition
        UNION ALL SELECT max(as_of) AS reached, false AS ticks FROM {database}.customer_metrics
    )
)"""
    return (View("v_clock", "One row: the instant that every partition has passed, and its business day; ages count up to it", select, _COLUMNS),)


def now(database: str) -> str:
    """The bank's time, as a scalar."""
    return f"(SELECT as_of FROM {database}.v_clock)"


def today(database: str) -> str:
    """The bank's day, as a scalar."""
    return f"(SELECT business_day FROM {database}.v_clock)"


_COLUMNS = ("as_of", "business_day", "partitions")
