"""How large a customer's state is in the changelog: one steady customer over a year, and the customers of a simulated bank."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from statistics import quantiles
from typing import Any, Final

import msgspec

from alerting.pack import Pack
from deploy.benchmarking.figures import table
from deploy.benchmarking.workload import bank, steady_customer
from deploy.inputs import InputRecord, to_records
from schemas.topics import Registry
from streams.customer.state import PARTS, CustomerState
from streams.customer.state import decode as decode_state
from streams.replay import replay

_RECEIVED_AT: Final = 1 << 45
_MONTHS: Final = 12
_PER_MONTH: Final = 20
_encode = msgspec.msgpack.Encoder().encode


def bench_state(events: int, registry: Registry, pack: Pack, progress: Callable[[str], None]) -> dict[str, Any]:
    """Measure and return the figures, in bytes of a changelog value."""
    progress("state: one customer over a year")
    (value,) = _states(to_records(steady_customer(_MONTHS, _PER_MONTH), registry), registry, pack)
    progress("state: a simulated bank over a year")
    sizes = sorted(len(value) for value in _states(bank(events, registry, _MONTHS), registry, pack))
    hundredths = quantiles(sizes, n=100, method="inclusive") if len(sizes) > 1 else sizes * 99
    return {
        "steady_customer": {"transactions": _MONTHS * _PER_MONTH, "bytes": len(value), "bytes_by_part": _parts(decode_state(value))},
        "bank": {
            "customers": len(sizes),
            "months": _MONTHS,
            "bytes": {"mean": round(sum(sizes) / len(sizes)), **{f"p{p}": round(hundredths[p - 1]) for p in (10, 50, 90, 99)}, "largest": sizes[-1]},
        },
    }


def state_text(figures: dict[str, Any]) -> str:
    """The figures as tables."""
    steady, of_bank = figures["steady_customer"], figures["bank"]
    parts = [[name, f"{size:,}"] for name, size in steady["bytes_by_part"].items() if size > 1]
    sizes = [[name, f"{size:,}"] for name, size in of_bank["bytes"].items()]
    one = f"state of a customer with {steady['transactions']} transactions in a year"
    many = f"state per customer, {of_bank['customers']:,} simulated customers over a year"
    return "\n\n".join((table([one, "bytes"], [["whole changelog value", f"{steady['bytes']:,}"], *parts]), table([many, "bytes"], sizes)))


def _states(inputs: Iterable[InputRecord], registry: Registry, pack: Pack) -> list[bytes]:
    states: dict[bytes, bytes] = {}
    for lane, _ in replay(inputs, registry, pack, _RECEIVED_AT):
        states.update(lane.states)
    return list(states.values())


def _parts(state: CustomerState) -> dict[str, int]:
    sizes = {name: len(_encode(part)) for name, part in zip(PARTS, state.packed(), strict=True)}
    return dict(sorted(sizes.items(), key=lambda item: -item[1]))
