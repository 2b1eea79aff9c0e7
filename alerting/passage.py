"""Which metrics change when nothing happens, and which families an event touches together."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from alerting.condition import Term
from alerting.facts import CASE_FLAGS

#: Metrics that stay as they are until the customer's next event; all others can change when a day begins.
_STILL: Final = frozenset(
    [
        "balance.current",
        "activity.last_day",
        "activity.typical_gap",
        "salary.regular_months",
        "salary.amount",
        "salary.day",
        "salary.expected_at",
        "complaint.open.count",
        "one_complaint.started_at",
        "one_complaint.due_at",
        "one_complaint.limit",
        "one_loan.due_since",
    ]
) | frozenset(CASE_FLAGS)
#: Metrics that grow by time alone, and the expectation by which a rule is woken for them.
GROWS: Final = {
    "activity.recency": "activity",
    "activity.silence": "activity",
    "salary.late": "salary",
    "loan.dpd": "repayment",
    "loan.overdue.count": "repayment",
    "loan.overdue.amount": "repayment",
    "one_loan.dpd": "repayment",
    "one_loan.overdue.count": "repayment",
    "one_loan.overdue.amount": "repayment",
    "complaint.oldest_age": "answer",
    "complaint.limit_used": "answer",
    "one_complaint.age": "answer",
    "one_complaint.limit_used": "answer",
}
#: An event of a case or loan touches the customer's family and the case's or loan's own.
_TWINS: Final = {"complaint": "one_complaint", "one_complaint": "complaint", "loan": "one_loan", "one_loan": "loan", "case": "complaint"}


def moves(terms: Iterable[Term]) -> bool:
    """Whether any of these can change because a day begins."""
    return any(read.key not in _STILL for read in terms)


def touching(families: Iterable[str]) -> frozenset[str]:
    """The families by whose events a rule that reads ``families`` is touched."""
    read = set(families)
    return frozenset(read | {_TWINS[family] for family in read if family in _TWINS})
