"""Whether every document that an old JSON Schema accepts is accepted by the new one too (backward compatibility).

We replay: an event of three years ago must still mean what it meant. The check knows the part of JSON Schema that pydantic
writes, and says so where it meets anything else, rather than pass it. One thing it lets pass by design: a new optional field may
have had another meaning as an unknown field before.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

Schema = dict[str, Any]
Finding = tuple[str, str]

_NOTES: Final = frozenset({"title", "description", "examples", "$schema", "$id", "$comment", "deprecated"})
_KNOWN: Final = frozenset(
    {"$defs", "$ref", "type", "const", "enum", "anyOf", "default", "format", "pattern", "minLength", "maxLength"}
    | {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "items", "minItems", "maxItems"}
    | {"properties", "required", "additionalProperties"}
)
#: (keyword, whether a larger value is narrower, how a person says it)
_LIMITS: Final = (
    ("minLength", True, "shortest length"),
    ("maxLength", False, "longest length"),
    ("minimum", True, "lower limit"),
    ("exclusiveMinimum", True, "lower limit"),
    ("maximum", False, "upper limit"),
    ("exclusiveMaximum", False, "upper limit"),
    ("minItems", True, "fewest entries"),
    ("maxItems", False, "most entries"),
)


@dataclass(frozen=True, slots=True)
class Break:
    """One thing that a committed version accepted and the models now refuse, or read differently."""

    schema: str
    version: int
    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.schema} v{self.version}: {self.where}: {self.what}"


def compatible(old: Schema, new: Schema) -> list[Finding]:
    """What stands in the way of reading ``old`` documents by ``new``, as (place, finding); nothing where they are compatible."""
    return list(dict.fromkeys(_Comparison(old, new).compare(old, new, "")))


def meaning(schema: Any) -> Any:
    """A schema without what is only said to people, so that a better description is no new version."""
    if isinstance(schema, list):
        return [meaning(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    return {key: meaning_of_fields(value) if key in ("properties", "$defs") else meaning(value) for key, value in schema.items() if key not in _NOTES}


def meaning_of_fields(fields: dict[str, Any]) -> dict[str, Any]:
    """The same for a map from names to schemas, in which a name may be any word."""
    return {name: meaning(schema) for name, schema in fields.items()}


class _Comparison:
    def __init__(self, old_root: Schema, new_root: Schema) -> None:
        self._old_definitions: dict[str, Schema] = old_root.get("$defs", {})
        self._new_definitions: dict[str, Schema] = new_root.get("$defs", {})
        self._under_way: set[tuple[int, int]] = set()

    def compare(self, old: Schema, new: Schema, where: str) -> Iterator[Finding]:
        """Findings at one place and below it."""
        pair = (id(old), id(new))
        if pair not in self._under_way:  # a model that holds itself is compared once
            self._under_way.add(pair)
            yield from self._compare(old, new, where)
            self._under_way.remove(pair)

    def _compare(self, old: Schema, new: Schema, where: str) -> Iterator[Finding]:
        if "default" in old and "default" in new and old["default"] != new["default"]:
            yield where or "document", "the default changed, so that old events without the field mean something else"
        old, new = _resolved(old, self._old_definitions), _resolved(new, self._new_definitions)
        for name in sorted((old.keys() | new.keys()) - _KNOWN - _NOTES):
            yield where or "document", f"the check does not know the keyword {name}"
        accepting = [_resolved(branch, self._new_definitions) for branch in new.get("anyOf", [new])]
        for branch in old.get("anyOf", [old]):
            for alternative in _alternatives(_resolved(branch, self._old_definitions)):
                yield from self._accepted_by_one(alternative, accepting, where)

    def _accepted_by_one(self, old: Schema, accepting: list[Schema], where: str) -> Iterator[Finding]:
        """One old alternative must be accepted by one new one as a whole; else the nearest tells why not."""
        nearest: list[Finding] | None = None
        for new in accepting:
            findings = list(self._against(old, new, where))
            if not findings:
                return
            if _types(old) & _types(new) and (nearest is None or len(findings) < len(nearest)):
                nearest = findings
        yield from nearest or [(where or "document", f"{' or '.join(sorted(_types(old)))} is no longer accepted")]

    def _against(self, old: Schema, new: Schema, where: str) -> Iterator[Finding]:
        place = where or "document"
        lost = _types(old) - _types(new) - ({"integer"} if "number" in _types(new) else set())
        if lost:
            yield place, f"{' or '.join(sorted(lost))} is no longer accepted"
            return
        if "const" in old:
            if not _accepts(new, old["const"]):
                yield place, f"no longer accepts {old['const']!r}"
            return
        if _listed(new) is not None:
            yield place, "is limited to a list of values now"
            return
        yield from _limits(old, new, place)
        if "object" in _types(old):
            yield from self._objects(old, new, where)
        if "items" in new and "array" in _types(old):
            yield from self.compare(old.get("items", {}), new["items"], f"{where}[]")

    def _objects(self, old: Schema, new: Schema, where: str) -> Iterator[Finding]:
        had, has = old.get("properties", {}), new.get("properties", {})
        open_before, open_now = old.get("additionalProperties", True), new.get("additionalProperties", True)
        for name in new.get("required", ()):
            if name not in old.get("required", ()):
                yield _join(where, name), "is required now, and was not before"
        for name, schema in had.items():
            if name in has:
                yield from self.compare(schema, has[name], _join(where, name))
            elif open_now is False:
                yield _join(where, name), "was removed, and unknown fields are refused"
            elif isinstance(open_now, dict):
                yield from self.compare(schema, open_now, _join(where, name))
        if open_now is False and open_before is not False:
            yield where or "document", "unknown fields are refused now"
        elif isinstance(open_now, dict) and open_before is not False:
            yield from self.compare(open_before if isinstance(open_before, dict) else {}, open_now, _join(where, "*"))


def _resolved(schema: Schema, definitions: dict[str, Schema]) -> Schema:
    while "$ref" in schema:
        schema = definitions[schema["$ref"].removeprefix("#/$defs/")] | {key: value for key, value in schema.items() if key not in ("$ref", "default")}
    return schema


_ALL: Final = frozenset({"object", "array", "string", "number", "integer", "boolean", "null"})
_NAMES: Final = {dict: "object", list: "array", str: "string", float: "number", int: "integer", bool: "boolean", type(None): "null"}


def _types(schema: Schema) -> frozenset[str]:
    listed = _listed(schema)
    if listed is not None:
        return frozenset(_NAMES[type(value)] for value in listed)
    if "anyOf" in schema:
        return frozenset().union(*(_types(branch) for branch in schema["anyOf"]))
    stated = schema.get("type")
    return _ALL if stated is None else frozenset({stated} if isinstance(stated, str) else stated)


def _alternatives(schema: Schema) -> list[Schema]:
    """A list of values is as many alternatives: the new schema may accept each in another place."""
    listed = _listed(schema)
    return [schema] if listed is None else [{"const": value} for value in listed]


def _listed(schema: Schema) -> list[Any] | None:
    if "const" in schema:
        return [schema["const"]]
    return schema.get("enum")


def _accepts(new: Schema, value: Any) -> bool:
    listed = _listed(new)
    if listed is not None:
        return value in listed
    size = len(value) if isinstance(value, str) else value
    lower, upper = ("minLength", "maxLength") if isinstance(value, str) else ("minimum", "maximum")
    if isinstance(value, str) and not re.search(new.get("pattern", ""), value):
        return False
    return value is None or bool(new.get(lower, size) <= size <= new.get(upper, size))


def _limits(old: Schema, new: Schema, place: str) -> Iterator[Finding]:
    for keyword, larger_is_narrower, name in _LIMITS:
        before, now = old.get(keyword), new.get(keyword)
        if now is not None and (before is None or (now > before if larger_is_narrower else now < before)):
            yield place, f"{name} narrowed from {'none' if before is None else before} to {now}"
    for keyword in ("pattern", "format"):
        if keyword in new and new[keyword] != old.get(keyword):
            yield place, f"{keyword} changed from {old.get(keyword, 'none')} to {new[keyword]}: it cannot be shown to accept all that it did"


def _join(where: str, name: str) -> str:
    return f"{where}.{name}" if where else name
