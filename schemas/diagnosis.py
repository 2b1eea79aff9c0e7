"""Why a value failed validation, as a stable reason and a sentence without a value of the event in it.

Pydantic's own messages echo the input, which is personal data: only error types, declared field names and limits of ours are
used here, never its text.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from schemas.events.envelope import FieldError
from schemas.rejection import Reason, Rejected

_TOO_MANY_DECIMALS: Final = re.compile(r"-?(0|[1-9][0-9]{0,14})\.[0-9]{5,}")
_PLACE: Final = re.compile(r"at line ([0-9]+) column ([0-9]+)$")
_BRACKETS: Final = re.compile(rb'"(?:[^"\\]|\\.)*"?|[\[\]{}]', re.DOTALL)
_AMOUNTS: Final = frozenset({"amount", "balance_after", "cost"})

_REASONS: Final[dict[str, tuple[Reason, str]]] = {
    "missing": ("missing_field", "is required"),
    "literal_error": ("unknown_value", "holds none of the values of its list"),
    "timezone_aware": ("naive_time", "has no time zone"),
    "string_too_short": ("bad_format", "is too short"),
    "string_too_long": ("bad_format", "is too long"),
    "string_pattern_mismatch": ("bad_format", "does not match its pattern"),
    "greater_than_equal": ("bad_format", "is below its lower limit"),
    "less_than_equal": ("bad_format", "is above its upper limit"),
    "less_than": ("bad_format", "is above its upper limit"),
    "finite_number": ("bad_format", "is not a finite number"),
    "int_from_float": ("wrong_type", "is not a whole number"),
    "model_type": ("wrong_type", "is not a JSON object"),
}


def diagnose(model: type[BaseModel], value: bytes, failure: ValidationError) -> Rejected:
    """The rejection of a value that ``model`` refused, by its first error."""
    errors = failure.errors(include_url=False)
    first = errors[0]
    if first["type"] == "json_invalid":
        return _unreadable(value, first)
    path = _declared_path(model, first["loc"])
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    if first["type"] == "value_error":
        return _contradiction(first)
    reason, sentence = _classify(path, first)
    return Rejected("validate", reason, f"{path or 'the value'} {sentence}{more}", path)


def _unreadable(value: bytes, error: ErrorDetails) -> Rejected:
    try:
        value.decode()
    except UnicodeDecodeError as wrong:
        return Rejected("decode", "not_utf8", f"value is not UTF-8 at byte {wrong.start}")
    place = _PLACE.search(str(error.get("ctx", {}).get("error", "")))
    where = f" at line {place[1]} column {place[2]}" if place else ""
    return Rejected("decode", "not_json", f"value is not JSON{where}")


def _contradiction(error: ErrorDetails) -> Rejected:
    wrong = error.get("ctx", {}).get("error")
    if isinstance(wrong, FieldError) and wrong.code in get_args(Reason):
        return Rejected("validate", wrong.code, str(wrong), wrong.field)  # type: ignore[arg-type]  # narrowed by the line above
    return Rejected("validate", "inconsistent", "fields contradict each other")


def _classify(path: str | None, error: ErrorDetails) -> tuple[Reason, str]:
    kind = error["type"]
    if path in _AMOUNTS and kind != "missing":
        if kind == "string_pattern_mismatch" and _TOO_MANY_DECIMALS.fullmatch(error["input"]):
            return "amount_decimals", "has more decimals than any currency"
        return "amount_format", "is not a plain decimal string"
    if path == "currency" and kind == "string_pattern_mismatch":
        return "unknown_currency", "is not a three-letter ISO 4217 code"
    if kind in _REASONS:
        return _REASONS[kind]
    if kind.endswith("_type"):
        return "wrong_type", f"is not of type {_TYPES.get(kind, 'the schema says')}"
    return "bad_format", "is not in its format"


_TYPES: Final = {"string_type": "string", "int_type": "integer", "float_type": "number", "bool_type": "boolean"}


def _declared_path(model: type[BaseModel], location: tuple[int | str, ...]) -> str | None:
    """The dotted path, as far as it names declared fields: the name of an undeclared one could itself be personal data."""
    names: list[str] = []
    fields: Any = model
    for part in location:
        declared = fields.model_fields.get(part) if fields is not None else None
        if declared is None:
            break
        names.append(str(part))
        fields = next((each for each in (declared.annotation, *get_args(declared.annotation)) if hasattr(each, "model_fields")), None)
    return ".".join(names) or None


def depth_within(value: bytes, limit: int) -> bool:
    """Whether objects and lists nest at most ``limit`` deep; brackets inside strings do not count. Linear, without recursion."""
    depth = 0
    for token in _BRACKETS.finditer(value):
        first = value[token.start()]
        if first in b"[{":
            depth += 1
            if depth > limit:
                return False
        elif first in b"]}":
            depth -= 1
    return True


def strict_json(value: bytes) -> bool:
    """Whether a value that pydantic read is JSON to a strict reader too: pydantic's own reads NaN and Infinity."""
    try:
        json.loads(value, parse_constant=_refuse)
    except ValueError:
        return False
    return True


def _refuse(constant: str) -> None:
    raise ValueError(constant)
