"""The bank's time: the instant that every partition has passed. Ages and silences count up to it, not to the reader's wall clock.

So a replayed year shows the ages of that year, and ages stand still, visibly, while nothing comes in. The table ``clock`` has it in
a few rows, which materialized views of ticks and snapshots fill: every age on a dashboard asks for it.
"""

from __future__ import annotations

from sinks.views.sql import local_day
from sinks.views.view import View

#: Ticks tell; where none are kept any more, the newest snapshot.
_AS_OF = "if(countIf(ticks) > 0, minIf(reached, ticks), maxIf(reached, NOT ticks))"


def clock_views(database: str, zone: str) -> tuple[View, ...]:
    """One view of one row."""
    select = f"\nSELECT {_AS_OF} AS as_of, {local_day('as_of', zone)} AS business_day, countIf(ticks) AS partitions\nFROM {database}.clock FINAL"
    return (View("v_clock", "One row: the instant that every partition has passed, and its business day; ages count up to it", select, _COLUMNS),)


def now(database: str) -> str:
    """The bank's time, as a scalar: what ``v_clock`` says, without the planning of one more view."""
    return f"(SELECT {_AS_OF} FROM {database}.clock FINAL)"


def today(database: str, zone: str) -> str:
    """The bank's day, as a scalar."""
    return f"(SELECT {local_day(_AS_OF, zone)} FROM {database}.clock FINAL)"


_COLUMNS = ("as_of", "business_day", "partitions")
