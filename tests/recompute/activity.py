"""``activity.*`` from its definitions."""

from __future__ import annotations

import polars as pl

from schemas.events.interactions import BANK_INITIATED
from schemas.events.transactions import CUSTOMER_INITIATED
from tests.recompute.ground import Ground, day_starts
from tests.recompute.windows import lower_median, named, over_windows


def activity(ground: Ground) -> pl.DataFrame:
    """Recency, frequency, monetary value; active days and the gaps between them."""
    sent_by_others = (pl.col("direction") == "in") & pl.col("kind").is_in(["transfer", "cheque"])
    initiated = pl.col("kind").is_in(list(CUSTOMER_INITIATED)) & ~sent_by_others
    own = ground.transactions.filter((pl.col("status") == "posted") & initiated)
    seen = ground.seen(own)
    moved = ground.transactions.filter((pl.col("status") != "declined") & (pl.col("direction") != "none") & initiated)
    sign = pl.when(pl.col("status") == "reversed").then(-1).otherwise(1)
    totals = {"activity.frequency": (sign, (365,)), "activity.monetary": (sign * pl.col("amount"), (365,))}
    sums = over_windows(ground.seen(moved), totals)
    recency = seen.group_by("sid").agg(days=(pl.col("day").first() - pl.col("day_right").max()).clip(lower_bound=0))
    reached = pl.when(pl.col("initiator").is_not_null()).then(pl.col("initiator") == "customer").otherwise(~pl.col("kind").is_in(list(BANK_INITIATED)))
    columns = ["customer", "position", "day"]
    active = pl.concat([own.select(columns), ground.interactions.filter(reached & (pl.col("kind") != "survey_answer")).select(columns)])
    active = active.group_by("customer", "day").agg(pl.col("position").min())  # a day is active from its first event on
    days = ground.seen(active).sort("sid", "day_right").with_columns(gap=pl.col("day_right").diff().over("sid"))
    per = days.group_by("sid", maintain_order=True).agg(pl.col("day").first(), last=pl.col("day_right").max(), gaps=pl.col("gap").drop_nulls().tail(24))
    per = per.with_columns(
        started=day_starts(pl.col("last"), ground.policy.zone),
        silence=(pl.col("day") - pl.col("last")).clip(lower_bound=0),
        typical=pl.when(pl.col("gaps").list.len() >= 5).then(lower_median(pl.col("gaps"))),
    )
    keys = {"started": "activity.last_day", "silence": "activity.silence", "typical": "activity.typical_gap"}
    return pl.concat([sums, named(recency, {"days": "activity.recency"}), named(per, keys)])
