"""The shipped examples are what their names say: valid, or refused for the named reason."""

from __future__ import annotations

import json
from pathlib import Path
from typing import cast, get_args

import pytest

import schemas
from schemas.codec import Rejected, key_of, validate
from schemas.events import MODELS, EventKind
from schemas.events.complaints import ComplaintStep
from schemas.events.customers import CustomerChange
from schemas.events.feedback import FeedbackAction
from schemas.events.interactions import InteractionKind
from schemas.rejection import REASONS

FOLDER = Path(schemas.__file__).parent / "examples"
VALID = sorted(FOLDER.glob("*/valid-*.json"))
INVALID = sorted(FOLDER.glob("*/invalid-*.json"))


def name(path: Path) -> str:
    return f"{path.parent.name}/{path.stem}"


def kind_of(path: Path) -> EventKind:
    assert path.parent.name in MODELS
    return cast(EventKind, path.parent.name)


@pytest.mark.parametrize("path", VALID, ids=name)
def test_a_valid_example_is_taken_and_written_back_the_same(path: Path) -> None:
    event = validate(kind_of(path), path.read_bytes())
    assert key_of(event)
    assert json.loads(event.model_dump_json(exclude_unset=True)).keys() == json.loads(path.read_bytes()).keys()
    assert validate(kind_of(path), event.model_dump_json().encode()).model_dump() == event.model_dump()


@pytest.mark.parametrize("path", INVALID, ids=name)
def test_an_invalid_example_is_refused_for_the_reason_it_names(path: Path) -> None:
    reason = path.stem.split("-")[1]
    assert reason in REASONS
    with pytest.raises(Rejected) as caught:
        validate(kind_of(path), path.read_bytes())
    assert caught.value.reason == reason, caught.value.message


def test_every_kind_has_a_valid_and_several_invalid_examples() -> None:
    for kind in MODELS:
        assert any(path.parent.name == kind for path in VALID)
        assert sum(path.parent.name == kind for path in INVALID) >= 3


@pytest.mark.parametrize(
    ("kind", "field", "values"),
    [
        ("complaint", "step", get_args(ComplaintStep)),
        ("interaction", "kind", get_args(InteractionKind)),
        ("customer", "change", get_args(CustomerChange)),
        ("feedback", "action", get_args(FeedbackAction)),
    ],
)
def test_every_step_kind_change_and_act_is_shown(kind: str, field: str, values: tuple[str, ...]) -> None:
    shown = {json.loads(path.read_bytes())[field] for path in VALID if path.parent.name == kind}
    assert shown == set(values)
