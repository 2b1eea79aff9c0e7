"""Absences: what is expected, since when it has been waited for, and how long patience lasts.

An absence falls due at an instant that is known beforehand, so the clock can wake the rule without an event.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Final, Literal

from alerting.facts import Facts
from alerting.problems import Unreadable, suggestion
from alerting.quantity import days, percent
from schemas.localtime import Calendar
from schemas.metrics import KEYS, Subject, Unit

Wake = Callable[[Facts], int | None]


@dataclass(frozen=True, slots=True)
class Expectation:
    """Something that ought to happen. ``since`` and ``until`` are metrics (instants); ``aliases`` are short names for reason texts."""

    name: str
    since: str
    observed: str
    baseline: str | None
    aliases: dict[str, str]
    subject: Subject = Subject.CUSTOMER
    until: str | None = None


EXPECTATIONS: Final = {
    expectation.name: expectation
    for expectation in (
        Expectation(
            "salary",
            since="salary.expected_at",
            observed="salary.late",
            baseline=None,
            aliases={
                "expected": "salary.expected_at",
                "late": "salary.late",
                "amount": "salary.amount",
                "months": "salary.regular_months",
                "day": "salary.day",
            },
        ),
        Expectation(
            "activity",
            since="activity.last_day",
            observed="activity.silence",
            baseline="activity.typical_gap",
            aliases={"last": "activity.last_day", "silence": "activity.silence", "gap": "activity.typical_gap"},
        ),
        Expectation(
            "repayment",
            since="one_loan.due_since",
            observed="one_loan.dpd",
            baseline=None,
            aliases={
                "due": "one_loan.due_since",
                "late": "one_loan.dpd",
                "amount": "one_loan.overdue.amount",
                "count": "one_loan.overdue.count",
            },
            subject=Subject.LOAN,
        ),
        Expectation(
            "answer",
            since="one_complaint.started_at",
            observed="one_complaint.limit_used",
            baseline=None,
            aliases={
                "received": "one_complaint.started_at",
                "age": "one_complaint.age",
                "used": "one_complaint.limit_used",
                "due": "one_complaint.due_at",
            },
            subject=Subject.COMPLAINT,
            until="one_complaint.due_at",
        ),
    )
}

_MULTIPLE: Final = re.compile(r"(\d{1,4}(?:\.\d{1,4})?)\s*[x×]\s*([a-z0-9_.]+)((?:\s*,\s*at (?:least|most) \d{1,5}\s*d)*)")
_BOUND: Final = re.compile(r"at (least|most) (\d{1,5}\s*d)")
_SHARE: Final = re.compile(r"(.+%)\s+of\s+limit")


@dataclass(frozen=True, slots=True)
class Patience:
    """How long: a fixed number of days, a multiple of a metric in days within bounds, or a share of the limit."""

    kind: Literal["days", "multiple", "share"]
    amount: Fraction
    text: str
    metric: str | None = None
    least: int = 0
    most: int | None = None

    def days(self, facts: Facts) -> int | None:
        """Whole local days of patience, rounded up; None for a share, or where the metric has no value."""
        if self.kind == "share":
            return None
        if self.metric is None:
            return int(self.amount)
        base = facts[self.metric]
        return None if base is None else self.of(base)

    def of(self, base: int) -> int:
        """Whole local days of patience at this value of the metric."""
        wanted = max(self.least, -(-base * self.amount.numerator // self.amount.denominator))
        return wanted if self.most is None else min(wanted, self.most)

    def wake(self, expectation: Expectation, time: Calendar) -> Wake:
        """When the absence falls due, as a function of the facts: local midnights for days, to the millisecond for a share."""
        since_key, until_key, base_key = expectation.since, expectation.until, self.metric
        length, upper, lower = int(self.amount), self.amount.numerator, self.amount.denominator
        lengths: dict[int, int] = {}  # by the metric's value, which has few

        def after_days(facts: Facts) -> int | None:
            since = facts[since_key]
            if since is None:
                return None
            if base_key is None:
                return time.start(time.day(since) + length)
            base = facts[base_key]
            if base is None:
                return None
            patience = lengths.get(base)
            if patience is None:
                patience = lengths[base] = self.of(base)
            return time.start(time.day(since) + patience)

        def after_share(facts: Facts) -> int | None:
            since, until = facts[since_key], facts[until_key or since_key]
            if since is None or until is None:
                return None
            return int(since - (since - until) * upper // lower)

        return after_share if self.kind == "share" else after_days


def patience(text: str, expectation: Expectation) -> Patience:
    """Parse ``for:``. Raises Unreadable."""
    text = text.strip()
    share = _SHARE.fullmatch(text)
    if share:
        if expectation.until is None:
            raise Unreadable(f"absent: {expectation.name} has no limit to take a share of", "write days: `10 d`")
        return Patience("share", Fraction(percent(share[1])), text)
    multiple = _MULTIPLE.fullmatch(text)
    if not multiple:
        try:
            return Patience("days", Fraction(days(text)), text)
        except Unreadable:
            raise Unreadable(f"{text!r} is not a length of patience", "write `10 d`, `4 x activity.typical_gap, at least 30 d` or `80 % of limit`") from None
    metric = KEYS.get(multiple[2])
    if metric is None:
        raise Unreadable(f"{multiple[2]} is not a metric", suggestion(multiple[2], KEYS))
    if metric.unit is not Unit.DAYS:
        raise Unreadable(f"{multiple[2]} counts in {metric.unit.value}, patience in days", "take a metric in days, such as activity.typical_gap")
    bounds = {bound: days(length) for bound, length in _BOUND.findall(multiple[3])}
    return Patience("multiple", Fraction(multiple[1]), text, multiple[2], bounds.get("least", 0), bounds.get("most"))
