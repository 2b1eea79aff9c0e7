"""``balance.*`` from its definitions."""

from __future__ import annotations

import polars as pl

from tests.recompute.ground import Ground
from tests.recompute.windows import long, named

WINDOWS = (30, 90)


def balance(ground: Ground) -> pl.DataFrame:
    """Current and average balances, and the attrition between them."""
    booked = ground.transactions.filter(pl.col("balance").is_not_null() & (pl.col("product_line") == "deposit") & (pl.col("status") != "declined"))
    known = ground.seen(booked).filter(pl.col("day_right") <= pl.col("day")).with_columns(order=pl.struct("at", "position"))
    latest = known.group_by("sid", "account_id").agg(pl.col("balance").sort_by("order").last())
    current = latest.group_by("sid").agg(current=pl.col("balance").sum())
    first = known.group_by("sid").agg(first=pl.col("day_right").min())
    closing = known.group_by("sid", "day", "account_id", "day_right").agg(pl.col("balance").sort_by("order").last())
    closing = closing.sort("sid", "account_id", "day_right").with_columns(until=pl.col("day_right").shift(-1).over("sid", "account_id"))
    closing = closing.with_columns(until=pl.col("until").fill_null(pl.col("day") + 1))
    sums = []
    for days in WINDOWS:
        held = pl.col("until") - pl.max_horizontal(pl.col("day_right"), pl.col("day") - days + 1)
        sums.append((pl.col("balance") * held.clip(lower_bound=0)).sum().alias(f"sum{days}"))
    wide = closing.group_by("sid", "day").agg(sums).join(first, on="sid").join(current, on="sid")
    for days in WINDOWS:
        wide = wide.with_columns((pl.col(f"sum{days}") // pl.min_horizontal(pl.lit(days), pl.col("day") - pl.col("first") + 1)).alias(f"average{days}"))
        lost = (1 - pl.col("current") / pl.col(f"average{days}")).clip(lower_bound=0)
        wide = wide.with_columns(pl.when(pl.col(f"average{days}") > 0).then(lost).otherwise(0.0).alias(f"attrition{days}"))
    parts = [named(current, {"current": "balance.current"})]
    for name in ("average", "attrition"):
        parts.append(named(wide, {f"{name}{days}": f"balance.{name}.{days}d" for days in WINDOWS}))
    return long(pl.concat(parts))
