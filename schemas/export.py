"""The contract in the form that other languages read: one JSON Schema a model, and one AsyncAPI document for the whole.

The files under ``schemas/json`` are committed, so that a change of the contract shows in review; ``history`` holds every version
that was ever committed, numbered, for the compatibility check.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel

from schemas.asyncapi import asyncapi
from schemas.compatibility import Break, compatible, meaning
from schemas.events import MODELS
from schemas.outputs import Alert, Snapshot

#: Where the committed export is.
COMMITTED: Final = Path(__file__).with_name("json")
#: Every model that crosses a boundary, by the name its files carry.
EXPORTED: Final[dict[str, type[BaseModel]]] = dict(MODELS.items()) | {"snapshot": Snapshot, "alert": Alert}

Document = dict[str, Any]


def json_schema(name: str) -> Document:
    """The JSON Schema of one exported model."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:fenghuo:schema:{name}",
        **EXPORTED[name].model_json_schema(),
    }


def documents() -> dict[str, Document]:
    """Every exported document by its file name."""
    return {f"{name}.json": json_schema(name) for name in EXPORTED} | {"asyncapi.json": asyncapi()}


def export(folder: Path) -> list[Path]:
    """Write all documents, and a new numbered version of each schema whose meaning changed. Returns the files that changed."""
    changed = [folder / name for name, document in documents().items() if _write(folder / name, document)]
    for name in EXPORTED:
        schema, versions = json_schema(name), history(folder, name)
        if not versions or meaning(versions[max(versions)]) != meaning(schema):
            path = folder / "history" / name / f"{max(versions, default=0) + 1}.json"
            _write(path, schema)
            changed.append(path)
    return changed


def stale(folder: Path) -> list[str]:
    """Names of the documents in ``folder`` that are not what the models say."""
    return [name for name, document in documents().items() if not (folder / name).is_file() or (folder / name).read_text(encoding="utf-8") != _text(document)]


def history(folder: Path, name: str) -> dict[int, Document]:
    """The committed versions of one schema by number, from 1."""
    return {int(path.stem): json.loads(path.read_text(encoding="utf-8")) for path in sorted((folder / "history" / name).glob("*.json"))}


def breaks(folder: Path) -> list[Break]:
    """What the models no longer accept although some committed version did: every version is compared, not the last alone."""
    return [
        Break(name, number, where, what)
        for name in EXPORTED
        for number, version in sorted(history(folder, name).items())
        for where, what in compatible(version, json_schema(name))
    ]


def _text(document: Document) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _write(path: Path, document: Document) -> bool:
    text = _text(document)
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return True
