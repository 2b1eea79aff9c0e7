"""Computes the ``satisfaction.*`` metrics. CSAT scores are held exactly, as points above their scale's minimum, apart for each span of a scale."""

from __future__ import annotations

from fractions import Fraction

from schemas.events.interactions import Interaction
from schemas.localtime import Day
from schemas.metrics.satisfaction import WINDOWS
from streams.metrics.windows import History, Windows


class Satisfaction:
    """One customer's survey answers by day."""

    __slots__ = ("windows",)

    def __init__(self, history: History, today: Day) -> None:
        self.windows = Windows(history, WINDOWS, today)

    def answered(self, event: Interaction, day: Day) -> None:
        """Take one answer to CSAT or NPS; other instruments have no metric yet."""
        assert event.score is not None
        assert event.scale_max is not None
        if event.instrument == "nps":
            group = "promoter" if event.score >= 9 else "detractor" if event.score <= 6 else "passive"
            self.windows.add(day, f"nps|{group}", 1, 0)
        elif event.instrument == "csat":
            self.windows.add(day, f"csat|{event.dimension or 'overall'}|{event.scale_max - event.scale_min}", 1, event.score - event.scale_min)

    def __bool__(self) -> bool:
        return bool(self.windows.labels)

    def csat(self, days: int) -> tuple[int, float | None]:
        """Number of answers and their mean on 1 to 5."""
        sums = list(self._csat(days).values())
        n = sum(count for count, _ in sums)
        return n, _mean(sum((shares for _, shares in sums), Fraction()), n)

    def csat_by_dimension(self, days: int) -> dict[str, float]:
        means = {dimension: _mean(shares, n) for dimension, (n, shares) in sorted(self._csat(days).items())}
        return {dimension: mean for dimension, mean in means.items() if mean is not None}

    def _csat(self, days: int) -> dict[str, tuple[int, Fraction]]:
        """By dimension: number of answers, and the sum of their places on their own scales (0 to 1)."""
        window = WINDOWS.index(days)
        sums: dict[str, tuple[int, Fraction]] = {}
        for number, text in enumerate(self.windows.labels):
            if text.startswith("csat|"):
                _, dimension, span = text.split("|")
                n, shares = sums.get(dimension, (0, Fraction()))
                sums[dimension] = n + self.windows.count(number, window), shares + Fraction(self.windows.total(number, window), int(span))
        return sums

    def nps(self, days: int) -> tuple[int, float | None]:
        """Number of answers and the net promoter score."""
        window = WINDOWS.index(days)
        counts = {text: self.windows.count(number, window) for number, text in enumerate(self.windows.labels) if text.startswith("nps|")}
        n = sum(counts.values())
        if not n:
            return 0, None
        return n, round(100 * (counts.get("nps|promoter", 0) - counts.get("nps|detractor", 0)) / n, 6)


def _mean(shares: Fraction, n: int) -> float | None:
    return round(float(1 + 4 * shares / n), 6) if n else None
