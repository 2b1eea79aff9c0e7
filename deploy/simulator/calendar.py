"""The bank's own calendar: day numbers from its first day, and their text in events. The zone is +08:00 all year."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

ZONE: Final = "+08:00"
DAY: Final = 86_400
_MINUTES: Final = tuple(f"T{minute // 60:02d}:{minute % 60:02d}" for minute in range(1440))
_SECONDS: Final = tuple(f":{second:02d}{ZONE}" for second in range(60))

#: How a person's day is lived: the second of day by which each 24th of its activity has happened.
_HOURS: Final = (6.5, 7.6, 8.2, 8.8, 9.3, 9.8, 10.3, 10.8, 11.3, 11.8, 12.2, 12.7, 13.3, 14, 14.6, 15.2, 15.8, 16.5, 17.3, 18, 18.8, 19.6, 20.5, 21.6, 23.5)
_RHYTHM: Final = tuple(int(hour * 3600) for hour in _HOURS)


class Calendar:
    """Day 0 is the first simulated day."""

    def __init__(self, start: date) -> None:
        self.start = start

    def date(self, day: int) -> date:
        """The date of a day number."""
        return self.start + timedelta(days=day)

    def stamp(self, day: int, second: int) -> str:
        """RFC 3339 text of a second of a day."""
        return f"{self.date(day).isoformat()}{_MINUTES[second // 60]}{_SECONDS[second % 60]}"

    def day_of(self, year: int, month: int, day: int) -> int:
        """Day number of a date; months run on past 12, a day past the month's end is its last."""
        year, month = year + (month - 1) // 12, (month - 1) % 12 + 1
        last = (date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)).day
        return (date(year, month, min(day, last)) - self.start).days

    def weekend(self, day: int) -> bool:
        """Whether the day is a Saturday or Sunday."""
        return self.date(day).weekday() >= 5


def clock_text(second: int) -> str:
    """``T10:31:05+08:00``: the part of an event's time behind the date."""
    return _MINUTES[second // 60] + _SECONDS[second % 60]


def lived_second(fraction: float) -> int:
    """The second of day at which a fraction (0 to 1) of a day's activity has happened; rises with the fraction."""
    step, rest = divmod(fraction * 24, 1)
    at = int(step)
    return int(_RHYTHM[at] + rest * (_RHYTHM[at + 1] - _RHYTHM[at]))
