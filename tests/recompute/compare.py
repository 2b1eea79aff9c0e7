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
_TOLERANCE = 1e-12  # of real numbers, relative: two ways of dividing may differ in the last bit


def recompute(ground: Ground) -> pl.DataFrame:
    """All values of all snapshots, in long form, without what a snapshot leaves out."""
    left_out = [key for key, metric in KEYS.items() if metric.unit in (Unit.COUNT, Unit.MONEY)]
    values = pl.concat([family(ground) for family in FAMILIES])
    return values.filter((pl.col("value") != 0) | ~pl.col("key").is_in(left_out))


def differences(ground: Ground, published: Published) -> pl.DataFrame:
    """Rows in which the two disagree: customer, as_of, key, label, ``published`` and ``recomputed`` (null = not there)."""
    ours = recompute(ground).rename({"value": "recomputed"})
    both = published.values.rename({"value": "published"}).join(ours, on=["sid", "key", "label"], how="full", coalesce=True)
    close = (pl.col("published") - pl.col("recomputed")).abs() <= _TOLERANCE * pl.max_horizontal(pl.lit(1.0), pl.col("recomputed").abs())
    whole = pl.col("key").is_in([key for key, metric in KEYS.items() if metric.whole])
    same = pl.when(whole).then(pl.col("published") == pl.col("recomputed")).otherwise(close)
    wrong = both.filter(~same.fill_null(False))
    return wrong.join(ground.snapshots, on="sid").select("customer", "as_of", "business_day", "upto", "key", "label", "published", "recomputed").sort("key", "customer", "as_of")
