"""ClickHouse columns derived from what is already declared: pydantic models and the metric dictionary. Nothing is written twice.

Optional numbers, amounts, truths, days and instants are Nullable; an optional text that is not stated is the empty string.
A nested model is a named Tuple, a list an Array. Money keeps its decimals: an event's amount in its own currency is a
Decimal(19, 4), a metric's is a whole number of minor units (the views show it as a Decimal).
"""

from __future__ import annotations

import types
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

from annotated_types import Ge
from pydantic import AwareDatetime, BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from schemas.metrics import DICTIONARY, Metric, Subject, Unit
from schemas.money import AMOUNT_PATTERN

INSTANT: Final = "DateTime64(3, 'UTC')"
MONEY: Final = "Decimal(19, 4)"
_CURRENCY_PATTERN: Final = r"^[A-Z]{3}$"
#: Names whose values repeat often enough for a dictionary to pay.
_FEW: Final = frozenset({"source", "outlet_id", "pack", "pack_version", "rule", "owner", "category", "country"})


@dataclass(frozen=True, slots=True)
class Column:
    """One column as it should be. ``default`` is a SQL expression; ``given`` says that an insert names the column."""

    name: str
    type: str
    default: str = ""
    codec: str = ""
    comment: str = ""
    given: bool = True

    def definition(self) -> str:
        """As it stands in CREATE TABLE and ALTER TABLE."""
        parts = [f"`{self.name}`", self.type]
        if self.default:
            parts += ["DEFAULT", self.default]
        if self.comment:
            parts += ["COMMENT", literal(self.comment)]
        if self.codec:
            parts.append(f"CODEC({self.codec})")
        return " ".join(parts)


def literal(text: str) -> str:
    """A SQL string literal."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def model_columns(model: type[BaseModel]) -> tuple[Column, ...]:
    """A column for every field of a model, in order."""
    return tuple(Column(name, _field_type(name, field), _default(field)) for name, field in model.model_fields.items())


def metric_column(key: str) -> str:
    """``flow.out.amount.30d`` -> ``flow_out_amount_30d``: the column of a snapshot key."""
    return key.replace(".", "_")


def metric_columns() -> tuple[Column, ...]:
    """A column for every snapshot key of a customer metric, with the dictionary's words as its comment."""
    return tuple(
        Column(metric_column(key), _metric_type(metric), comment=_metric_comment(metric, days))
        for metric in DICTIONARY.values()
        if metric.subject is Subject.CUSTOMER
        for key, days in zip(metric.snapshot_keys(), metric.windows or (None,), strict=True)
    )


def _metric_comment(metric: Metric, days: int | None) -> str:
    window = "" if days is None else f" ({days} d)"
    return f"{metric.zh}{window} · {metric.en}{window}: {metric.definition}. Unit: {metric.unit.value}. Source: {metric.source}"


def _metric_type(metric: Metric) -> str:
    if metric.by is not None:
        return f"Map(String, {'Int64' if metric.whole else 'Float64'})"
    if metric.unit is Unit.COUNT or (metric.unit is Unit.MONEY and metric.windows):
        return "Int64"  # a snapshot leaves zeros out
    if metric.unit is Unit.MONEY:
        return "Nullable(Int64)"
    if metric.unit is Unit.INSTANT:
        return f"Nullable({INSTANT})"
    return "Nullable(Int32)" if metric.whole else "Nullable(Float64)"


def _default(field: FieldInfo) -> str:
    value = field.default
    if value is PydanticUndefined or value is None:
        return ""
    return literal(value) if isinstance(value, str) else str(int(value))


def _field_type(name: str, field: FieldInfo) -> str:
    annotation: Any = Annotated[(field.annotation, *field.metadata)] if field.metadata else field.annotation
    return _type(name, annotation)


def _type(name: str, annotation: Any, optional: bool = False, constraints: tuple[Any, ...] = ()) -> str:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _type(name, arguments[0], optional, constraints + arguments[1:])
    if origin in (Union, types.UnionType):
        some = [argument for argument in arguments if argument is not type(None)]
        if len(some) > 1 and any(get_origin(argument) is not Literal for argument in some):
            return "Nullable(String)" if type(None) in arguments else "String"  # a quantity: whole, real or text
        return _type(name, some[0], optional or len(some) < len(arguments), constraints)
    if origin is Literal:
        return "LowCardinality(String)"
    if origin is list:
        return f"Array({_type(name, arguments[0])})"
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        inner = ", ".join(f"{key} {_field_type(key, field)}" for key, field in annotation.model_fields.items())
        return f"Tuple({inner})"
    if annotation is str:
        pattern = next((found for item in constraints if (found := getattr(item, "pattern", None)) is not None), None)
        if pattern == AMOUNT_PATTERN:
            return f"Nullable({MONEY})" if optional else MONEY
        return "LowCardinality(String)" if name in _FEW or pattern == _CURRENCY_PATTERN else "String"
    plain = _PLAIN.get(annotation)
    if plain is None:
        raise TypeError(f"no ClickHouse type for field {name} of {annotation!r}: add it to sinks/columns.py")
    if annotation is int and any(isinstance(item, Ge) and int(item.ge) >= 0 for item in _flat(constraints)):  # type: ignore[call-overload]
        plain = "UInt64" if name in ("position", "offset", "revision", "occurrences") else "UInt32"
    return f"Nullable({plain})" if optional else plain


_PLAIN: Final[dict[Any, str]] = {bool: "Bool", int: "Int64", float: "Float64", datetime: INSTANT, AwareDatetime: INSTANT, date: "Date32"}


def _flat(constraints: tuple[Any, ...]) -> list[Any]:
    """Constraints, with those that a ``Field(...)`` inside an annotation holds."""
    return [inner for item in constraints for inner in (item.metadata if isinstance(item, FieldInfo) else (item,))]
