"""A bank that does everything at once and badly: what no real data set holds and every definition must survive.

Reversals of every kind and before what they reverse, foreign money with and without a rate, several accounts, events days out of
order, complaint steps shuffled, double salaries, instalments paid late, ahead and bounced.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, get_args

import msgspec

from deploy.inputs import InputLine, tick
from schemas.events.complaints import ComplaintStep
from schemas.events.envelope import Channel
from schemas.events.interactions import Dimension, InteractionKind, Outcome
from schemas.events.transactions import WITHOUT_MOVEMENT, TransactionKind

_START = datetime(2024, 11, 20, 3, 0, tzinfo=UTC)
_INCOMING = {"deposit", "salary", "pension", "interest", "loan_disbursement", "investment_sell", "insurance_claim"}


def hard_bank(seed: int, customers: int = 12, days: int = 500, a_day: float = 0.9) -> list[InputLine]:
    """Lines of a whole bank in order of arrival; up to 30 days out of order within a topic."""
    random = Random(seed)
    events: list[tuple[float, InputLine]] = []
    for number in range(customers):
        pace = a_day * random.choice((0.05, 0.3, 1.0, 2.0))
        for count in range(int(days * pace)):
            at = _START + timedelta(milliseconds=random.randrange(days * 86_400_000))
            topic, facts = random.choices((_transaction, _interaction, _complaint), (8, 3, 1))[0](random, (at - _START).days)
            event = {"event_id": f"{seed}-{number}-{count}", "customer_id": f"hard-{number}", "occurred_at": at.isoformat(), "source": "hard"} | facts
            behind = random.choice((0, 0, 0, 0, 0, 60, 3600, 86_400 * 3, 86_400 * 29)) * random.random()
            events.append((at.timestamp() + behind, InputLine(topic, f"hard-{number}", msgspec.json.encode(event))))
    events.sort(key=lambda entry: entry[0])
    return [line for _, line in events] + [tick("hard-end", (_START + timedelta(days=days + 40)).isoformat(), "hard")]


def _transaction(random: Random, _day: int) -> tuple[str, dict[str, Any]]:
    kind = random.choice((*get_args(TransactionKind), *["salary", "deposit", "instalment_due", "loan_repayment", "loan_repayment"] * 4))
    direction = "none" if kind in WITHOUT_MOVEMENT else "in" if (kind in _INCOMING) != (random.random() < 0.1) else "out"
    currency = random.choice(("CNY", "CNY", "CNY", "CNY", "USD", "JPY", "CHF"))
    decimals = 0 if currency == "JPY" else 2
    amount = random.choice((random.randrange(100_000), random.choice((0, 10_000, 4_499_999, 4_500_000, 4_999_999, 5_000_000))))
    facts: dict[str, Any] = {
        "account_id": f"account-{random.randrange(3)}",
        "amount": _money(amount, decimals),
        "currency": currency,
        "direction": direction,
        "kind": kind,
        "status": random.choices(("posted", "declined", "reversed"), (80, 8, 12))[0],
        "channel": random.choice(get_args(Channel)),
        "product_line": random.choices(("deposit", "loan", "intermediary"), (8, 1, 1))[0],
    }
    if random.random() < 0.6:
        facts["balance_after"] = _money(random.randrange(-200_000, 5_000_000), decimals)
    if kind in ("instalment_due", "loan_repayment"):
        facts |= {"loan_id": f"loan-{random.randrange(2)}", "currency": "CNY", "amount": _money(random.choice((10_000, 10_000, 25_000, 5_000)), 2)}
    return "transactions", facts


def _money(minor: int, decimals: int) -> str:
    if not decimals:
        return str(minor)
    return f"{'-' if minor < 0 else ''}{abs(minor) // 100}.{abs(minor) % 100:02}"


def _interaction(random: Random, _day: int) -> tuple[str, dict[str, Any]]:
    kind = random.choice((*get_args(InteractionKind), *["survey_answer"] * 5))
    facts: dict[str, Any] = {"kind": kind, "outcome": random.choice(get_args(Outcome))}
    if random.random() < 0.3:
        facts["initiator"] = random.choice(("customer", "bank"))
    if random.random() < 0.5:
        facts["wait_seconds"] = random.choice((0, random.random() * 600, 12.5))
    if kind in ("campaign_contact", "campaign_response"):
        facts["campaign_id"] = "campaign"
    if kind == "survey_answer":
        facts |= random.choice((_nps, _csat))(random)
    return "interactions", facts


def _nps(random: Random) -> dict[str, Any]:
    return {"instrument": "nps", "score": random.randrange(11), "scale_min": 0, "scale_max": 10}


def _csat(random: Random) -> dict[str, Any]:
    low, high = random.choice(((1, 5), (1, 7), (0, 10), (1, 4)))
    stated = {"dimension": random.choice(get_args(Dimension))} if random.random() < 0.7 else {}
    return {"instrument": "csat", "score": random.randint(low, high), "scale_min": low, "scale_max": high} | stated


def _complaint(random: Random, day: int) -> tuple[str, dict[str, Any]]:
    step = random.choice((*get_args(ComplaintStep), *["received"] * 4))
    facts: dict[str, Any] = {"case_id": f"case-{day // 90}-{random.randrange(8)}", "step": step, "approver": "head"}
    if random.random() < 0.2:
        facts["complex"] = random.random() < 0.5
    return "complaints", facts
