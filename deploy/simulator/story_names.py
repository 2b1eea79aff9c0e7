"""The planted stories, by name, and the rules of the shipped policy pack that are expected to notice each."""

from __future__ import annotations

from typing import Final

EXPECTED_RULES: Final[dict[str, tuple[str, ...]]] = {
    "salary_gone": ("churn.salary-gone",),
    "wealthy_silent": ("churn.silence",),
    "deposits_drain": ("churn.balance-attrition", "anomaly.outflow"),
    "instalment_rolls_90": ("credit.overdue-1", "credit.overdue-30", "credit.overdue-90"),
    "complaint_passes_limit": ("complaint.limit-50", "complaint.limit-80", "complaint.limit-passed"),
    "ignored_complaint_reopened": ("churn.dissatisfied-complainant",),
    "structured_cash": ("anomaly.near-threshold-cash",),
}
STORIES: Final = tuple(EXPECTED_RULES)
