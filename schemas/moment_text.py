"""A moment as events spell it, read quickly: ``2026-07-19T09:30:00.123+08:00``."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final

from schemas.events.moments import END, FIRST
from schemas.localtime import Instant, to_instant

_FIRST: Final = to_instant(FIRST)
_END: Final = to_instant(END)
#: A moment in four parts, each with few values: 2026-07-19 | T09:30 | :00 | .123+08:00
_MINUTES: Final = {f"T{hour:02}:{minute:02}": (hour * 60 + minute) * 60_000 for hour in range(24) for minute in range(60)}
_SECONDS: Final = {f":{second:02}": second * 1000 for second in range(60)}
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_REST: Final = re.compile(r"(?:\.[0-9]{1,9})?(?:Z|[+-](?:0[0-9]|1[0-4]):[0-5][0-9])")
_REMEMBERED: Final = 20_000
_midnights: dict[str, Instant] = {}
_rests: dict[str, int] = {}


def instant_of(text: str) -> Instant | None:
    """The instant of a moment as events spell it, microseconds cut off; None if it is none, or outside the years that events may have."""
    date, rest = text[:10], text[19:]
    midnight, minutes, seconds, shift = _midnights.get(date), _MINUTES.get(text[10:16]), _SECONDS.get(text[16:19]), _rests.get(rest)
    if minutes is None or seconds is None:
        return None
    if midnight is None:
        midnight = _learn(_midnights, date, _DATE, f"{date}T00:00:00Z")
    if shift is None:
        shift = _learn(_rests, rest, _REST, f"1970-01-01T00:00:00{rest}")
    if midnight is None or shift is None:
        return None
    at = midnight + minutes + seconds + shift
    return at if _FIRST <= at < _END else None


def _learn(memory: dict[str, int], part: str, spelled: re.Pattern[str], moment: str) -> int | None:
    """Read one part of a moment, by a whole one that has it, and remember it."""
    if spelled.fullmatch(part) is None:
        return None
    try:
        value = to_instant(datetime.fromisoformat(moment))
    except ValueError:
        return None
    if len(memory) >= _REMEMBERED:
        memory.clear()
    memory[part] = value
    return value
