"""Input that the benchmarks make for themselves: a simulated bank, plain transactions for the side-by-side, one steady customer."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Final, NamedTuple

import msgspec

from deploy.inputs import InputLine, InputRecord, to_records
from deploy.simulator import Parameters, Simulation
from schemas.localtime import Instant
from schemas.topics import Registry, partition_of

_MONTHS: Final = 6
_SEED: Final = 20_26
_STARTS: Final = datetime(2025, 1, 1, tzinfo=UTC)
PLAIN_CUSTOMERS: Final = 10_000
_PLAIN_A_MONTH: Final = 20  # transactions of a customer
PLAIN_BYTES: Final = 252


def bank(events: int, registry: Registry, months: int = _MONTHS) -> list[InputRecord]:
    """About this many records of a simulated bank, all stories planted, all six topics."""
    start = Parameters().start
    simulation = Simulation(Parameters(seed=_SEED, customers=Parameters.customers_for(events, months, start), months=months, start=start))
    return list(to_records((line for day in simulation.days() for line in day), registry))


class PlainRecord(NamedTuple):
    """One plain transaction. ``at`` (epoch ms) is the record's own timestamp too, so that engines need not parse it."""

    partition: int
    key: bytes
    value: bytes
    at: Instant


def plain(events: int, partitions: int, customers: int = PLAIN_CUSTOMERS, per_day: float | None = None, start: datetime = _STARTS) -> Iterator[PlainRecord]:
    """Valid transactions of 252 bytes in order of time, spread evenly over customers and hours, so many in a day of theirs (else 20 a customer and month)."""
    random = Random(_SEED)
    keys = [f"c{number:06d}" for number in range(customers)]
    places = [partition_of(key.encode(), partitions) for key in keys]
    step = timedelta(days=1) / (per_day or customers * _PLAIN_A_MONTH / 30)
    for number in range(events):
        at = start + number * step
        customer = random.randrange(customers)
        key = keys[customer]
        text = (
            f'"customer_id":"{key}","occurred_at":"{at:%Y-%m-%dT%H:%M:%SZ}","source":"core","account_id":"a-{key}",'
            f'"amount":"{random.randrange(100, 99_999) / 100:.2f}",'
            '"currency":"CNY","direction":"out","kind":"card_purchase","channel":"pos","balance_after":"20000.00"}'
        )
        head = f'{{"event_id":"{number:0{PLAIN_BYTES - len(text) - 15}d}",'
        yield PlainRecord(places[customer], key.encode(), (head + text).encode(), int(at.timestamp() * 1000))


def steady_customer(months: int, per_month: int = 20) -> Iterator[InputLine]:
    """One customer's bookings: a salary, a rent, and spending over three channels, each with the balance after it."""
    random = Random(_SEED)
    balance = 1_000_000
    for month in range(months):
        start = _STARTS + timedelta(days=30 * month)
        for number in range(per_month):
            at = start + timedelta(days=30 * number / per_month, hours=9)
            kind, channel, minor = "card_purchase", random.choice(("pos", "mobile", "atm")), -random.randrange(1_000, 30_000)
            if number == 0:
                kind, channel, minor = "salary", "branch", 800_000
            elif number == 1:
                kind, channel, minor = "transfer", "mobile", -250_000
            elif channel == "atm":
                kind = "withdrawal"
            balance += minor
            event = {
                "event_id": f"steady-{month}-{number}",
                "customer_id": "steady",
                "occurred_at": f"{at:%Y-%m-%dT%H:%M:%SZ}",
                "source": "core",
                "account_id": "a-steady",
                "amount": f"{abs(minor) / 100:.2f}",
                "currency": "CNY",
                "direction": "in" if minor > 0 else "out",
                "kind": kind,
                "channel": channel,
                "balance_after": f"{balance / 100:.2f}",
            }
            yield InputLine("transactions", "steady", msgspec.json.encode(event))
