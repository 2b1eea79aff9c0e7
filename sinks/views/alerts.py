"""Alerts: as they stand, and their life."""

from __future__ import annotations

from typing import Final

from sinks.views.sql import columns, listed, minor_units, money
from sinks.views.view import View

#: Alert states in which somebody may still have to act.
OPEN_STATES: Final = ("raised", "risen", "acknowledged", "in_progress", "waiting", "snoozed")

_SELECTED: Final = {
    "alert_id": "alert_id",
    "revision": "revision",
    "state": "state",
    "is_open": f"state IN ({listed(OPEN_STATES)})",
    "rule": "rule",
    "rule_version": "rule_version",
    "pack": "pack",
    "pack_version": "pack_version",
    "type": "type",
    "title_zh": "title.zh",
    "title_en": "title.en",
    "grade": "grade",
    "grade_rank": "indexOf(['low', 'medium', 'high', 'critical'], grade)",
    "score": "score",
    "subject_kind": "subject.kind",
    "subject_id": "subject.id",
    "customer_id": "subject.customer_id",
    "display_name": "subject.display_name",
    "outlet_id": "subject.outlet_id",
    "relationship_manager": "subject.relationship_manager",
    "episode": "episode",
    "previous": "previous",
    "occurrences": "occurrences",
    "raised_at": "raised_at",
    "occurred_at": "occurred_at",
    "business_day": "business_day",
    "as_of": "watermark",
    "expires_at": "expires_at",
    "due_at": "due_at",
    "snoozed_until": "snoozed_until",
    "currency": "currency",
    "value_at_stake": money("value_at_stake", minor_units()),
    "reason_codes": "reasons.code",
    "reasons_zh": "reasons.zh",
    "reasons_en": "reasons.en",
    "reasons": "reasons",
    "action_code": "action.code",
    "do_zh": "action.do.zh",
    "do_en": "action.do.en",
    "do_not_zh": "action.do_not.zh",
    "do_not_en": "action.do_not.en",
    "owner": "owner",
    "assessment": "assessment",
    "cause_kind": "cause.kind",
    "cause_event_id": "cause.event_id",
    "evidence_partition": "evidence.partition",
    "evidence_positions": "evidence.positions",
}


def alert_views(database: str) -> tuple[View, ...]:
    """The latest revision of each, and every revision with how long the alert had lived by then."""
    history = _SELECTED | {"age_seconds": "toInt64(dateDiff('second', raised_at, occurred_at))"}
    return (
        View(
            "v_alerts_latest",
            "One row an alert, as it stands; is_open: somebody may still have to act",
            f"\nSELECT {columns(_SELECTED)}\nFROM {database}.alerts_latest FINAL",
            tuple(_SELECTED),
        ),
        View(
            "v_alerts_history",
            "Every revision of every alert: its life, with the seconds since it was raised",
            f"\nSELECT {columns(history)}\nFROM {database}.alerts FINAL",
            tuple(history),
        ),
    )
