"""The metric dictionary as Markdown, for ``docs/metrics.md``."""

from __future__ import annotations

from itertools import groupby
from typing import Final

from schemas.metrics import DICTIONARY
from schemas.metrics.metric import Metric

#: The families in words, in the order of the page. A family without words here is a mistake that a test finds.
FAMILIES: Final[dict[str, str]] = {
    "flow": "Money in and out",
    "cash": "Cash near the reporting limit",
    "balance": "Balances",
    "activity": "Recency, frequency, rhythm",
    "salary": "Salary",
    "loan": "Loans of a customer",
    "one_loan": "One loan (a subject of its own for rules)",
    "complaint": "Complaints of a customer",
    "one_complaint": "One complaint (a subject of its own for rules)",
    "satisfaction": "Satisfaction",
    "contact": "Contacts and waits",
}


def render_dictionary() -> str:
    """One table a family: key, unit, names, definition, source."""
    parts: list[str] = []
    for family, metrics in groupby(sorted(DICTIONARY.values(), key=lambda metric: list(FAMILIES).index(metric.family)), key=lambda metric: metric.family):
        parts += [f"### {FAMILIES[family]}", "", "| key | unit | 中文 | English | definition | source |", "|---|---|---|---|---|---|"]
        parts += [_row(metric) for metric in metrics]
        parts.append("")
    return "\n".join(parts).rstrip()


def _row(metric: Metric) -> str:
    windows = f"<br>days: {', '.join(map(str, metric.windows))}" if metric.windows else ""
    key = f"`{metric.name}.{{days}}d`{windows}" if metric.windows else f"`{metric.name}`"
    unit = metric.unit.value.replace("_", " ") + (f", by {metric.by}" if metric.by else "")
    return f"| {key} | {unit} | {metric.zh} | {metric.en} | {metric.definition.replace('|', '/')} | {metric.source} |"
