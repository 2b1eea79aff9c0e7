"""Every metric of every customer of a bank of the worst events, at every snapshot, against the definitions; and that a difference is found."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from schemas.metrics import KEYS, Subject
from tests.recompute.ground import read_snapshots
from tests.recompute.hard_bank import hard_bank
from tests.recompute.run import recomputed_differences, replay_into


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("hard")
    replay_into(directory, hard_bank(seed=3), "bank-cn")
    return directory


def test_every_value_of_every_snapshot_is_what_its_definition_says(bank: Path) -> None:
    snapshots, values, found = recomputed_differences(bank, "bank-cn")
    assert snapshots > 1000
    assert values > 100_000
    assert found.is_empty(), found


def test_every_metric_of_a_customer_occurs(bank: Path) -> None:
    """Else the comparison above would say nothing about the missing ones."""
    seen = {key for place in bank.iterdir() if place.is_dir() for key in read_snapshots(place / "metrics.jsonl").values["key"].unique()}
    assert seen == {key for key, metric in KEYS.items() if metric.subject is Subject.CUSTOMER}


def _plant(bank: Path, directory: Path, change: str) -> None:
    for place in (path for path in bank.iterdir() if path.is_dir()):
        copy = directory / place.name
        copy.mkdir()
        for journal in place.glob("journal-*.jsonl"):
            (copy / journal.name).write_bytes(journal.read_bytes())
        lines = (place / "metrics.jsonl").read_bytes().splitlines()
        snapshot = msgspec.json.decode(lines[-1])
        metrics = snapshot["metrics"]
        if change == "one minor unit":
            metrics["balance.current"] += 1
        elif change == "a millionth":
            metrics["balance.attrition.30d"] = metrics.get("balance.attrition.30d", 0.0) + 1e-6
        elif change == "a count in a map":
            metrics["flow.kind.count.365d"] = dict.fromkeys(metrics["flow.kind.count.365d"], 7777)
        elif change == "a value left out":
            del metrics["activity.silence"]
        elif change == "a value too many":
            metrics["contact.count.7d"] = 0
        (copy / "metrics.jsonl").write_bytes(b"\n".join([*lines[:-1], msgspec.json.encode(snapshot)]) + b"\n")


@pytest.mark.parametrize("change", ["one minor unit", "a millionth", "a count in a map", "a value left out", "a value too many"])
def test_a_planted_difference_is_found(bank: Path, tmp_path: Path, change: str) -> None:
    _plant(bank, tmp_path, change)
    _, _, found = recomputed_differences(tmp_path, "bank-cn", sample=5)
    keys = {"one minor unit": "balance.current", "a millionth": "balance.attrition.30d", "a count in a map": "flow.kind.count.365d"}
    expected = keys.get(change, "activity.silence" if change == "a value left out" else "contact.count.7d")
    assert set(found["key"]) == {expected}
    assert found["customer"].n_unique() >= 1
