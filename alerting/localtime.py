"""Local days of a time zone, as numbers: banks count days, the core counts milliseconds, and daylight saving sits between."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_ORDINAL: Final = date(1970, 1, 1).toordinal()
_MILLISECOND: Final = timedelta(milliseconds=1)


def moment(instant: int) -> datetime:
    """Milliseconds since the epoch as an aware datetime in UTC."""
    return EPOCH + timedelta(milliseconds=instant)


def milliseconds(when: datetime) -> int:
    """An aware datetime as milliseconds since the epoch, rounded down."""
    return (when - EPOCH) // _MILLISECOND


def day_number(day: date) -> int:
    """Days since 1970-01-01."""
    return day.toordinal() - _EPOCH_ORDINAL


def as_date(day: int) -> date:
    """The date of a day number."""
    return date.fromordinal(day + _EPOCH_ORDINAL)


class LocalTime:
    """Day numbers (days since 1970-01-01 on the zone's own calendar) and the instants at which they start. Cached: bounded."""

    def __init__(self, zone: ZoneInfo) -> None:
        self.zone = zone
        self.day = lru_cache(maxsize=16_384)(self._day)
        self.midnight = lru_cache(maxsize=16_384)(self._midnight)

    def _day(self, instant: int) -> int:
        """Local day number of an instant in milliseconds."""
        return day_number(moment(instant).astimezone(self.zone).date())

    def _midnight(self, day: int) -> int:
        """Instant at which the local day starts."""
        start = as_date(day)
        return milliseconds(datetime(start.year, start.month, start.day, tzinfo=self.zone).astimezone(UTC))
