"""Computes the ``satisfaction.*`` metrics. CSAT scores are held exactly, as points above their scale's minimum, apart for each span of a scale."""

from __future__ import annotations

from math import lcm

from schemas.events.interactions import Interaction
from schemas.localtime import Day
from schemas.metrics.satisfaction import WINDOWS
from schemas.quick import QuickInteraction
from streams.metrics.windows import History, Windows


class Satisfaction:
    """One customer's survey answers by day."""

    __slots__ = ("windows",)

    def __init__(self, history: History, today: Day) -> None:
        self.windows = Windows(history, WINDOWS, today)

    def answered(self, event: Interaction | QuickInteraction, day: Day) -> None:
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
        sums = list(self._csat(WINDOWS.index(days)).values())
        return sum(n for n, _ in sums), _mean(sums)

    def csat_by_dimension(self, days: int) -> dict[str, float]:
        means = {dimension: _mean([sums]) for dimension, sums in sorted(self._csat(WINDOWS.index(days)).items())}
        return {dimension: mean for dimension, mean in means.items() if mean is not None}

    def _csat(self, window: int) -> dict[str, tuple[int, dict[int, int]]]:
        """By dimension: number of answers and, by the span of their scale, the sum of their places on it."""
        sums: dict[str, tuple[int, dict[int, int]]] = {}
        for number, text in enumerate(self.windows.labels):
            count = self.windows.counts[number][window]
            if count and text.startswith("csat|"):
                _, dimension, span = text.split("|")
                n, places = sums.get(dimension, (0, {}))
                places[int(span)] = self.windows.totals[number][window]
                sums[dimension] = n + count, places
        return sums

    def nps(self, days: int) -> tuple[int, float | None]:
        """Number of answers and the net promoter score."""
        window = WINDOWS.index(days)
        counts = {text: self.windows.counts[number][window] for number, text in enumerate(self.windows.labels) if text.startswith("nps|")}
        n = sum(counts.values())
        if not n:
            return 0, None
        return n, round(100 * (counts.get("nps|promoter", 0) - counts.get("nps|detractor", 0)) / n, 6)


def _mean(sums: list[tuple[int, dict[int, int]]]) -> float | None:
    """Mean on 1 to 5, exact until the last division: scales of different spans are brought to their common multiple."""
    n = sum(count for count, _ in sums)
    if not n:
        return None
    common = lcm(*(span for _, places in sums for span in places))
    places_sum = sum(total * (common // span) for _, places in sums for span, total in places.items())
    return round((common * n + 4 * places_sum) / (common * n), 6)
