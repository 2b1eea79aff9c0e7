"""Computes the ``satisfaction.*`` metrics. CSAT scores are held exactly, as points above their scale's minimum, apart for each span of a scale."""

from __future__ import annotations

from math import lcm
from typing import Any, Final, NamedTuple

from schemas.events.interactions import Interaction
from schemas.localtime import Day
from schemas.metrics import DICTIONARY
from schemas.metrics.satisfaction import WINDOWS
from schemas.quick import QuickInteraction
from streams.metrics.windows import History, Windows

#: By dimension: number of answers and, by the span of their scale, the sum of their places on it.
_Sums = dict[str, tuple[int, dict[int, int]]]


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
        """Whether any answer is in a window."""
        return any(self.windows.counts[-1])

    def fill(self, metrics: dict[str, Any]) -> None:
        """Put every ``satisfaction.*`` key into a snapshot; without an answer in a window, none of its. A test holds it and the functions together."""
        for window, keys in enumerate(_KEYS):
            csat = self._csat(window)
            if csat:
                metrics[keys.csat_n], metrics[keys.csat_mean] = _overall(csat)
                if keys.csat_dimension:
                    metrics[keys.csat_dimension] = _by_dimension(csat)
            n, score = self.nps(WINDOWS[window])
            if n:
                metrics[keys.nps_n], metrics[keys.nps] = n, score

    def csat(self, days: int) -> tuple[int, float | None]:
        """Number of answers and their mean on 1 to 5."""
        return _overall(self._csat(WINDOWS.index(days)))

    def csat_by_dimension(self, days: int) -> dict[str, float]:
        return _by_dimension(self._csat(WINDOWS.index(days)))

    def _csat(self, window: int) -> _Sums:
        sums: _Sums = {}
        counts, totals = self.windows.counts[window], self.windows.totals[window]
        for text, number in self.windows.layout.groups.items():
            count = counts[number]
            if count and text.startswith("csat|"):
                _, dimension, span = text.split("|")
                n, places = sums.get(dimension, (0, {}))
                places[int(span)] = totals[number]
                sums[dimension] = n + count, places
        return sums

    def nps(self, days: int) -> tuple[int, float | None]:
        """Number of answers and the net promoter score."""
        promoters, passives, detractors = (self.windows.sums(f"nps|{group}", days)[0] for group in ("promoter", "passive", "detractor"))
        n = promoters + passives + detractors
        return n, round(100 * (promoters - detractors) / n, 6) if n else None


def _overall(csat: _Sums) -> tuple[int, float | None]:
    return sum(n for n, _ in csat.values()), _mean(list(csat.values())) if csat else None


def _by_dimension(csat: _Sums) -> dict[str, float]:
    return {dimension: _mean([sums]) for dimension, sums in sorted(csat.items())}


def _mean(sums: list[tuple[int, dict[int, int]]]) -> float:
    """Mean on 1 to 5, exact until the last division: scales of different spans are brought to their common multiple."""
    n = sum(count for count, _ in sums)
    common = lcm(*(span for _, places in sums for span in places))
    places_sum = sum(total * (common // span) for _, places in sums for span, total in places.items())
    return round((common * n + 4 * places_sum) / (common * n), 6)


class _Keys(NamedTuple):
    """Under which keys a window is shown ("": not at all)."""

    csat_n: str
    csat_mean: str
    csat_dimension: str
    nps_n: str
    nps: str


_NAMES: Final = ("satisfaction.csat.n", "satisfaction.csat.mean", "satisfaction.csat.dimension", "satisfaction.nps.n", "satisfaction.nps")
_KEYS: Final = tuple(_Keys(*(f"{name}.{days}d" if days in DICTIONARY[name].windows else "" for name in _NAMES)) for days in WINDOWS)
