"""Which planted stories the alerts noticed in time, and which alerts no story explains."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from deploy.simulator import Label
from schemas.outputs import Alert


@dataclass(frozen=True)
class Score:
    """``planted`` and ``other`` count alerts (not revisions): those that an expected rule raised on a story's customer, and the rest."""

    found: tuple[Label, ...]
    missed: tuple[Label, ...]
    planted: int
    other: int


def score(labels: Sequence[Label], revisions: Iterable[Alert]) -> Score:
    """Hold the alerts against the labels.

    A story is found when one of its expected rules raised an alert on its customer, and on its case or loan where it is about
    one, between its start and its ``detect_by``. A later alert of the same rules on it is still the story's, though too late.
    """
    by_customer: dict[str, list[Label]] = {}
    for label in labels:
        by_customer.setdefault(label.customer_id, []).append(label)
    found: set[Label] = set()
    planted: set[str] = set()
    alerts: set[str] = set()
    for alert in revisions:
        alerts.add(alert.alert_id)
        for label in by_customer.get(alert.subject.customer_id, ()):
            if not _is_about(alert, label):
                continue
            planted.add(alert.alert_id)
            if alert.raised_at <= datetime.fromisoformat(label.detect_by):
                found.add(label)
    return Score(
        tuple(label for label in labels if label in found),
        tuple(label for label in labels if label not in found),
        len(planted),
        len(alerts - planted),
    )


def _is_about(alert: Alert, label: Label) -> bool:
    on_subject = alert.subject.kind == "customer" or alert.subject.id == label.subject
    return alert.rule in label.expected_rules and on_subject and alert.raised_at >= datetime.fromisoformat(label.starts_at)
