"""What the independent computation stands on: applied events in their order, the snapshots to recompute, and the pack's data.

Nothing of ``streams`` is used here: events come from the journal's lines, days from polars' own time zones, money from
``decimal``. The definitions are those of ``schemas/metrics``, read by a second pair of eyes.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path
from typing import Any

import msgspec
import polars as pl
import yaml

from alerting.pack import Pack, pack_directory
from schemas.money import CURRENCY_EXPONENTS

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)

#: Long form of values: which snapshot, which key, which label of a map ("" for a plain value), and the value.
LONG = {"sid": pl.UInt32, "key": pl.String, "label": pl.String, "value": pl.Float64}


@dataclass(frozen=True)
class Policy:
    """The pack's data that definitions refer to."""

    zone: str
    currency: str
    cash_limit: int
    near_share: Decimal
    clock: tuple[Any, ...]
    rates: dict[str, list[tuple[int, Decimal]]]

    @classmethod
    def of(cls, pack: Pack) -> Policy:
        document = yaml.safe_load((pack_directory(pack.name) / "rates.yaml").read_text())
        rates: dict[str, list[tuple[int, Decimal]]] = {}
        for line in document["rates"]:
            rates.setdefault(line["currency"], []).append(((line["effective"] - date(1970, 1, 1)).days, Decimal(line["rate"])))
        large = pack.large_value
        return cls(str(pack.timezone), pack.currency, large.cash_limit, Decimal(large.near_share), pack.complaint_clock.versions, rates)

    def reporting(self, amount: str, currency: str, day: int) -> int | None:
        """An amount in minor units of the reporting currency by the rate in force on a local day; None where there is none."""
        value = Decimal(amount)
        if currency != self.currency:
            known = [entry for entry in self.rates.get(currency, []) if entry[0] <= day]
            if not known:
                return None
            value *= max(known)[1]
        return int(value.scaleb(CURRENCY_EXPONENTS[self.currency]).to_integral_value(ROUND_HALF_EVEN))


@dataclass(frozen=True)
class Ground:
    """Applied events by kind, and the snapshots (``sid``, ``customer``, ``as_of`` in ms, ``day``, ``upto`` journal position)."""

    policy: Policy
    snapshots: pl.DataFrame
    transactions: pl.DataFrame
    interactions: pl.DataFrame
    complaints: pl.DataFrame

    def seen(self, events: pl.DataFrame) -> pl.DataFrame:
        """Every snapshot with every event of its customer that was applied before it."""
        return self.snapshots.join(events, on="customer").filter(pl.col("position") < pl.col("upto"))


_TRANSACTION = {
    "account_id": pl.String,
    "amount": pl.Int64,
    "convertible": pl.Boolean,
    "direction": pl.String,
    "kind": pl.String,
    "status": pl.String,
    "channel": pl.String,
    "product_line": pl.String,
    "balance": pl.Int64,
    "loan_id": pl.String,
}
_INTERACTION = {
    "kind": pl.String,
    "initiator": pl.String,
    "outcome": pl.String,
    "wait_seconds": pl.Float64,
    "instrument": pl.String,
    "dimension": pl.String,
    "score": pl.Int64,
    "scale_min": pl.Int64,
    "scale_max": pl.Int64,
}
_COMPLAINT = {"case_id": pl.String, "step": pl.String, "complex": pl.Boolean}
_COMMON = {"customer": pl.String, "at": pl.Int64, "position": pl.Int64}


def instant(text: str) -> int:
    """Epoch milliseconds of an RFC 3339 moment, what is finer cut off."""
    return (datetime.fromisoformat(text) - _EPOCH) // _MS


def with_day(frame: pl.DataFrame, zone: str, column: str = "at") -> pl.DataFrame:
    """Add ``day``: the local day, counted from 1970-01-01, of a column of epoch milliseconds."""
    local = pl.from_epoch(pl.col(column), time_unit="ms").dt.replace_time_zone("UTC").dt.convert_time_zone(zone).dt.date()
    return frame.with_columns(day=local.cast(pl.Int32).cast(pl.Int64))


def day_start(day: int, zone: str) -> int:
    """Epoch milliseconds at which a local day begins."""
    midnight = pl.Series([date(1970, 1, 1) + timedelta(days=day)]).cast(pl.Datetime("ms")).dt.replace_time_zone(zone)
    return int(midnight.dt.epoch("ms")[0])


def day_starts(days: pl.Expr, zone: str) -> pl.Expr:
    """The same for a column."""
    return days.cast(pl.Int32).cast(pl.Date).cast(pl.Datetime("ms")).dt.replace_time_zone(zone).dt.epoch("ms")


@dataclass(frozen=True)
class Applied:
    """One journal line."""

    kind: str
    position: int
    event: dict[str, Any]


def read_journal(directory: Path) -> Iterator[Applied]:
    """Every applied event of every partition."""
    decode = msgspec.json.decode
    for path in sorted(directory.glob("journal-*.jsonl")):
        for text in path.read_bytes().splitlines():
            fields = decode(text)
            yield Applied(fields["kind"], fields["position"], fields["event"] if "event" in fields else decode(fields["raw"]))


def events_of(applied: Iterable[Applied], policy: Policy) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Transactions, interactions and complaints as frames, with local days and amounts in the reporting currency."""
    rows: dict[str, list[dict[str, Any]]] = {"transaction": [], "interaction": [], "complaint": []}
    for entry in applied:
        if entry.kind in rows:
            event = entry.event
            rows[entry.kind].append(event | {"customer": event["customer_id"], "at": instant(event["occurred_at"]), "position": entry.position})
    moved = with_day(pl.DataFrame({"at": [row["at"] for row in rows["transaction"]]}, schema={"at": pl.Int64}), policy.zone)["day"]
    for row, day in zip(rows["transaction"], moved, strict=True):
        amount = policy.reporting(row["amount"], row["currency"], day)
        after = row.get("balance_after")
        row["convertible"] = amount is not None
        row["amount"] = amount or 0
        row["balance"] = None if after is None else policy.reporting(after, row["currency"], day)
        row["status"], row["channel"] = row.get("status", "posted"), row.get("channel", "other")
        row["product_line"] = row.get("product_line", "deposit")
    for row in rows["interaction"]:
        row["outcome"], row["scale_min"] = row.get("outcome", "none"), row.get("scale_min", 1)

    def frame(kind: str, columns: dict[str, Any]) -> pl.DataFrame:
        schema = _COMMON | columns
        return with_day(pl.DataFrame({name: [row.get(name) for row in rows[kind]] for name in schema}, schema=schema), policy.zone)

    return frame("transaction", _TRANSACTION), frame("interaction", _INTERACTION), frame("complaint", _COMPLAINT)


class _SnapshotLine(msgspec.Struct):
    customer_id: str
    as_of: str
    business_day: str
    position: int
    metrics: dict[str, int | float | dict[str, int | float]]


@dataclass(frozen=True)
class Published:
    """Snapshots as the engine wrote them; ``values`` in long form."""

    snapshots: pl.DataFrame
    values: pl.DataFrame


def read_snapshots(path: Path, sample: int | None = None, seed: int = 0) -> Published:
    """All snapshots of a file; or the last one of every customer and ``sample`` others drawn by ``seed``."""
    lines = path.read_bytes().splitlines()
    chosen: Iterable[int] = range(len(lines))
    if sample is not None and len(lines) > sample:
        last = {text[: text.index(b'","as_of"')]: number for number, text in enumerate(lines)}
        chosen = sorted(set(last.values()) | set(random.Random(seed).sample(range(len(lines)), sample)))
    return published(msgspec.json.decode(lines[number], type=_SnapshotLine) for number in chosen)


def published(lines: Iterable[_SnapshotLine]) -> Published:
    """Snapshots in columns."""
    head: dict[str, list[Any]] = {"sid": [], "customer": [], "as_of": [], "business_day": [], "upto": []}
    long: dict[str, list[Any]] = {name: [] for name in LONG}

    def put(sid: int, key: str, label: str, value: float) -> None:
        for name, item in zip(long, (sid, key, label, float(value)), strict=True):
            long[name].append(item)

    for sid, line in enumerate(lines):
        for name, item in zip(head, (sid, line.customer_id, instant(line.as_of), line.business_day, line.position), strict=True):
            head[name].append(item)
        for key, value in line.metrics.items():
            if isinstance(value, dict):
                for label, part in value.items():
                    put(sid, key, label, part)
            else:
                put(sid, key, "", value)
    schema = {"sid": pl.UInt32, "customer": pl.String, "as_of": pl.Int64, "business_day": pl.String, "upto": pl.Int64}
    return Published(pl.DataFrame(head, schema=schema), pl.DataFrame(long, schema=LONG))


def lay(directory: Path, pack: Pack, published: Published) -> Ground:
    """The ground for recomputing these snapshots from the journal beside them."""
    policy = Policy.of(pack)
    transactions, interactions, complaints = events_of(read_journal(directory), policy)
    return Ground(policy, with_day(published.snapshots, policy.zone, "as_of"), transactions, interactions, complaints)
