"""``satisfaction.*`` from its definitions."""

from __future__ import annotations

import polars as pl

from schemas.metrics.satisfaction import WINDOWS
from tests.recompute.ground import Ground
from tests.recompute.windows import long, over_windows


def satisfaction(ground: Ground) -> pl.DataFrame:
    """CSAT and NPS with their n."""
    answers = ground.seen(ground.interactions.filter(pl.col("kind") == "survey_answer"))
    csat, nps = answers.filter(pl.col("instrument") == "csat"), answers.filter(pl.col("instrument") == "nps")
    on_five = 1 + 4 * (pl.col("score") - pl.col("scale_min")) / (pl.col("scale_max") - pl.col("scale_min"))
    side = pl.when(pl.col("score") >= 9).then(100).when(pl.col("score") <= 6).then(-100).otherwise(0)
    one = pl.lit(1)
    sums = over_windows(csat, {"satisfaction.csat.n": (one, WINDOWS), "satisfaction.csat.mean": (on_five, WINDOWS)})
    parts = [_mean(sums, "satisfaction.csat.mean", "satisfaction.csat.n", WINDOWS), _only(sums, "satisfaction.csat.n")]
    by = over_windows(csat, {"n": (one, (365,)), "satisfaction.csat.dimension": (on_five, (365,))}, pl.col("dimension").fill_null("overall"))
    parts.append(_mean(by, "satisfaction.csat.dimension", "n", (365,)))
    sums = over_windows(nps, {"satisfaction.nps.n": (one, WINDOWS), "satisfaction.nps": (side, WINDOWS)})
    parts += [_mean(sums, "satisfaction.nps", "satisfaction.nps.n", WINDOWS), _only(sums, "satisfaction.nps.n")]
    return pl.concat(parts)


def _only(sums: pl.DataFrame, name: str) -> pl.DataFrame:
    return sums.filter(pl.col("key").str.starts_with(name + "."))


def _mean(sums: pl.DataFrame, total: str, count: str, windows: tuple[int, ...]) -> pl.DataFrame:
    """Totals divided by the counts of the same window; none without one."""
    parts = []
    for days in windows:
        above = sums.filter(pl.col("key") == f"{total}.{days}d")
        below = sums.filter((pl.col("key") == f"{count}.{days}d") & (pl.col("value") > 0)).select("sid", "label", n="value")
        parts.append(long(above.join(below, on=["sid", "label"]).with_columns(value=pl.col("value") / pl.col("n"))))
    return pl.concat(parts)
