"""``loan.*`` from its definitions: all that was paid on a loan settles its instalments from the oldest on."""

from __future__ import annotations

import polars as pl

from tests.recompute.ground import Ground
from tests.recompute.windows import named


def loan(ground: Ground) -> pl.DataFrame:
    """Instalments due and overdue, and the days past due."""
    booked = ground.transactions.filter(pl.col("status") != "declined")
    sign = pl.when(pl.col("status") == "reversed").then(-1).otherwise(1)
    repaid = booked.filter(pl.col("kind") == "loan_repayment")
    fell = booked.filter((pl.col("kind") == "instalment_due") & (pl.col("status") == "posted"))
    taken = booked.filter((pl.col("kind") == "instalment_due") & (pl.col("status") == "reversed"))
    money = pl.concat([repaid.with_columns(money=sign * pl.col("amount")), taken.with_columns(money=pl.col("amount"))])
    paid = ground.seen(money).group_by("sid", "loan_id").agg(paid=pl.col("money").sum())
    dues = ground.seen(fell).filter(pl.col("day_right") <= pl.col("day"))
    dues = dues.sort("sid", "loan_id", "day_right", "position")
    dues = dues.with_columns(total=pl.col("amount").cum_sum().over("sid", "loan_id")).join(paid, on=["sid", "loan_id"], how="left")
    dues = dues.with_columns(unpaid=pl.min_horizontal(pl.col("amount"), pl.col("total") - pl.col("paid").fill_null(0)).clip(lower_bound=0))
    owed = dues.filter(pl.col("unpaid") > 0)
    overdue = pl.col("day_right") < pl.col("day")
    per = owed.group_by("sid").agg(
        due=pl.len(),
        due_amount=pl.col("unpaid").sum(),
        late=overdue.sum(),
        late_amount=pl.col("unpaid").filter(overdue).sum(),
        dpd=(pl.col("day") - pl.col("day_right")).max(),
    )
    with_loan = ground.seen(pl.concat([repaid, fell, taken])).select("sid").unique()
    everyone = with_loan.join(per, on="sid", how="left").fill_null(0)
    keys = {"due": "loan.due.count", "due_amount": "loan.due.amount", "late": "loan.overdue.count", "late_amount": "loan.overdue.amount", "dpd": "loan.dpd"}
    return named(everyone, keys)
