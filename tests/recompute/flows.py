"""``flow.*`` from its definitions."""

from __future__ import annotations

import polars as pl

from schemas.metrics.flows import WINDOWS
from tests.recompute.ground import Ground
from tests.recompute.windows import long, over_windows


def flow(ground: Ground) -> pl.DataFrame:
    """Counts and amounts by direction, kind and channel; the norm; near-threshold deposits; what had no rate."""
    policy = ground.policy
    seen = ground.seen(ground.transactions)
    sign = pl.when(pl.col("status") == "reversed").then(-1).otherwise(1)
    moved = seen.filter((pl.col("status") != "declined") & (pl.col("direction") != "none"))
    parts = []
    for direction in ("in", "out"):
        of = moved.filter(pl.col("direction") == direction)
        parts.append(over_windows(of, {f"flow.{direction}.count": (sign, WINDOWS), f"flow.{direction}.amount": (sign * pl.col("amount"), WINDOWS)}))
    for facet in ("kind", "channel"):
        totals = {f"flow.{facet}.count": (sign, WINDOWS), f"flow.{facet}.amount": (sign * pl.col("amount"), WINDOWS)}
        parts.append(over_windows(moved, totals, pl.col(facet)))
    just_below = (pl.col("amount") >= policy.near_share * policy.cash_limit) & (pl.col("amount") < policy.cash_limit)
    near = moved.filter((pl.col("kind") == "deposit") & (pl.col("direction") == "in") & just_below)
    parts.append(over_windows(near, {"cash.near_threshold.count": (sign, (1,)), "cash.near_threshold.amount": (sign * pl.col("amount"), (1,))}))
    parts.append(over_windows(moved.filter(~pl.col("convertible")), {"flow.unconverted.count": (sign, (365,))}))
    parts.append(_norm(moved, sign))
    return pl.concat(parts)


def _norm(moved: pl.DataFrame, sign: pl.Expr) -> pl.DataFrame:
    oldest, newest = pl.col("day") - 209, pl.col("day") - 30
    known = moved.group_by("sid").agg(pl.col("day").first(), first=pl.col("day_right").min())
    known = known.with_columns(known=newest - pl.max_horizontal(oldest, pl.col("first")) + 1).filter(pl.col("known") >= 90)
    out = moved.filter((pl.col("direction") == "out") & pl.col("day_right").is_between(oldest, newest))
    spent = out.group_by("sid").agg(total=(sign * pl.col("amount")).sum())
    norm = known.join(spent, on="sid", how="left").with_columns(value=(pl.col("total").fill_null(0) * 30) // pl.col("known"), key=pl.lit("flow.out.norm.30d"))
    return long(norm)
