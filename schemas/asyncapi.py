"""The AsyncAPI 3 document: topics from the registry, messages from the models, for upstream teams and alert consumers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from schemas.events import MODELS
from schemas.outputs import Alert, Snapshot
from schemas.outputs.dead_letter import PREFIX
from schemas.topics import Topic, load_registry

_BINDING: Final = "0.5.0"
_REF: Final = "#/components/schemas/{model}"
_EXAMPLES: Final = Path(__file__).with_name("examples")
_OUTPUTS: Final[dict[str, type[BaseModel]]] = {"snapshot": Snapshot, "alert": Alert}
_TEXT: Final = {"type": "string"}

_CLOUDEVENTS: Final = {
    "content-type": {"type": "string", "const": "application/json"},
    "ce_specversion": {"type": "string", "const": "1.0"},
    "ce_id": {"type": "string", "description": "The event's event_id"},
    "ce_source": {"type": "string", "format": "uri-reference", "description": "The event's source"},
    "ce_type": {"type": "string", "description": "fenghuo.<kind>.v<schema_version>"},
    "ce_time": {"type": "string", "format": "date-time", "description": "The event's occurred_at"},
    "ce_subject": {"type": "string", "description": "The record's key"},
    "traceparent": {"type": "string", "description": "W3C trace context"},
}
_SET_ASIDE: Final = {PREFIX + leaf: _TEXT for leaf in ("topic", "partition", "offset", "stage", "reason", "message", "field", "exception.class.name")}


def asyncapi() -> dict[str, Any]:
    """The document for the default namespace. Internal topics are no contract and are left out."""
    topics = [topic for topic in load_registry().topics if topic.role != "internal"]
    models: dict[str, type[BaseModel]] = dict(MODELS.items()) | _OUTPUTS
    _, schemas = models_json_schema([(model, "validation") for model in models.values()], ref_template=_REF)
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Fenghuo",
            "version": "1",
            "description": "Events of a bank in, running customer metrics and explained warnings out.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "servers": {"local": {"host": "127.0.0.1:9092", "protocol": "kafka", "description": "The embedded broker of make demo"}},
        "channels": {topic.short: _channel(topic) for topic in topics},
        "operations": {
            ("receive" if topic.role == "input" else "send") + "-" + topic.short: {
                "action": "receive" if topic.role == "input" else "send",
                "channel": {"$ref": f"#/channels/{topic.short}"},
                "summary": topic.description,
            }
            for topic in topics
        },
        "components": {
            "messages": {_message_name(topic): _message(topic, models) for topic in topics},
            "schemas": schemas["$defs"],
        },
    }


def _channel(topic: Topic) -> dict[str, Any]:
    name = _message_name(topic)
    return {
        "address": topic.name,
        "description": topic.description,
        "messages": {name: {"$ref": f"#/components/messages/{name}"}},
        "bindings": {
            "kafka": {
                "topic": topic.name,
                "partitions": topic.partitions,
                "replicas": topic.replication,
                "topicConfiguration": {key: _configured(key, value) for key, value in sorted(topic.config.items())},
                "bindingVersion": _BINDING,
            }
        },
    }


def _message_name(topic: Topic) -> str:
    return topic.value if topic.value in MODELS or topic.value in _OUTPUTS else topic.short


def _message(topic: Topic, models: dict[str, type[BaseModel]]) -> dict[str, Any]:
    model = models.get(topic.value)
    described: dict[str, Any] = {
        "name": _message_name(topic),
        "title": topic.description,
        "bindings": {"kafka": {"key": {"type": "string", "description": topic.key}, "bindingVersion": _BINDING}},
    }
    if topic.role == "input":
        described["headers"] = {"type": "object", "properties": _CLOUDEVENTS}
    if topic.value == "as received":
        described["headers"] = {"type": "object", "properties": _SET_ASIDE, "required": [PREFIX + "reason"]}
    if model is None:
        described["contentType"] = "application/x-ndjson" if topic.short == "journal" else "application/octet-stream"
        described["payload"] = _TEXT
    else:
        described["payload"] = {"$ref": _REF.format(model=model.__name__)}
    if topic.kind is not None:
        described["examples"] = [
            {"name": path.stem.removeprefix("valid-"), "payload": json.loads(path.read_text(encoding="utf-8"))}
            for path in sorted((_EXAMPLES / topic.kind).glob("valid-*.json"))
        ][:1]
    return described


def _configured(key: str, value: str) -> Any:
    """As the Kafka binding types it: the policy is a list, numbers are numbers."""
    if key == "cleanup.policy":
        return value.split(",")
    try:
        return int(value)
    except ValueError:
        return float(value) if key.endswith(".ratio") else value
