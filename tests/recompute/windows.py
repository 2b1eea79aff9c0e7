"""Sums over sliding windows of local days, straight from the definition: every event of every window is added up anew."""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from tests.recompute.ground import LONG


def over_windows(seen: pl.DataFrame, totals: dict[str, tuple[pl.Expr, Iterable[int]]], label: pl.Expr | None = None) -> pl.DataFrame:
    """Each of ``totals`` (metric name -> what to add up, windows in days) per snapshot, and per label where one is given.

    ``seen`` has the event's ``day`` as ``day_right``; days after the snapshot's own are not in any window.
    """
    age = pl.col("day") - pl.col("day_right")
    by = ["sid"] if label is None else ["sid", "label"]
    rows = seen.filter(age >= 0)
    if label is not None:
        rows = rows.with_columns(label=label)
    sums = [
        pl.when(age < days).then(what).otherwise(None).sum().cast(pl.Float64).alias(f"{name}.{days}d")
        for name, (what, windows) in totals.items()
        for days in windows
    ]
    wide = rows.group_by(by).agg(sums)
    return long(wide.unpivot(index=by, variable_name="key", value_name="value"))


def long(frame: pl.DataFrame) -> pl.DataFrame:
    """Bring a frame with sid, key, value and perhaps label into long form; values that are not there are dropped."""
    if "label" not in frame.columns:
        frame = frame.with_columns(label=pl.lit(""))
    return frame.select([pl.col(name).cast(kind) for name, kind in LONG.items()]).filter(pl.col("value").is_not_null())


def named(frame: pl.DataFrame, keys: dict[str, str]) -> pl.DataFrame:
    """Columns of a frame with one row a snapshot as values; ``keys`` maps column to key."""
    wide = frame.select("sid", *[pl.col(column).cast(pl.Float64).alias(key) for column, key in keys.items()])
    return long(wide.unpivot(index="sid", variable_name="key", value_name="value"))


def lower_median(items: pl.Expr) -> pl.Expr:
    """Of a list column: the middle item, the lower of two."""
    return items.list.sort().list.get((items.list.len().cast(pl.Int64) - 1) // 2, null_on_oob=True)
