"""Each kind of change to a model, and whether an event written before it can still be read after it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field

from schemas.compatibility import compatible, meaning


class Part(BaseModel):
    id: str
    size: int | None = None


class Old(BaseModel):
    model_config = ConfigDict(extra="allow")

    name: Annotated[str, Field(min_length=1, max_length=10, pattern="^[a-z]+$")]
    step: Literal["a", "b"]
    count: Annotated[int, Field(ge=0, le=10)] = 1
    note: str | None = None
    part: Part | None = None
    tags: list[Literal["x", "y"]] = []
    amounts: dict[str, int] = {}
    anything: Any = None


OLD = Old.model_json_schema()


class NarrowPart(BaseModel):
    id: str
    size: Annotated[int, Field(le=5)] | None = None


class PartWithMore(BaseModel):
    id: str
    size: int | None = None
    colour: str


class WidePart(BaseModel):
    size: int | str | None = None
    colour: str | None = None


def changed(**fields: Any) -> dict[str, Any]:
    """The old schema with annotations of fields changed; ``...`` takes a field out, a pair is (annotation, default)."""
    given = {name: (info.annotation if not info.metadata else Annotated[info.annotation, *info.metadata], info) for name, info in Old.model_fields.items()}
    namespace: dict[str, Any] = {"model_config": ConfigDict(extra="allow"), "__annotations__": {}}
    for name, (annotation, info) in given.items():
        namespace["__annotations__"][name] = annotation
        if not info.is_required():
            namespace[name] = info.default
    for name, change in fields.items():
        if change is ...:
            del namespace["__annotations__"][name]
            namespace.pop(name, None)
            continue
        annotation, *default = change if isinstance(change, tuple) else (change,)
        namespace["__annotations__"][name] = annotation
        if default:
            namespace[name] = default[0]
        elif name not in given or given[name][1].is_required():
            namespace.pop(name, None)
    return type("New", (BaseModel,), namespace).model_json_schema()


def closed(schema: dict[str, Any]) -> dict[str, Any]:
    return schema | {"additionalProperties": False}


COMPATIBLE: dict[str, dict[str, Any]] = {
    "nothing": OLD,
    "an optional field is added": changed(extra=(str | None, None)),
    "a required field becomes optional": changed(name=(Annotated[str, Field(max_length=10, pattern="^[a-z]+$")] | None, None)),
    "a required field is no longer read": changed(name=...),
    "a value is added to a list": changed(step=Literal["a", "b", "c"]),
    "a list of values becomes any text": changed(step=str),
    "a list of values is split over alternatives": changed(step=Literal["b", "c"] | Literal["a"] | int),
    "a type is widened": changed(count=(Annotated[float, Field(ge=0, le=10)], 1)),
    "limits are widened": changed(count=(Annotated[int, Field(ge=-1, le=11)], 1), name=Annotated[str, Field(max_length=11, pattern="^[a-z]+$")]),
    "a pattern is dropped": changed(name=Annotated[str, Field(min_length=1)]),
    "null is accepted too": changed(step=Literal["a", "b"] | None),
    "an object takes more": changed(part=(WidePart | None, None)),
    "entries of a list take more": changed(tags=(list[str], [])),
    "values of a map take more": changed(amounts=(dict[str, int | str], {})),
    "only words for people change": OLD | {"title": "Other", "description": "Better said"},
}

BREAKING: dict[str, tuple[dict[str, Any], str, str]] = {
    "a required field is added": (changed(extra=str), "extra", "is required now"),
    "an optional field becomes required": (changed(note=(str | None,)) | {"required": ["name", "step", "note"]}, "note", "is required now"),
    "a value leaves a list": (changed(step=Literal["a"]), "step", "no longer accepts 'b'"),
    "any text becomes a list": (changed(note=(Literal["x"] | None, None)), "note", "limited to a list"),
    "a type is narrowed": (changed(count=(bool, 1)), "count", "integer is no longer accepted"),
    "null is no longer accepted": (changed(note=(str, None)), "note", "null is no longer accepted"),
    "the upper limit falls": (changed(count=(Annotated[int, Field(ge=0, le=9)], 1)), "count", "upper limit narrowed from 10 to 9"),
    "the lower limit rises": (changed(count=(Annotated[int, Field(ge=1, le=10)], 1)), "count", "lower limit narrowed from 0 to 1"),
    "a limit appears": (changed(note=(Annotated[str, Field(max_length=5)] | None, None)), "note", "longest length narrowed from none to 5"),
    "the longest length falls": (changed(name=Annotated[str, Field(max_length=9, pattern="^[a-z]+$")]), "name", "longest length narrowed from 10 to 9"),
    "a pattern changes": (changed(name=Annotated[str, Field(max_length=10, pattern="^[a-z]*$")]), "name", "pattern changed"),
    "a pattern excludes a listed value": (changed(step=Annotated[str, Field(pattern="^a$")]), "step", "no longer accepts 'b'"),
    "a length excludes a listed value": (changed(step=Annotated[str, Field(min_length=2)]), "step", "no longer accepts 'a'"),
    "a default changes": (changed(count=(Annotated[int, Field(ge=0, le=10)], 2)), "count", "default changed"),
    "a field inside is narrowed": (changed(part=(NarrowPart | None, None)), "part.size", "upper limit narrowed from none to 5"),
    "a field inside is required": (changed(part=(PartWithMore | None, None)), "part.colour", "is required now"),
    "entries of a list are narrowed": (changed(tags=(list[Literal["x"]], [])), "tags[]", "no longer accepts 'y'"),
    "a list gets a limit": (changed(tags=(Annotated[list[Literal["x", "y"]], Field(max_length=2)], [])), "tags", "most entries narrowed"),
    "values of a map are narrowed": (changed(amounts=(dict[str, Annotated[int, Field(ge=0)]], {})), "amounts.*", "lower limit narrowed"),
    "anything becomes something": (changed(anything=(str | None, None)), "anything", "no longer accepted"),
    "unknown fields are refused": (closed(OLD), "document", "unknown fields are refused now"),
    "a field is taken out where unknown ones are refused": (closed(changed(note=...)), "note", "was removed"),
    "a keyword that the check does not know": (OLD | {"not": {"type": "null"}}, "document", "does not know the keyword not"),
}


@pytest.mark.parametrize("new", COMPATIBLE.values(), ids=COMPATIBLE.keys())
def test_old_events_can_be_read_after(new: dict[str, Any]) -> None:
    assert compatible(OLD, new) == []


@pytest.mark.parametrize(("new", "where", "what"), BREAKING.values(), ids=BREAKING.keys())
def test_old_events_could_not_all_be_read_after(new: dict[str, Any], where: str, what: str) -> None:
    findings = compatible(OLD, new)
    assert any(place == where and what in finding for place, finding in findings), findings
    assert {place for place, _ in findings} <= {where, "document"}


def test_a_number_may_not_lose_its_fractions() -> None:
    [(where, what)] = compatible(changed(count=(float, 1)), changed(count=(int, 1)))
    assert (where, what) == ("count", "number is no longer accepted")


def test_a_model_that_holds_itself_is_compared_once() -> None:
    class Tree(BaseModel):
        left: Tree | None = None
        size: int = 0

    schema = Tree.model_json_schema()
    assert compatible(schema, schema) == []


def test_a_schema_means_the_same_in_other_words_but_a_field_may_be_called_title() -> None:
    assert meaning({"title": "A", "properties": {"title": {"description": "x", "type": "string"}}}) == {"properties": {"title": {"type": "string"}}}
