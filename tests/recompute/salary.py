"""``salary.*`` from its definitions."""

from __future__ import annotations

import polars as pl

from tests.recompute.ground import Ground, day_starts
from tests.recompute.windows import lower_median, named


def salary(ground: Ground) -> pl.DataFrame:
    """Months with a salary or pension, the usual day and amount, and when the next one is expected."""
    came = pl.col("kind").is_in(["salary", "pension"]) & (pl.col("direction") == "in") & (pl.col("status") != "declined") & (pl.col("amount") > 0)
    paid = ground.transactions.filter(came)
    date = pl.col("day").cast(pl.Int32).cast(pl.Date)
    paid = paid.with_columns(month=date.dt.year().cast(pl.Int64) * 12 + date.dt.month() - 1, dom=date.dt.day().cast(pl.Int64))
    posted = pl.col("status") == "posted"
    total = pl.when(posted).then(pl.col("amount")).otherwise(-pl.col("amount")).sum()
    months = ground.seen(paid).group_by("sid", "day", "month").agg(total=total, dom=pl.col("dom").filter(posted).min())
    months = months.filter(pl.col("total") > 0).sort("sid", "month")
    per = months.group_by("sid", "day", maintain_order=True).agg("month", "dom", "total")
    per = per.with_columns(amount=lower_median(pl.col("total").list.tail(6)), usual=lower_median(pl.col("dom").list.tail(6)), last=pl.col("month").list.last())
    regular = months.join(per.select("sid", "usual", "last"), on="sid").sort("sid", "month", descending=[False, True])
    back = pl.int_range(pl.len()).over("sid")
    kept = (pl.col("month") == pl.col("last") - back) & ((pl.col("dom") - pl.col("usual")).abs() <= 3) & (back < 13)
    regular = regular.with_columns(kept=kept.cast(pl.Int64)).with_columns(run=pl.col("kept").cum_prod().over("sid"))
    run = regular.group_by("sid").agg(regular=pl.col("run").sum())
    expected = pl.date((pl.col("last") + 1) // 12, (pl.col("last") + 1) % 12 + 1, 1)
    ends = expected.dt.month_end().dt.day().cast(pl.Int64)
    expected_day = expected.cast(pl.Int32).cast(pl.Int64) + pl.min_horizontal(pl.col("usual"), ends) - 1
    per = per.join(run, on="sid").with_columns(expected=expected_day)
    per = per.with_columns(expected_at=day_starts(pl.col("expected"), ground.policy.zone), late=(pl.col("day") - pl.col("expected")).clip(lower_bound=0))
    return named(
        per,
        {"regular": "salary.regular_months", "amount": "salary.amount", "usual": "salary.day", "expected_at": "salary.expected_at", "late": "salary.late"},
    )
