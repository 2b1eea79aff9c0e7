"""The regulator's clock for complaints: limits by class and extension, by the policy in force on the day a case came in."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import Literal

from schemas.localtime import to_date


@dataclass(frozen=True, slots=True)
class ClockVersion:
    """One version of the policy. Limits are in days of ``calendar``; the day of receipt counts when ``count_from`` is same-day.

    ``holidays`` are weekdays that do not count and ``workdays`` weekend days that do, as day numbers (working calendar only).
    """

    effective: int
    ordinary: int
    complex: int
    extension: int
    calendar: Literal["natural", "working"]
    count_from: Literal["same-day", "next-day"]
    cite: str
    holidays: frozenset[int] = frozenset()
    workdays: frozenset[int] = frozenset()

    def works(self, day: int) -> bool:
        """Whether the day counts in the working calendar."""
        return day in self.workdays or (to_date(day).weekday() < 5 and day not in self.holidays)

    def due_day(self, started_day: int, limit: int) -> int:
        """The day after the last allowed one."""
        first = started_day if self.count_from == "same-day" else started_day + 1
        if self.calendar == "natural":
            return first + limit
        day = first
        while True:
            limit -= self.works(day)
            day += 1
            if limit <= 0:
                return day


class ComplaintClock:
    """All versions. A case runs on the version in force on the day its clock started; before the first one, on the first."""

    def __init__(self, versions: tuple[ClockVersion, ...]) -> None:
        self.versions = tuple(sorted(versions, key=lambda version: version.effective))
        self._effective = [version.effective for version in self.versions]

    def version(self, day: int) -> ClockVersion:
        """The version in force on a local day."""
        return self.versions[max(0, bisect_right(self._effective, day) - 1)]

    def due_day(self, started_day: int, complex: bool, extended: bool) -> int:
        """Local day number after the last day allowed for an answer."""
        version = self.version(started_day)
        limit = (version.complex if complex else version.ordinary) + (version.extension if extended else 0)
        return version.due_day(started_day, limit)
