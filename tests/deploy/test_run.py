"""``fenghuo run`` and ``fenghuo replay`` of the same files: the same files out, byte for byte, broker and kills or not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.embedded.broker import find_binary
from deploy.errors import UserError
from deploy.inputs import InputWriter
from deploy.simulator import Parameters, Simulation

FILES = ("metrics.jsonl", "alerts.jsonl", "dead-letters.jsonl", "late.jsonl", "summary.json", *(f"journal-{partition}.jsonl" for partition in range(4)))


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three months of a small bank, with copies, late events and broken ones, in one file."""
    path = tmp_path_factory.mktemp("bank") / "bank.jsonl"
    with InputWriter(path) as out:
        for lines in Simulation(Parameters(seed=41, customers=60, months=3, dirt=0.01)).days():
            out.write(lines)
    return path


def fenghuo(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("FENGHUO_")}
    program = [sys.executable, "-c", "from deploy.cli import main; main()", *map(str, arguments)]
    return subprocess.run(program, capture_output=True, text=True, env=clean | environment, timeout=170, check=False)


def assert_same(run: Path, replay: Path) -> None:
    assert sorted(path.name for path in run.iterdir()) == sorted(FILES)
    for name in FILES:
        assert (run / name).read_bytes() == (replay / name).read_bytes(), f"{name} differs"
    counts = json.loads((run / "summary.json").read_text())
    assert counts["alerts"] > 0
    assert all(counts["lines"].values()), "every file has something to compare"


@pytest.mark.embedded
@pytest.mark.timeout(180)
def test_run_on_the_embedded_stack_equals_replay(bank: Path, tmp_path: Path) -> None:
    try:
        find_binary()
    except UserError as none:
        pytest.skip(str(none))
    replayed = fenghuo("replay", bank, "--out", tmp_path / "replay", "--journal")
    assert replayed.returncode == 0, replayed.stderr
    ran = fenghuo("run", bank, "--out", tmp_path / "run", "--journal", "--workers", "2", "--json")
    assert ran.returncode == 0, ran.stderr
    assert_same(tmp_path / "run", tmp_path / "replay")
    summary = json.loads(ran.stdout)
    assert summary["lines"] == json.loads((tmp_path / "replay" / "summary.json").read_text())["lines"]


@pytest.mark.kafka
@pytest.mark.timeout(180)
def test_run_on_a_real_kafka_equals_replay(bank: Path, tmp_path: Path, kafka: str, namespace: str) -> None:
    given = {"FENGHUO_KAFKA__NAMESPACE": namespace}
    replayed = fenghuo("replay", bank, "--out", tmp_path / "replay", "--journal", **given)
    assert replayed.returncode == 0, replayed.stderr
    given["FENGHUO_KAFKA__BOOTSTRAP_SERVERS"] = kafka
    ran = fenghuo("run", bank, "--out", tmp_path / "run", "--journal", **given)
    assert ran.returncode == 0, ran.stderr
    assert "audit: clean" in ran.stdout
    assert_same(tmp_path / "run", tmp_path / "replay")

    again = fenghuo("run", bank, "--out", tmp_path / "again", **given)
    assert again.returncode == 2
    assert "holds records already" in again.stderr
    assert "FENGHUO_KAFKA__NAMESPACE" in again.stderr


def test_an_input_file_that_is_none_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    ran = fenghuo("run", tmp_path / "no-such-file.jsonl", "--out", tmp_path / "out")
    assert ran.returncode == 2
    assert "no-such-file.jsonl" in ran.stderr
    assert not (tmp_path / "out").exists()
