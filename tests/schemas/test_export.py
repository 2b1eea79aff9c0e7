"""The committed contract is what the models say, and no event of any committed version has become unreadable."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from deploy.commands import schema as command
from schemas.asyncapi import asyncapi
from schemas.export import COMMITTED, EXPORTED, breaks, documents, export, history, json_schema, stale
from schemas.topics import load_registry


@pytest.fixture(scope="module")
def app() -> typer.Typer:
    program = typer.Typer()
    command.register(program)
    return program


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A fresh export to spoil."""
    export(tmp_path)
    return tmp_path


def version(folder: Path, name: str, number: int, **properties: Any) -> None:
    """Pretend that a version with other fields had been committed."""
    schema = json_schema(name)
    schema["properties"] = schema["properties"] | properties
    path = folder / "history" / name / f"{number}.json"
    path.write_text(json.dumps(schema), encoding="utf-8")


def test_the_committed_export_is_what_the_models_say() -> None:
    assert stale(COMMITTED) == [], "fenghuo schema export, then commit"


def test_no_committed_version_is_broken() -> None:
    assert list(map(str, breaks(COMMITTED))) == []


def test_every_model_has_a_committed_history_that_ends_with_itself() -> None:
    for name in EXPORTED:
        versions = history(COMMITTED, name)
        assert sorted(versions) == list(range(1, len(versions) + 1))
        assert versions, name


def test_a_fresh_export_is_current_and_a_second_writes_nothing(folder: Path) -> None:
    assert stale(folder) == []
    assert export(folder) == []
    assert {path.name for path in folder.glob("*.json")} == {f"{name}.json" for name in EXPORTED} | {"asyncapi.json"}


def test_a_new_meaning_is_a_new_version_and_better_words_are_none(folder: Path) -> None:
    version(folder, "tick", 1, partition={"type": "integer", "minimum": 0, "maximum": 100})
    described = json_schema("complaint") | {"description": "Older words"}
    (folder / "history" / "complaint" / "1.json").write_text(json.dumps(described), encoding="utf-8")
    assert export(folder) == [folder / "history" / "tick" / "2.json"]
    assert sorted(history(folder, "tick")) == [1, 2]


def test_every_old_version_is_compared_not_the_last_alone(folder: Path, app: typer.Typer) -> None:
    version(folder, "tick", 1, partition={"type": "string"})
    version(folder, "tick", 2)
    found = CliRunner().invoke(app, ["schema", "check", "--against", str(folder)])
    assert found.exit_code == 1
    assert "break  tick v1: partition: string is no longer accepted" in found.output
    assert "tick v2" not in found.output


def test_check_names_a_stale_document(folder: Path, app: typer.Typer) -> None:
    (folder / "alert.json").write_text("{}", encoding="utf-8")
    (folder / "asyncapi.json").unlink()
    found = CliRunner().invoke(app, ["schema", "check", "--against", str(folder), "--json"])
    assert found.exit_code == 1
    told = json.loads(found.output)
    assert (told["ok"], told["stale"], told["breaks"]) == (False, ["alert.json", "asyncapi.json"], [])


def test_check_and_export_of_a_current_folder(folder: Path, app: typer.Typer) -> None:
    checked = CliRunner().invoke(app, ["schema", "check", "--against", str(folder)])
    assert (checked.exit_code, checked.output) == (0, "ok: 8 schemas, compatible with all 8 committed versions\n")
    shutil.rmtree(folder / "history")
    exported = CliRunner().invoke(app, ["schema", "export", "--out", str(folder)])
    assert exported.exit_code == 0
    assert exported.output.count("wrote ") == 8


def test_schemas_state_what_is_required_and_how_it_is_spelled() -> None:
    transaction = json_schema("transaction")
    assert set(transaction["required"]) >= {"event_id", "customer_id", "occurred_at", "source", "amount", "currency"}
    assert "default" not in transaction["properties"]["amount"]
    assert all("pattern" in transaction["properties"][name] for name in ("event_id", "amount", "currency", "occurred_at"))
    assert transaction["additionalProperties"] is True


def test_asyncapi_tells_every_topic_that_is_a_contract() -> None:
    document = asyncapi()
    channels = {channel["address"]: channel["bindings"]["kafka"] for channel in document["channels"].values()}
    for topic in load_registry().topics:
        assert (topic.name in channels) == (topic.role != "internal")
        if topic.name in channels:
            told = channels[topic.name]["topicConfiguration"]
            assert told["cleanup.policy"] == [topic.config["cleanup.policy"]]
            assert told.keys() == topic.config.keys()


def test_asyncapi_refers_only_to_what_it_holds() -> None:
    document = documents()["asyncapi.json"]

    def references(node: Any) -> list[str]:
        if isinstance(node, dict):
            own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
            return own + [each for value in node.values() for each in references(value)]
        return [each for value in node for each in references(value)] if isinstance(node, list) else []

    found = references(document)
    assert found
    for reference in found:
        target: Any = document
        for part in reference.removeprefix("#/").split("/"):
            target = target[part]
        assert target
