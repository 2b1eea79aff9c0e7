"""``contact.*`` from its definitions."""

from __future__ import annotations

import polars as pl

from schemas.metrics.contacts import WINDOWS
from tests.recompute.ground import Ground
from tests.recompute.windows import long, over_windows


def contact(ground: Ground) -> pl.DataFrame:
    """Contacts by kind, waits and abandonment."""
    contacts = ground.seen(ground.interactions.filter(pl.col("kind") != "survey_answer"))
    one, short = pl.lit(1), (30, 90)
    parts = [
        over_windows(contacts, {"contact.count": (one, WINDOWS)}),
        over_windows(contacts, {"contact.kind.count": (one, WINDOWS)}, pl.col("kind")),
        over_windows(contacts.filter(pl.col("outcome") == "abandoned"), {"contact.abandoned.count": (one, short)}),
    ]
    waited = contacts.filter(pl.col("wait_seconds").is_not_null()).with_columns(ms=(pl.col("wait_seconds") * 1000).round(mode="half_to_even"))
    sums = over_windows(waited, {"contact.waited.count": (one, short), "ms": (pl.col("ms"), short)})
    counts = sums.filter(pl.col("key").str.starts_with("contact.waited"))
    parts.append(counts)
    for days in short:
        n = counts.filter((pl.col("key") == f"contact.waited.count.{days}d") & (pl.col("value") > 0)).select("sid", n="value")
        ms = sums.filter(pl.col("key") == f"ms.{days}d").join(n, on="sid")
        parts.append(long(ms.with_columns(value=pl.col("value") / pl.col("n") / 1000, key=pl.lit(f"contact.wait.mean.{days}d"))))
    return pl.concat(parts)
