"""Computes the ``satisfaction.*`` metrics. CSAT scores are held in millionths of the span of their own scale."""

from __future__ import annotations

from schemas.events.interactions import Interaction
from schemas.metrics.satisfaction import WINDOWS
from streams.calendar import Day
from streams.metrics.windows import History, Windows

_MILLION = 1_000_000


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
            share = (event.score - event.scale_min) * _MILLION // (event.scale_max - event.scale_min)
            self.windows.add(day, f"csat|{event.dimension or 'overall'}", 1, share)

    def __bool__(self) -> bool:
        return bool(self.windows.labels)

    def csat(self, days: int) -> tuple[int, float | None]:
        """Number of answers and their mean on 1 to 5."""
        window = WINDOWS.index(days)
        numbers = [number for number, text in enumerate(self.windows.labels) if text.startswith("csat|")]
        n = sum(self.windows.count(number, window) for number in numbers)
        return n, _mean(sum(self.windows.total(number, window) for number in numbers), n)

    def csat_by_dimension(self, days: int) -> dict[str, float]:
        window = WINDOWS.index(days)
        means = {
            text.removeprefix("csat|"): _mean(self.windows.total(number, window), self.windows.count(number, window))
            for number, text in enumerate(self.windows.labels)
            if text.startswith("csat|")
        }
        return {name: mean for name, mean in sorted(means.items()) if mean is not None}

    def nps(self, days: int) -> tuple[int, float | None]:
        """Number of answers and the net promoter score."""
        window = WINDOWS.index(days)
        counts = {text: self.windows.count(number, window) for number, text in enumerate(self.windows.labels) if text.startswith("nps|")}
        n = sum(counts.values())
        if not n:
            return 0, None
        return n, round(100 * (counts.get("nps|promoter", 0) - counts.get("nps|detractor", 0)) / n, 6)


def _mean(total: int, n: int) -> float | None:
    return round(1 + 4 * total / (n * _MILLION), 6) if n else None
