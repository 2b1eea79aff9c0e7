"""The six answers a second time, by polars from input lines: nothing of the core, the sink or ClickHouse is used.

What a snapshot's average is *of* is its day, so ``standing`` takes the day of each customer's snapshot from the view and asserts
that nothing of the customer lies between it and the day asked for.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import ROUND_FLOOR, Decimal
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from deploy.inputs import InputLine
from schemas.events.interactions import BANK_INITIATED
from schemas.events.transactions import customer_initiated
from tests.questions.page import Row


@dataclass
class Bank:
    """Input lines as frames; ``day`` and ``hour`` are local."""

    zone: ZoneInfo
    transactions: pl.DataFrame
    interactions: pl.DataFrame
    complaints: pl.DataFrame
    outlets: dict[str, str]

    @classmethod
    def of(cls, lines: Iterable[InputLine], zone: str) -> Bank:
        local = ZoneInfo(zone)
        rows: dict[str, list[dict[str, Any]]] = defaultdict(list)
        outlets: dict[str, str] = {}
        for number, line in enumerate(lines):
            if line.key is None:
                continue
            event = json.loads(line.value)
            at = datetime.fromisoformat(event["occurred_at"]).astimezone(local)
            event |= {"at": at.timestamp(), "number": number, "day": at.date(), "hour": at.hour}
            rows[line.topic].append(event)
            if line.topic == "customers" and event.get("outlet_id"):
                outlets[event["customer_id"]] = event["outlet_id"]

        def frame(topic: str, columns: dict[str, Any]) -> pl.DataFrame:
            schema = {"customer_id": pl.String, "at": pl.Float64, "number": pl.Int64, "day": pl.Date, "hour": pl.Int64} | columns
            return pl.DataFrame([{name: event.get(name) for name in schema} for event in rows[topic]], schema=schema, infer_schema_length=None)

        texts = dict.fromkeys(
            ("account_id", "amount", "currency", "direction", "kind", "status", "outlet_id", "product_line", "balance_after", "loan_id"), pl.String
        )
        contact = dict.fromkeys(("kind", "initiator", "outcome", "outlet_id"), pl.String) | {"wait_seconds": pl.Float64}
        step = dict.fromkeys(("case_id", "step", "business"), pl.String) | {"complex": pl.Boolean}
        return cls(local, frame("transactions", texts), frame("interactions", contact), frame("complaints", step), outlets)

    def last_days(self, until: date) -> dict[str, date]:
        """Each customer's last day with any event, up to a day (profile changes left out: nobody's metrics rest on them)."""
        frames = [frame.select("customer_id", "day") for frame in (self.transactions, self.interactions, self.complaints)]
        found = pl.concat(frames).filter(pl.col("day") <= until).group_by("customer_id").agg(pl.col("day").max())
        return dict(found.iter_rows())


@dataclass
class Standing:
    """A customer's deposits on its snapshot's day."""

    now: Decimal
    average_90d: Decimal

    @property
    def attrition(self) -> float:
        return max(0.0, 1 - float(self.now) / float(self.average_90d)) if self.average_90d > 0 else 0.0


def standing(bank: Bank, days: dict[str, date], until: date) -> dict[str, Standing]:
    """Balance and average of every customer who has a balance. ``days`` are those of the snapshots."""
    for customer, last in bank.last_days(until).items():
        assert days[customer] >= last, f"{customer}: the snapshot of {days[customer]} misses what happened on {last}"
    booked = bank.transactions.filter(
        pl.col("balance_after").is_not_null()
        & (pl.col("status").fill_null("posted") != "declined")
        & (pl.col("product_line").fill_null("deposit") == "deposit")
    ).sort("at", "number")
    ends = booked.group_by("customer_id", "account_id", "day", maintain_order=True).agg(pl.col("balance_after").last())
    accounts: dict[str, dict[str, dict[date, Decimal]]] = defaultdict(lambda: defaultdict(dict))
    for customer, account, day, balance in ends.iter_rows():
        accounts[customer][account][day] = Decimal(balance)
    found = {}
    for customer, by_account in accounts.items():
        on = days.get(customer)
        first = min(min(balances) for balances in by_account.values())
        if on is None or first > on:
            continue
        begin = max(first, on - timedelta(days=89))
        window = [begin + timedelta(days=n) for n in range((on - begin).days + 1)]
        total, now = Decimal(0), Decimal(0)
        for balances in by_account.values():
            held = next((balances[day] for day in sorted(balances, reverse=True) if day < begin), Decimal(0))
            for day in window:
                held = balances.get(day, held)
                total += held
            now += held
        found[customer] = Standing(now, (total / len(window)).quantize(Decimal("0.01"), ROUND_FLOOR))
    return found


def balance_attrition(bank: Bank, days: dict[str, date], until: date, limit: int) -> list[Row]:
    groups: dict[str, list[Standing]] = defaultdict(list)
    for customer, one in standing(bank, days, until).items():
        if one.average_90d > 0:
            groups[bank.outlets.get(customer, "")].append(one)
    rows: list[Row] = []
    for outlet, members in groups.items():
        draining = [one for one in members if round(one.attrition, 6) >= 0.4]
        drained = sum((one.average_90d - one.now for one in draining), Decimal(0))
        rows.append((outlet, len(members), sum(one.average_90d for one in members), sum(one.now for one in members), len(draining), drained))
    return sorted(rows, key=lambda row: (-row[5], row[0]))[:limit]


def complaints_in_time(bank: Bank, first: date, last: date, now: float, ordinary: int, complex_limit: int, extension: int) -> list[Row]:
    """Limits in natural days; the day of receipt does not count."""
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    today = datetime.fromtimestamp(now, bank.zone).date()
    for _, steps in bank.complaints.sort("at", "number").group_by("case_id", "customer_id", maintain_order=True):
        case = list(steps.iter_rows(named=True))
        received = next((step for step in sorted(case, key=lambda step: step["number"]) if step["step"] == "received"), case[0])
        if not first <= received["day"] <= last:
            continue
        opened = max([received, *(step for step in case if step["step"] == "reopened")], key=lambda step: (step["at"], step["number"]))
        ends = [step for step in case if step["step"] in ("answered", "closed", "withdrawn")]
        ended = ends[-1] if ends and (ends[-1]["at"], ends[-1]["number"]) > (opened["at"], opened["number"]) else None
        extended = any(step["step"] == "extended" and (step["at"], step["number"]) >= (opened["at"], opened["number"]) for step in case)
        is_complex = next((step["complex"] for step in reversed(case) if step["complex"] is not None), False)
        due = opened["day"] + timedelta(days=1 + (complex_limit if is_complex else ordinary) + (extension if extended else 0))
        business = next((step["business"] for step in reversed(case) if step["business"]), "")
        count = counts[business]
        count[0] += 1
        count[1] += ended is not None and ended["day"] < due
        count[2] += (ended["day"] if ended else today) >= due
        count[3] += ended is None
    rows = [(business, *count, _percent(count[1], count[0])) for business, count in counts.items()]
    return sorted(rows, key=lambda row: (-row[1], row[0]))


def abandonment_by_hour(bank: Bank, outlet: str, first: date, last: date) -> list[Row]:
    calls = bank.interactions.filter(
        (pl.col("outlet_id") == outlet)
        & pl.col("day").is_between(first, last)
        & pl.col("kind").is_in(["visit", "call", "chat", "enquiry"])
        & ((pl.col("initiator") == "customer") | (pl.col("initiator").is_null() & ~pl.col("kind").is_in(sorted(BANK_INITIATED))))
    )
    by_hour = (
        calls.group_by("hour")
        .agg(
            pl.len(),
            (pl.col("outcome") == "abandoned").sum().alias("gave_up"),
            pl.col("wait_seconds").sum().alias("wait"),
            pl.col("wait_seconds").count().alias("n"),
        )
        .sort("hour")
    )
    return [
        (hour, count, gave_up, _percent(gave_up, count), round(wait / n, 1) if n else float("nan"), n) for hour, count, gave_up, wait, n in by_hour.iter_rows()
    ]


def silent_wealthy(bank: Bank, days: dict[str, date], until: date, least: int, silent: int, limit: int) -> list[Row]:
    active: dict[str, date] = {}
    for customer, kind, direction, status, day in bank.transactions.select("customer_id", "kind", "direction", "status", "day").iter_rows():
        if day <= until and customer_initiated(kind, direction) and (status or "posted") == "posted":
            active[customer] = max(active.get(customer, day), day)
    for customer, kind, initiator, day in bank.interactions.select("customer_id", "kind", "initiator", "day").iter_rows():
        if day <= until and (initiator == "customer" if initiator else kind not in BANK_INITIATED):
            active[customer] = max(active.get(customer, day), day)
    rows: list[Row] = [
        (customer, bank.outlets.get(customer, ""), one.now, (until - active[customer]).days)
        for customer, one in standing(bank, days, until).items()
        if customer in active and one.now >= least and (until - active[customer]).days >= silent
    ]
    return sorted(rows, key=lambda row: (-row[2], row[0]))[:limit]


_BANDS = ((30, "1-30"), (60, "31-60"), (90, "61-90"), (180, "91-180"))


def overdue_by_bucket(bank: Bank, until: date) -> list[Row]:
    due: dict[tuple[str, str], list[tuple[date, Decimal]]] = defaultdict(list)
    paid: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    loans = bank.transactions.filter(pl.col("loan_id").is_not_null() & (pl.col("day") <= until) & (pl.col("status").fill_null("posted") == "posted"))
    for customer, loan, kind, amount, day in loans.sort("at", "number").select("customer_id", "loan_id", "kind", "amount", "day").iter_rows():
        if kind == "instalment_due":
            due[customer, loan].append((day, Decimal(amount)))
        elif kind == "loan_repayment":
            paid[customer, loan] += Decimal(amount)
    worst: dict[str, int] = {}
    owed: dict[str, Decimal] = defaultdict(Decimal)
    for (customer, loan), instalments in due.items():
        left = paid[customer, loan]
        for day, amount in instalments:
            settled = min(left, amount)
            left -= settled
            if settled < amount and day < until:
                worst[customer] = max(worst.get(customer, 0), (until - day).days)
                owed[customer] += amount - settled
    bands: dict[str, list[str]] = defaultdict(list)
    for customer, late in worst.items():
        bands[next((name for limit, name in _BANDS if late <= limit), ">180")].append(customer)
    rows = [(band, len(members), sum(owed[one] for one in members), max(worst[one] for one in members)) for band, members in bands.items()]
    return sorted(rows, key=lambda row: row[3])


def busiest_outlets(bank: Bank, first: date, last: date, currency: str, limit: int) -> list[Row]:
    moved = bank.transactions.filter(pl.col("day").is_between(first, last) & (pl.col("currency") == currency) & (pl.col("direction") != "none"))
    totals: dict[str, list[Any]] = defaultdict(lambda: [0, Decimal(0), Decimal(0)])
    for outlet, status, direction, amount in moved.select("outlet_id", "status", "direction", "amount").iter_rows():
        sign = {"posted": 1, "reversed": -1}.get(status or "posted", 0)
        total = totals[outlet or ""]
        total[0] += sign == 1
        total[1 if direction == "in" else 2] += sign * Decimal(amount)
    return sorted(((outlet, *total) for outlet, total in totals.items()), key=lambda row: (-row[1], row[0]))[:limit]


def _percent(part: int, whole: int) -> float:
    return round(100 * part / whole, 1)
