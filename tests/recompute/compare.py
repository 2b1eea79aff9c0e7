"""Everything recomputed, and where it differs from what was published."""

from __future__ import annotations

import polars as pl

from schemas.metrics import KEYS, Unit
from tests.recompute.activity import activity
from tests.recompute.balances import balance
from tests.recompute.complaints import complaint
from tests.recompute.contacts import contact
from tests.recompute.flows import flow
from tests.recompute.ground import Ground, Published
from tests.recompute.loans import loan
from tests.recompute.salary import salary
from tests.recompute.satisfaction import satisfaction

FAMILIES = (flow, balance, activity, salary, loan, complaint, satisfaction, contact)
_HALF_A_MILLIONTH = 0.5e-6 * (1 + 1e-6)  # real numbers are published to 6 decimals
_NOT_SUMS = ("flow.out.norm.30d", "balance.average.30d", "balance.average.90d")  # of 0, these are findings


def recompute(ground: Ground) -> pl.DataFrame:
    """All values of all snapshots, in long form, without what a snapshot leaves out: sums by window that are zero."""
    sums = [key for key, metric in KEYS.items() if metric.windows and metric.unit in (Unit.COUNT, Unit.MONEY) and key not in _NOT_SUMS]
    values = pl.concat([family(ground) for family in FAMILIES])
    return values.filter((pl.col("value") != 0) | ~pl.col("key").is_in(sums))


def differences(ground: Ground, published: Published) -> pl.DataFrame:
    """Rows in which the two disagree: customer, as_of, key, label, ``published`` and ``recomputed`` (null = not there)."""
    ours = recompute(ground).rename({"value": "recomputed"})
    both = published.values.rename({"value": "published"}).join(ours, on=["sid", "key", "label"], how="full", coalesce=True)
    whole = pl.col("key").is_in([key for key, metric in KEYS.items() if metric.whole])
    close = (pl.col("published") - pl.col("recomputed")).abs() <= _HALF_A_MILLIONTH
    same = pl.when(whole).then(pl.col("published") == pl.col("recomputed")).otherwise(close)
    wrong = both.filter(~same.fill_null(False)).join(ground.snapshots, on="sid")
    columns = ["customer", "as_of", "business_day", "upto", "key", "label", "published", "recomputed"]
    return wrong.select(columns).sort("key", "customer", "as_of")
