"""The files of a policy pack as pydantic models: which keys there are and what shape they have.

What the values mean together (does the metric exist, does the currency fit) is judged when the pack is compiled.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, field_validator

from alerting.document import Document
from alerting.problems import Problem, suggestion
from schemas.outputs.alert import AlertType, Bilingual, Department, Grade

Code = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+([.-][a-z0-9]+)*$", max_length=80)]
CurrencyCode = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
Filled = Annotated[str, StringConstraints(min_length=1)]
F = TypeVar("F", bound=BaseModel)
Conditions = dict[str, Any]
ExpectationName = Literal["salary", "activity", "repayment", "answer"]


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", populate_by_name=False)


class RaiseSection(_File):
    absent: ExpectationName | None = None
    patience: Annotated[str | None, Field(alias="for")] = None
    provided: Conditions = {}
    when: Conditions = {}


class ReasonSection(_File):
    zh: Filled
    en: Filled
    code: Code | None = None
    weight: Annotated[int, Field(ge=0, le=100)] = 60
    metric: str | None = None
    baseline: str | None = None


class IndicatorSection(_File):
    code: Code
    holds: Annotated[Conditions, Field(alias="if", min_length=1)]
    weight: Annotated[int, Field(ge=0, le=100)]
    kind: Literal["quantitative", "qualitative"] = "quantitative"
    baseline: str | None = None
    zh: Filled
    en: Filled


class SeveritySection(_File):
    grade: Grade
    holds: Annotated[Conditions, Field(alias="if")] = {}


class ClearSection(_File):
    on: ExpectationName | None = None
    when: Conditions = {}
    says: Bilingual | None = None
    postponed: Bilingual | None = None


class RuleFile(_File):
    rule: Code
    version: Annotated[int, Field(ge=1)]
    effective: date
    cite: Filled
    note: str | None = None
    type: AlertType | None = None
    title: Bilingual
    raise_: Annotated[RaiseSection, Field(alias="raise")]
    reason: ReasonSection
    indicators: list[IndicatorSection] = []
    severity: Annotated[list[SeveritySection], Field(min_length=1)]
    at_stake: str
    do: Code
    owner: Department
    clear: list[ClearSection] | None = None
    cooldown: str = "7 d"
    expires: str = "30 d"

    @field_validator("clear", mode="before")
    @classmethod
    def _one_or_more(cls, value: Any) -> Any:
        """One way to clear needs no list; ``never`` is an empty one."""
        if value == "never":
            return []
        return [value] if isinstance(value, dict) else value


class PackFile(_File):
    name: Code
    version: Filled
    timezone: str
    currency: CurrencyCode
    disorder: str
    lateness: str
    snapshot_every: str
    snapshot_within: str = "0 s"
    far_future: str
    extends: str | None = None
    inherited_effective: date | None = None
    without: list[Code] = []


class RateLine(_File):
    currency: CurrencyCode
    effective: date
    rate: str


class RatesFile(_File):
    cite: Filled
    note: str | None = None
    rates: list[RateLine]


class ClockLine(_File):
    effective: date
    cite: Filled
    note: str | None = None
    ordinary: str
    complex: str
    extension: str
    calendar: Literal["natural", "working"] = "natural"
    count_from: Literal["same-day", "next-day"] = "next-day"
    holidays: list[date] = []
    workdays: list[date] = []


class ComplaintClockFile(_File):
    versions: Annotated[list[ClockLine], Field(min_length=1)]


class LargeValueFile(_File):
    cite: Filled
    note: str | None = None
    effective: date
    cash_limit: str
    near_share: str


class ActionLine(_File):
    code: Code
    do: Bilingual
    do_not: Bilingual | None = None


class ActionsFile(_File):
    note: str | None = None
    offers_barred: Bilingual
    actions: list[ActionLine]


def shape(model: type[F], document: Document, problems: list[Problem]) -> F | None:
    """The document as its model; None, with the problems noted, where it does not fit."""
    try:
        return model.model_validate(document.data)
    except ValidationError as error:
        for detail in error.errors():
            path = detail["loc"]
            name = str(path[-1]) if path else ""
            if detail["type"] == "missing":
                problems.append(document.problem(path[:-1], f"{name} is missing", f"add `{name}:`"))
            elif detail["type"] == "extra_forbidden":
                problems.append(document.problem(path, f"{name} is not a key here", suggestion(name, _keys(model, path[:-1]))))
            elif detail["type"] == "literal_error":
                problems.append(document.problem(path, f"{name} has an unknown value", f"choose {detail['ctx']['expected']}"))
            else:
                problems.append(document.problem(path, f"{name}: {detail['msg'].lower()}", "see docs/rules.md for what may stand here"))
        return None


def _keys(model: type[BaseModel], path: tuple[int | str, ...]) -> list[str]:
    """Keys allowed where ``path`` leads."""
    for step in path:
        if isinstance(step, int):
            continue
        for name, field in model.model_fields.items():
            if step == (field.alias or name):
                inner = _model_in(field.annotation)
                model = inner or model
                break
    return [field.alias or name for name, field in model.model_fields.items()]


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in getattr(annotation, "__args__", ()):
        found = _model_in(argument)
        if found:
            return found
    return None
