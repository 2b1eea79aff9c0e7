"""What was set aside, without its bytes. A record that was set aside twice is shown once."""

from __future__ import annotations

from sinks.views.sql import local_day
from sinks.views.view import View

_COLUMNS = (
    "topic",
    "partition",
    "offset",
    "stage",
    "reason",
    "message",
    "field",
    "exception",
    "set_aside_at",
    "business_day",
    "approximate_bytes",
    "as_of",
)


def aside_views(database: str, zone: str) -> tuple[View, ...]:
    """Dead letters and late events."""

    def select(table: str) -> str:
        return f"""
SELECT topic, partition, offset, stage, reason, message, field, exception, set_aside_at, {local_day("set_aside_at", zone)} AS business_day,
       value_bytes AS approximate_bytes, _ingested_at AS as_of
FROM {database}.{table}
ORDER BY topic, partition, offset, stage LIMIT 1 BY topic, partition, offset, stage"""

    return (
        View(
            "v_dead_letters",
            "Records that could not be applied, by topic, stage and reason; values stay in the table",
            select("dead_letters"),
            _COLUMNS,
        ),
        View("v_late_events", "Events that came after their day had left the horizon", select("late_events"), _COLUMNS),
    )
