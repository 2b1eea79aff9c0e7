"""Figures of several rounds: a median with its range, as text for people and as JSON for programs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any


@dataclass(frozen=True)
class Spread:
    """The middle of several measurements and how far apart they lie."""

    middle: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Raises StatisticsError for no values."""
        return cls(median(values), min(values), max(values))

    def as_json(self, digits: int = 3) -> dict[str, float]:
        return {"median": round(self.middle, digits), "low": round(self.low, digits), "high": round(self.high, digits)}


@dataclass(frozen=True)
class Run:
    """One measured stretch of one process: how much it did in which time, and what that cost it."""

    events: int
    seconds: float
    cpu_seconds: float
    peak_bytes: int

    @property
    def rate(self) -> float:
        """Events per second of wall time."""
        return self.events / self.seconds

    @property
    def cpu_per_event(self) -> float:
        """Microseconds of CPU per event, all threads of the process; equally, CPU seconds per million events."""
        return self.cpu_seconds * 1e6 / self.events


@dataclass(frozen=True)
class Rounds:
    """The same measured several times."""

    runs: Sequence[Run]

    @property
    def rate(self) -> Spread:
        return Spread.of([run.rate for run in self.runs])

    @property
    def cpu(self) -> Spread:
        return Spread.of([run.cpu_per_event for run in self.runs])

    @property
    def peak_mib(self) -> Spread:
        return Spread.of([run.peak_bytes / (1 << 20) for run in self.runs])

    def as_json(self) -> dict[str, Any]:
        return {
            "rounds": len(self.runs),
            "events_measured": [run.events for run in self.runs],
            "events_per_second": self.rate.as_json(0),
            "cpu_seconds_per_million_events": self.cpu.as_json(2),
            "peak_mib": self.peak_mib.as_json(0),
        }


HEADINGS = ["events/s", "CPU s per million events", "peak MiB"]


def cells(figures: dict[str, Any]) -> list[str]:
    """What stands under ``HEADINGS`` for the figures of some rounds."""
    rate, cpu, peak = (figures[name] for name in ("events_per_second", "cpu_seconds_per_million_events", "peak_mib"))
    return [_text(rate, 0), _text(cpu, 1), _text(peak, 0)]


def _text(spread: dict[str, float], digits: int) -> str:
    """``71,300 (68,900-72,400)``; the middle alone where there is no range."""
    middle, low, high = (f"{spread[name]:,.{digits}f}" for name in ("median", "low", "high"))
    return middle if low == high else f"{middle} ({low}-{high})"


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table, columns lined up: readable in a terminal and to be pasted into docs/performance.md."""
    widths = [max(len(row[column]) for row in [headings, *rows]) for column in range(len(headings))]
    lines = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in [headings, *rows]]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)
