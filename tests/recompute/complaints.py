"""``complaint.*`` from its definitions: every case is told again from its first step, for every snapshot."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import polars as pl

from schemas.metrics.complaints import METRICS
from tests.recompute.ground import LONG, Ground, Policy, day_start
from tests.recompute.windows import over_windows

_WINDOWS = next(metric for metric in METRICS if metric.name == "complaint.received.count").windows
_ENDS = {"answered", "closed", "withdrawn"}


@dataclass
class _Case:
    """Where a case stands after its steps so far."""

    started: int | None = None
    complex: bool = False
    extended: bool = False


def complaint(ground: Ground) -> pl.DataFrame:
    """Cases received, open, their age against the limit, and those with steps out of order."""
    received = ground.complaints.filter(pl.col("step") == "received").sort("position").unique(["customer", "case_id"], keep="first")
    counts = over_windows(ground.seen(received), {"complaint.received.count": (pl.lit(1), _WINDOWS)})
    steps = ground.seen(ground.complaints).sort("sid", "position")
    rows: list[tuple[int, str, str, float]] = []
    for (sid,), of in steps.group_by("sid", maintain_order=True):
        rows += [(sid, key, "", value) for key, value in _at(ground.policy, of.to_dicts()).items()]
    return pl.concat([counts, pl.DataFrame(rows, schema=LONG, orient="row")])


def _at(policy: Policy, steps: list[dict[str, Any]]) -> dict[str, float]:
    """Values at one snapshot; ``steps`` are all the customer's, in the order in which they came."""
    cases: dict[str, list[dict[str, Any]]] = {}
    for step in steps:
        of = cases.setdefault(step["case_id"], [])
        if of and _forgotten(of, step["day_right"]):
            of.clear()
        of.append(step)
    now, today = steps[0]["as_of"], steps[0]["day"]
    known = [of for of in cases.values() if not _forgotten(of, today)]
    if not known:
        return {}
    open_cases = [case for case in map(_tell, known) if case.started is not None]
    return {
        "complaint.open.count": len(open_cases),
        "complaint.out_of_order.count": sum(map(_out_of_order, known)),
        "complaint.oldest_age": max((max(0, today - case.started) for case in open_cases if case.started is not None), default=0),
        "complaint.limit_used": max((_limit_used(policy, case, now) for case in open_cases), default=0.0),
    }


def _forgotten(steps: list[dict[str, Any]], day: int) -> bool:
    return _tell(steps).started is None and max(step["day_right"] for step in steps) < day - 400


def _tell(steps: list[dict[str, Any]]) -> _Case:
    """Steps by the time at which they happened, whatever order they came in."""
    received = next((step for step in steps if step["step"] == "received"), None)
    told = sorted(steps, key=lambda step: (step["at"], step["position"]))
    began = received or told[0]
    case = _Case()
    for step in told:
        if step is began or step["step"] == "reopened":
            case.started, case.extended = step["day_right"], False
        if step["step"] in _ENDS:
            case.started = None
        elif step["step"] == "extended":
            case.extended = True
        if step["complex"] is not None:
            case.complex = step["complex"]
    return case


def _out_of_order(steps: list[dict[str, Any]]) -> bool:
    """``steps`` are in the order in which they came."""
    newest = steps[0]["at"]
    for number, step in enumerate(steps):
        if step["at"] < newest or (step["step"] != "received" and all(earlier["step"] != "received" for earlier in steps[:number])):
            return True
        newest = step["at"]
    return False


def _limit_used(policy: Policy, case: _Case, now: int) -> float:
    assert case.started is not None
    start, due = day_start(case.started, policy.zone), day_start(_due_day(policy, case), policy.zone)
    return max(0.0, (now - start) / (due - start))


def _due_day(policy: Policy, case: _Case) -> int:
    """The local day after the last one allowed."""
    assert case.started is not None
    in_force = [version for version in policy.clock if version.effective <= case.started]
    version = max(in_force, key=lambda version: version.effective) if in_force else min(policy.clock, key=lambda version: version.effective)
    allowed = (version.complex if case.complex else version.ordinary) + (version.extension if case.extended else 0)
    day = case.started - 1 if version.count_from == "same-day" else case.started
    while allowed > 0:  # day becomes the last allowed one
        day += 1
        weekend = (date(1970, 1, 1) + timedelta(days=day)).isoweekday() > 5
        off = version.calendar == "working" and day not in version.workdays and (weekend or day in version.holidays)
        allowed -= not off
    return day + 1
