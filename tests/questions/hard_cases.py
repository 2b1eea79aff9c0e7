"""Customers on whom a statement could go wrong: each band of lateness, limits to the second, reopenings, balances that drain."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from deploy.inputs import InputLine

_ZONE = ZoneInfo("Asia/Shanghai")
_numbers = itertools.count(1)


def hard_cases() -> list[InputLine]:
    """In order of time, up to 2025-03-31."""
    lines = [*_balances(), *_loans(), *_complaints(), *_calls()]
    return [line for _, line in sorted(lines, key=lambda timed: timed[0])]


def _event(topic: str, customer: str, at: str, **facts: Any) -> tuple[datetime, InputLine]:
    moment = datetime.fromisoformat(at).replace(tzinfo=_ZONE)
    event = {"event_id": f"hard-{next(_numbers)}", "customer_id": customer, "occurred_at": moment.isoformat(), "source": "hard", **facts}
    return moment, InputLine(topic, customer, json.dumps(event).encode())


def _booking(customer: str, at: str, kind: str, amount: str, balance: str, direction: str = "out", account: str = "a") -> tuple[datetime, InputLine]:
    facts = {"account_id": f"{customer}-{account}", "amount": amount, "currency": "CNY", "balance_after": balance, "outlet_id": "outlet-hard"}
    return _event("transactions", customer, at, kind=kind, direction=direction, **facts)


def _with_status(status: str, timed: tuple[datetime, InputLine]) -> tuple[datetime, InputLine]:
    moment, line = timed
    return moment, line._replace(value=line.value.replace(b'"source"', b'"status": "%b", "source"' % status.encode()))


def _balances() -> Iterator[tuple[datetime, InputLine]]:
    yield _event("customers", "drains", "2024-08-01T09:00:00", change="recorded", outlet_id="outlet-hard", nature="individual")
    yield _booking("drains", "2024-08-02T09:00:00", "deposit", "100000.00", "100000.00", "in")
    yield _booking("drains", "2024-08-02T10:00:00", "deposit", "50000.01", "50000.01", "in", "b")
    yield _booking("drains", "2025-03-20T09:00:00", "withdrawal", "90000.00", "10000.00")
    yield _booking("drains", "2025-03-20T23:59:59", "fee", "1.00", "9999.00")
    yield _booking("drains", "2025-03-21T09:00:00", "fee", "5.00", "9994.00")
    yield _with_status("reversed", _booking("drains", "2025-03-22T09:00:00", "fee", "5.00", "9999.00"))
    yield _booking("silent", "2024-12-01T09:00:00", "deposit", "300000.00", "300000.00", "in")
    yield _booking("silent", "2025-03-21T09:00:00", "interest", "10.00", "300010.00", "in")  # no sign of life
    yield _booking("silent", "2025-03-22T09:00:00", "transfer", "20.00", "300030.00", "in")  # nor is money sent by others
    yield _booking("declined", "2025-01-05T09:00:00", "deposit", "25000.00", "25000.00", "in")
    yield _with_status("declined", _booking("declined", "2025-03-10T09:00:00", "withdrawal", "24000.00", "1000.00"))


def _loans() -> Iterator[tuple[datetime, InputLine]]:
    def due(customer: str, day: str, loan: str = "1") -> tuple[datetime, InputLine]:
        facts = {"account_id": f"{customer}-a", "currency": "CNY", "product_line": "loan", "loan_id": f"{customer}-{loan}"}
        return _event("transactions", customer, f"{day}T06:00:00", kind="instalment_due", direction="none", amount="1000.00", **facts)

    def paid(customer: str, day: str, amount: str, loan: str = "1") -> tuple[datetime, InputLine]:
        facts = {"account_id": f"{customer}-a", "currency": "CNY", "product_line": "loan", "loan_id": f"{customer}-{loan}"}
        return _event("transactions", customer, f"{day}T08:00:00", kind="loan_repayment", direction="out", amount=amount, **facts)

    yield from (due("late-over-180", day) for day in ("2024-09-12", "2024-10-12", "2024-11-12"))
    yield from (due("late-180", "2024-10-02"), due("late-90", "2024-12-31"), due("late-91", "2024-12-30"), due("late-60", "2025-01-30"))
    yield from (due("late-30", "2025-03-01"), due("late-31", "2025-02-28"), due("due-today", "2025-03-31"))
    yield from (due("half", "2025-02-10"), paid("half", "2025-02-12", "400.00"), due("half", "2025-03-10"))
    yield from (paid("ahead", "2025-02-01", "2500.00"), due("ahead", "2025-02-10"), due("ahead", "2025-03-10"), due("ahead", "2025-03-20"))
    yield from (due("two", "2025-01-10"), paid("two", "2025-01-10", "1000.00"), due("two", "2025-03-15", "2"))


def _complaints() -> Iterator[tuple[datetime, InputLine]]:
    def case(name: str, *steps: tuple[str, str, dict[str, Any]]) -> Iterator[tuple[datetime, InputLine]]:
        for step, at, facts in steps:
            yield _event("complaints", "complains", at, case_id=name, step=step, **({"business": "card"} if step == "received" else {}), **facts)

    start = "2025-01-10T15:30:00"
    approved = {"approver": "head"}
    yield from case("last-moment", ("received", start, {}), ("answered", "2025-01-25T23:59:59", {}))
    yield from case("a-second-late", ("received", start, {}), ("answered", "2025-01-26T00:00:00", {}))
    yield from case("complex", ("received", start, {"complex": True}), ("closed", "2025-02-09T12:00:00", {}))
    yield from case("extended", ("received", start, {}), ("extended", "2025-01-20T09:00:00", approved), ("answered", "2025-02-20T09:00:00", {}))
    yield from case("withdrawn", ("received", start, {}), ("withdrawn", "2025-01-11T09:00:00", {}))
    yield from case("forgotten", ("received", start, {}))
    yield from case("fresh", ("received", "2025-03-25T10:00:00", {}))
    yield from case("classified-later", ("received", start, {}), ("classified", "2025-01-12T09:00:00", {"business": "loan", "complex": True}))
    yield from case(
        "reopened-without-its-extension",
        ("received", start, {}),
        ("extended", "2025-01-20T09:00:00", approved),
        ("closed", "2025-02-01T09:00:00", {}),
        ("reopened", "2025-02-10T09:00:00", {}),
        ("closed", "2025-03-05T09:00:00", {}),
    )
    yield from case("received-unknown", ("accepted", "2025-02-02T09:00:00", {}), ("answered", "2025-02-03T09:00:00", {}))


def _calls() -> Iterator[tuple[datetime, InputLine]]:
    at = datetime(2025, 2, 3, 8, 59, 59, tzinfo=_ZONE)
    for number in range(40):
        moment = (at + timedelta(minutes=7 * number)).isoformat()[:19]
        gave_up = number % 3 == 0
        facts: dict[str, Any] = {"outcome": "abandoned" if gave_up else "served", "channel": "phone", "outlet_id": "outlet-hard"}
        if number % 4:
            facts["wait_seconds"] = float(number)
        yield _event("interactions", f"caller-{number}", moment, kind="call", **facts, **({"initiator": "bank"} if number == 39 else {}))
