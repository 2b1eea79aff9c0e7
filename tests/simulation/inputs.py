"""Small banks: what the six input topics hold. Stories that raise every kind of warning, in clean and in dirty records.

A partition's content is laid out in portions, so that it has the same offsets whether it is there from the start or comes bit by
bit: plain records, transactions of an upstream producer that commit or roll back (each with its marker), and compacted holes.
"""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from functools import cache
from random import Random
from typing import Any, Literal, NamedTuple

from schemas.events import EventKind
from schemas.topics import partition_of
from streams.records import InputRecord
from tests.simulation.broker import Message

PARTITIONS = 3
BANKS = 24
#: The broker's time of every record, epoch ms: September 2026, after all that happens.
RECEIVED = 1_790_000_000_000
START = datetime(2026, 1, 5, 2, tzinfo=UTC)
DAYS = 90

How = Literal["plain", "committed", "rolled back", "gone"]


class Portion(NamedTuple):
    """A run of one partition's offsets; ``at`` says when it is published, as a share of the whole. In transactions a marker follows."""

    how: How
    messages: tuple[Message, ...]
    at: float


Bank = dict[tuple[EventKind, int], list[Portion]]


@cache
def bank(number: int) -> Bank:
    """One of ``BANKS`` banks; from ``BANKS`` on they are banks whose upstream systems send nothing twice."""
    random = Random(f"bank {number}")
    events: dict[tuple[EventKind, int], list[tuple[float, Message]]] = defaultdict(list)
    for kind, day, customer, fields in sorted(_told(random), key=lambda told: told[1]):
        at = START + timedelta(days=day)
        body = {"event_id": f"{kind}-{len(events)}-{random.getrandbits(40):x}", "source": "t", "occurred_at": at.isoformat()} | fields
        if kind == "tick":
            for partition in range(PARTITIONS):
                value = {**body, "event_id": f"tick-{partition}-{at.isoformat()}", "partition": partition}
                events[kind, partition].append((day, Message(b"%d" % partition, json.dumps(value).encode(), [])))
            continue
        key, place = customer.encode(), (kind, partition_of(customer.encode(), PARTITIONS))
        message = Message(key, json.dumps(body | {"customer_id": customer}).encode(), [])
        if random.random() < 0.03:
            events[place].append((day, Message(key, b'{"cut off', [("source", b"t")])))
        events[place].append((day, message))
        if random.random() < 0.04 and number < BANKS:
            events[place].append((day, message))
    return {place: _portions(random, found) for place, found in sorted(events.items())}


def _told(random: Random) -> list[tuple[EventKind, float, str, dict[str, Any]]]:
    """What happens: kind, day, customer and the fields of its kind."""
    told: list[tuple[EventKind, float, str, dict[str, Any]]] = []

    def pays(day: float, customer: str, kind: str, amount: str, direction: str, **more: Any) -> None:
        fields = {"account_id": f"{customer}-1", "currency": "CNY", "kind": kind, "amount": amount, "direction": direction}
        told.append(("transaction", day, customer, fields | more))

    for number in range(4):
        customer, end = f"c{number}", random.uniform(0.3, 1.0) * DAYS
        story = random.randrange(5)
        if story == 0:
            for day in range(5, int(end), 30):
                pays(day + random.random() / 4, customer, "salary", "32000.00", "in", balance_after="250000.00")
        elif story == 1:
            day = random.uniform(0, 9)
            while day < end:
                pays(day, customer, "card_purchase", "80.00", "out", balance_after="60000.00")
                day += random.uniform(6, 12)
        elif story == 2:
            for day in range(10, int(end), 30):
                pays(day, customer, "instalment_due", "2500.00", "none", loan_id=f"L{number}", product_line="loan")
                if random.random() < 0.6:
                    pays(day + random.uniform(0, 40), customer, "loan_repayment", "2500.00", "out", loan_id=f"L{number}", product_line="loan")
        elif story == 3:
            for case in range(2):
                day = random.uniform(0, end)
                told.append(("complaint", day, customer, {"case_id": f"{customer}-{case}", "step": "received", "complex": False}))
                if random.random() < 0.5:
                    told.append(("complaint", day + random.uniform(1, 30), customer, {"case_id": f"{customer}-{case}", "step": "closed"}))
            survey = {"kind": "survey_answer", "instrument": "csat", "score": random.randint(1, 5), "scale_min": 1, "scale_max": 5}
            told.append(("interaction", end, customer, survey))
        else:
            for day in range(3, int(end), 30):
                pays(day, customer, "transfer", "20000.00", "out", balance_after="300000.00")
            pays(end, customer, "transfer", "90000.00", "out", balance_after="90000.00")
        if random.random() < 0.5:
            told.append(("customer", random.uniform(0, 30), customer, {"change": "recorded", "relationship_manager": "rm-1"}))
        for _ in range(random.randint(0, 4)):
            told.append(("interaction", random.uniform(0, DAYS), customer, {"kind": "login"}))
        for late in (1, 40, -45):
            if random.random() < 0.3:
                day = random.uniform(46, 60)
                at = (START + timedelta(days=day - late)).isoformat()
                told.append(("interaction", day - 0.01, customer, {"kind": "login"}))
                told.append(("interaction", day, customer, {"kind": "visit", "occurred_at": at}))
    told.append(("feedback", random.uniform(0, DAYS), "c1", {"alert_id": "unknown", "action": "acknowledged", "actor": "t"}))
    week = 0.0
    while week < DAYS + 40:
        told.append(("tick", week, "", {}))
        week += random.choice((5, 10, 20))
    if random.random() < 0.2:
        told.append(("tick", DAYS / 2, "", {"occurred_at": (START + timedelta(days=DAYS * 2.5)).isoformat()}))
    return told


def _portions(random: Random, found: list[tuple[float, Message]]) -> list[Portion]:
    portions: list[Portion] = []
    rest = found
    while rest:
        size = random.randint(1, 8)
        taken, rest = rest[:size], rest[size:]
        at = min(1.0, taken[-1][0] / (DAYS + 40))
        messages = tuple(message for _day, message in taken)
        chance = random.random()
        if chance < 0.1:
            portions.append(Portion("rolled back", messages, at))
        elif chance < 0.15:
            portions.append(Portion("gone", messages[:1], at))
        portions.append(Portion("committed" if chance > 0.85 else "plain", messages, at))
    return portions


@cache
def records(number: int) -> dict[tuple[EventKind, int], list[InputRecord]]:
    """What a read_committed reader gets of a bank, at the offsets it has on a broker."""
    found: dict[tuple[EventKind, int], list[InputRecord]] = {}
    for place, portions in bank(number).items():
        offset, there = 0, found.setdefault(place, [])
        for how, messages, _at in portions:
            if how in ("plain", "committed"):
                there += [InputRecord(offset + index, RECEIVED, *message) for index, message in enumerate(messages)]
            offset += len(messages) + (how in ("committed", "rolled back"))
    return found
