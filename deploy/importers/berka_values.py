"""How Berka writes dates, births and amounts, and when its instalments fall due."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

from deploy.importers.ledger import BadRow

_ZONE: Final = ZoneInfo("Europe/Prague")
_DUE_DAY: Final = 12  # every repayment of the data set is booked on the 12th


def due_days(granted: date, months: int) -> Iterator[date]:
    """The 12th of each month, beginning with the first one after the loan was granted."""
    index = granted.year * 12 + granted.month - 1 + (granted.day >= _DUE_DAY)
    for ahead in range(months):
        yield date((index + ahead) // 12, (index + ahead) % 12 + 1, _DUE_DAY)


def koruna(halers: int) -> str:
    """``1230`` -> ``"12.30"``."""
    return f"{'-' if halers < 0 else ''}{abs(halers) // 100}.{abs(halers) % 100:02d}"


def midnight(day: date) -> datetime:
    """Local midnight in Prague."""
    return datetime(day.year, day.month, day.day, tzinfo=_ZONE)


def date_of(text: str) -> date:
    """A YYMMDD date of the twentieth century. Raises BadRow."""
    try:
        return date(1900 + int(text[:2]), int(text[2:4]), int(text[4:6]))
    except ValueError:
        raise BadRow("a date is not YYMMDD") from None


def birth_of(number: str) -> tuple[date, str]:
    """Birth date and sex of a birth number YYMMDD, whose month is 50 higher for a woman. Raises BadRow."""
    if len(number) != 6 or not number.isdigit():
        raise BadRow("a birth number is not six digits")
    female = int(number[2:4]) > 50
    return date_of(f"{number[:2]}{int(number[2:4]) - 50 * female:02d}{number[4:]}"), "female" if female else "male"
