"""Points in time as they cross the boundary: one spelling, RFC 3339 with a zone, and years in which arithmetic is safe.

Pydantic's own datetime also reads Unix seconds and half a dozen other spellings, which an exported schema cannot state and
another reader of the same bytes (ClickHouse) would read differently or not at all.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated, Any, Final

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

MOMENT_PATTERN: Final = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})$"
#: The zone is left to the datetime's own check, so that its absence is told from a bad spelling.
_SPELLING: Final = MOMENT_PATTERN[:-1] + "?$"
DAY_PATTERN: Final = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"

#: From the first instant to before the last: what every store downstream can hold.
FIRST: Final = datetime(1900, 1, 1, tzinfo=UTC)
END: Final = datetime(2200, 1, 1, tzinfo=UTC)


class _Spelled:
    """Reads one spelling from JSON; in Python takes the object itself."""

    def __init__(self, read: CoreSchema, take: CoreSchema, spelling: str, stated: str, form: str) -> None:
        self._schema = core_schema.json_or_python_schema(
            core_schema.chain_schema([core_schema.str_schema(pattern=spelling, strict=True), read]),
            take,
        )
        self._stated, self._form = stated, form

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return self._schema

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"type": "string", "format": self._form, "pattern": self._stated}


def _moment(strict: bool) -> CoreSchema:
    return core_schema.datetime_schema(strict=strict, tz_constraint="aware", ge=FIRST, lt=END)


def _day(strict: bool) -> CoreSchema:
    return core_schema.date_schema(strict=strict, ge=FIRST.date(), lt=END.date())


#: An instant: ``2026-07-10T09:30:00+08:00``, 1900 to 2199, at most microseconds kept.
Moment = Annotated[datetime, _Spelled(_moment(False), _moment(True), _SPELLING, MOMENT_PATTERN, "date-time")]
#: A calendar day: ``2026-07-10``, 1900 to 2199.
Day = Annotated[date, _Spelled(_day(False), _day(True), DAY_PATTERN, DAY_PATTERN, "date")]
