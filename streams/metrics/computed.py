"""Which function computes which key of the metric dictionary."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from schemas.metrics import DICTIONARY, KEYS, Subject
from streams.customer.customer import CustomerInHand
from streams.metrics.complaints import Case
from streams.metrics.loans import Loan

Compute = Callable[[CustomerInHand], Any]

COMPUTED: dict[str, Compute] = {}


def _each(name: str, windowed: Callable[[CustomerInHand, int], Any]) -> None:
    for days in DICTIONARY[name].windows:
        COMPUTED[f"{name}.{days}d"] = _over(windowed, days)


def _over(windowed: Callable[[CustomerInHand, int], Any], days: int) -> Compute:
    return lambda customer: windowed(customer, days)


def _one(name: str, compute: Compute) -> None:
    assert name in DICTIONARY
    COMPUTED[name] = compute


def _start(customer: CustomerInHand, day: int | None) -> int | None:
    return None if day is None else customer.calendar.start(day)


def _since(customer: CustomerInHand, day: int | None) -> int | None:
    return None if day is None else max(0, customer.today - day)


_each("flow.in.count", lambda c, days: c.flows.count("in", days))
_each("flow.in.amount", lambda c, days: c.flows.amount("in", days))
_each("flow.out.count", lambda c, days: c.flows.count("out", days))
_each("flow.out.amount", lambda c, days: c.flows.amount("out", days))
_each("flow.kind.count", lambda c, days: c.flows.by("kind", days)[0])
_each("flow.kind.amount", lambda c, days: c.flows.by("kind", days)[1])
_each("flow.channel.count", lambda c, days: c.flows.by("channel", days)[0])
_each("flow.channel.amount", lambda c, days: c.flows.by("channel", days)[1])
_each("flow.out.norm", lambda c, _days: c.flows.norm(c.state.first_transaction_day))
_each("cash.near_threshold.count", lambda c, days: c.flows.marked("near", days)[0])
_each("cash.near_threshold.amount", lambda c, days: c.flows.marked("near", days)[1])
_each("flow.unconverted.count", lambda c, days: c.flows.marked("unconverted", days)[0])

_one("balance.current", lambda c: c.state.balances.current(c.today))
_each("balance.average", lambda c, days: c.state.balances.average(days, c.today))
_each("balance.attrition", lambda c, days: c.state.balances.attrition(days, c.today))

_one("activity.recency", lambda c: _since(c, c.state.activity.last_transaction))
_each("activity.frequency", lambda c, days: c.flows.initiated(days)[0])
_each("activity.monetary", lambda c, days: c.flows.initiated(days)[1])
_one("activity.last_day", lambda c: _start(c, c.state.activity.days[-1] if c.state.activity.days else None))
_one("activity.typical_gap", lambda c: c.state.activity.typical_gap)
_one("activity.silence", lambda c: _since(c, c.state.activity.days[-1] if c.state.activity.days else None))

_one("salary.regular_months", lambda c: c.state.salary.regular_months())
_one("salary.amount", lambda c: c.state.salary.amount())
_one("salary.day", lambda c: c.state.salary.day())
_one("salary.expected_at", lambda c: _start(c, c.state.salary.expected_day()))
_one("salary.late", lambda c: _since(c, c.state.salary.expected_day()))

_one("loan.due.count", lambda c: c.state.loans.unpaid(c.today + 1)[0])
_one("loan.due.amount", lambda c: c.state.loans.unpaid(c.today + 1)[1])
_one("loan.overdue.count", lambda c: c.state.loans.unpaid(c.today)[0])
_one("loan.overdue.amount", lambda c: c.state.loans.unpaid(c.today)[1])
_one("loan.dpd", lambda c: c.state.loans.dpd(c.today))

_one("complaint.open.count", lambda c: len(c.state.complaints.open_cases()))
_each("complaint.received.count", lambda c, days: c.received.sums("received", days)[0])
_one("complaint.oldest_age", lambda c: max((_case_clock(c, case)["one_complaint.age"] for case in c.state.complaints.open_cases().values()), default=0))
_one(
    "complaint.limit_used", lambda c: max((_case_clock(c, case)["one_complaint.limit_used"] for case in c.state.complaints.open_cases().values()), default=0.0)
)
_one("complaint.out_of_order.count", lambda c: sum(case.out_of_order for case in c.state.complaints.cases.values()))

_each("satisfaction.csat.n", lambda c, days: c.satisfaction.csat(days)[0])
_each("satisfaction.csat.mean", lambda c, days: c.satisfaction.csat(days)[1])
_each("satisfaction.csat.dimension", lambda c, days: c.satisfaction.csat_by_dimension(days))
_each("satisfaction.nps.n", lambda c, days: c.satisfaction.nps(days)[0])
_each("satisfaction.nps", lambda c, days: c.satisfaction.nps(days)[1])

_each("contact.count", lambda c, days: c.contacts.count(days))
_each("contact.kind.count", lambda c, days: c.contacts.by_kind(days))
_each("contact.waited.count", lambda c, days: c.contacts.waits(days)[0])
_each("contact.wait.mean", lambda c, days: c.contacts.waits(days)[1])
_each("contact.abandoned.count", lambda c, days: c.contacts.abandoned(days))


def _case_clock(customer: CustomerInHand, case: Case) -> dict[str, Any]:
    """Every ``one_complaint.*`` value of one case."""
    if not case.open or case.started_day is None:
        return {
            "one_complaint.started_at": None,
            "one_complaint.due_at": None,
            "one_complaint.age": 0,
            "one_complaint.limit": 0,
            "one_complaint.limit_used": 0.0,
        }
    due_day = customer.pack.complaint_clock.due_day(case.started_day, case.complex, case.extended)
    start, due = customer.calendar.start(case.started_day), customer.calendar.start(due_day)
    return {
        "one_complaint.started_at": start,
        "one_complaint.due_at": due,
        "one_complaint.age": max(0, customer.today - case.started_day),
        "one_complaint.limit": due_day - case.started_day,
        "one_complaint.limit_used": max(0.0, round((customer.state.as_of - start) / (due - start), 6)),
    }


def of_complaint(customer: CustomerInHand, case_id: str) -> dict[str, Any]:
    """The metrics and flags of one of the customer's cases, by key."""
    case = customer.state.complaints.cases.get(case_id) or Case()
    return {**_case_clock(customer, case), "case.extended": case.extended, "case.complex": case.complex, "case.approver": case.approver}


def of_loan(customer: CustomerInHand, loan_id: str) -> dict[str, Any]:
    """The metrics of one of the customer's loans, by key."""
    loan = customer.state.loans.loans.get(loan_id) or Loan()
    count, amount = loan.unpaid(customer.today)
    return {
        "one_loan.due_since": _start(customer, loan.due_since()),
        "one_loan.dpd": loan.dpd(customer.today),
        "one_loan.overdue.count": count,
        "one_loan.overdue.amount": amount,
    }


assert COMPUTED.keys() == {key for key, metric in KEYS.items() if metric.subject is Subject.CUSTOMER}
