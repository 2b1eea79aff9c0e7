"""The tables of ``docs/events.md``, rendered from the models, the registry and the reasons, so that the page cannot lie."""

from __future__ import annotations

from typing import Any, Final

from schemas.events import MODELS, EventKind
from schemas.events.moments import DAY_PATTERN, MOMENT_PATTERN
from schemas.money import AMOUNT_PATTERN
from schemas.rejection import REASONS
from schemas.topics import load_registry

_ENVELOPE: Final = ("event_id", "customer_id", "occurred_at", "source", "schema_version")
_FORMS: Final = {
    MOMENT_PATTERN: "time",
    DAY_PATTERN: "day",
    AMOUNT_PATTERN: "amount",
    "^[A-Z]{3}$": "currency",
    "^[A-Z]{2}$": "two capital letters (ISO 3166)",
}


def render_fields(kind: EventKind) -> str:
    """The fields that a kind adds to the envelope; for a tick, all of them."""
    schema = MODELS[kind].model_json_schema()
    skipped = () if kind == "tick" else _ENVELOPE
    return _table(schema, schema.get("$defs", {}), skipped)


def render_envelope() -> str:
    """The fields that every kind but the tick shares."""
    schema = MODELS["feedback"].model_json_schema()
    return _table(schema, {}, tuple(schema["properties"].keys() - set(_ENVELOPE)))


def render_reasons() -> str:
    """Every reason code, what it means and what to do."""
    rows = [f"| `{code}` | {meaning} | {remedy} |" for code, (meaning, remedy) in REASONS.items()]
    return "\n".join(["| reason | what is wrong | what to do |", "|---|---|---|", *rows])


def render_topics() -> str:
    """Every topic of the default namespace."""
    rows = [
        f"| `{topic.name}` | {topic.role} | {topic.key} | {topic.value} | {_kept(topic.config)} | {topic.description} |" for topic in load_registry().topics
    ]
    return "\n".join(["| topic | role | key | value | kept | holds |", "|---|---|---|---|---|---|", *rows])


def _kept(config: Any) -> str:
    if config["cleanup.policy"] == "compact":
        return "latest per key"
    milliseconds = int(config["retention.ms"])
    return "for ever" if milliseconds < 0 else f"{milliseconds // 86_400_000} days"


def _table(schema: dict[str, Any], definitions: dict[str, Any], skipped: tuple[str, ...]) -> str:
    rows = [_row(name, field, name in schema.get("required", ()), definitions) for name, field in schema["properties"].items() if name not in skipped]
    return "\n".join(["| field | form | if absent |", "|---|---|---|", *rows])


def _row(name: str, field: dict[str, Any], required: bool, definitions: dict[str, Any]) -> str:
    default = field.get("default")
    absent = "**refused**" if required else "-" if default is None else f"`{default}`"
    return f"| `{name}` | {_form(field, definitions)} | {absent} |"


def _form(field: dict[str, Any], definitions: dict[str, Any]) -> str:
    if "anyOf" in field:
        return " or ".join(_form(branch, definitions) for branch in field["anyOf"] if branch.get("type") != "null")
    if "$ref" in field:
        inner = definitions[field["$ref"].rpartition("/")[2]]
        inside = [f"`{name}`{'' if name in inner.get('required', ()) else '?'} {_form(each, definitions)}" for name, each in inner["properties"].items()]
        return "object: " + ", ".join(inside)
    if "enum" in field:
        return " · ".join(f"`{value}`" for value in field["enum"])
    if field.get("pattern") in _FORMS:
        return _FORMS[field["pattern"]]
    if field["type"] == "string":
        return f"text, {field.get('minLength', 0)} to {field['maxLength']} characters"
    if field["type"] in ("integer", "number"):
        return f"{'whole number' if field['type'] == 'integer' else 'number'}, {field['minimum']} to {field['maximum']}"
    return str(field["type"])
