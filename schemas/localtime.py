"""Instants and local days: windows, deadlines and silence are counted in the bank's own days, instants in UTC milliseconds."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

Instant = int  # milliseconds since 1970-01-01T00:00:00Z
Day = int  # local days since 1970-01-01

DAY_MS = 86_400_000
_QUARTER_MS = 900_000
_WHOLE_QUARTERS_SINCE = 63_072_000_000  # 1972: from then on every zone's offset is a whole number of quarter hours
_EPOCH = date(1970, 1, 1)
_EPOCH_UTC = datetime(1970, 1, 1, tzinfo=UTC)


def to_instant(moment: datetime) -> Instant:
    """The instant of an aware datetime, microseconds cut off."""
    delta = moment - _EPOCH_UTC
    return delta.days * DAY_MS + delta.seconds * 1000 + delta.microseconds // 1000


def to_datetime(instant: Instant) -> datetime:
    """The aware UTC datetime of an instant."""
    return _EPOCH_UTC + timedelta(milliseconds=instant)


def to_date(day: Day) -> date:
    """The calendar date of a local day number."""
    return _EPOCH + timedelta(days=day)


def to_day(value: date) -> Day:
    """The local day number of a calendar date."""
    return (value - _EPOCH).days


class Calendar:
    """Local days of one time zone."""

    def __init__(self, zone: ZoneInfo) -> None:
        self.zone = zone
        self._days: dict[int, Day] = {}
        self._starts: dict[Day, Instant] = {}

    def day(self, instant: Instant) -> Day:
        """The local day on which an instant lies."""
        # One look-up an event: a quarter hour never straddles a local midnight, so its day is remembered.
        quarter = instant // _QUARTER_MS
        day = self._days.get(quarter)
        if day is None:
            day = to_day(to_datetime(instant).astimezone(self.zone).date())
            if instant >= _WHOLE_QUARTERS_SINCE:
                if len(self._days) > 50_000:
                    self._days.clear()
                self._days[quarter] = day
        return day

    def start(self, day: Day) -> Instant:
        """The instant at which a local day begins."""
        start = self._starts.get(day)
        if start is None:
            if len(self._starts) > 50_000:
                self._starts.clear()
            midnight = datetime.combine(to_date(day), datetime.min.time(), self.zone)
            start = self._starts[day] = to_instant(midnight.astimezone(UTC))
        return start
