"""The core compiled: the same files out, byte for byte, and the core's own tests hold for it too."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.embedded.broker import find_binary
from deploy.errors import UserError
from deploy.inputs import InputWriter
from deploy.simulator import Parameters, Simulation
from tests.recompute.hard_bank import hard_bank

ROOT = Path(__file__).parents[2]
#: Tests that put a bug into the core by patching one of its classes, which compiled code does not look at.
PATCHING = (
    "test_customers_who_do_not_all_fit_in_hand_are_kept_compressed_and_come_to_the_same",
    "test_a_processor_bug_costs_one_event",
    "test_a_poison_event_takes_nothing_of_its_own_frame_with_it",
    "test_a_rule_that_fails_as_the_clock_passes_is_reported_and_costs_no_customer",
)
OWN_TESTS = ("tests/streams/metrics", "tests/streams/test_lane.py", "tests/streams/test_merge.py", "tests/streams/test_state_has_an_end.py", "tests/rules")


@pytest.fixture(scope="module")
def compiled() -> Path:
    """The package with its core compiled, as ``make compiled`` leaves it."""
    if shutil.which(os.environ.get("CC", "cc")) is None:
        pytest.skip("there is no C compiler to compile the core with")
    made = subprocess.run(["make", "compiled"], cwd=ROOT, capture_output=True, text=True, timeout=600, check=False)
    assert made.returncode == 0, made.stderr
    return ROOT / "build" / "compiled"


def python(*arguments: str | Path, path: Path, cwd: Path) -> str:
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("FENGHUO_", "PYTEST_"))} | {"PYTHONPATH": str(path)}
    done = subprocess.run([sys.executable, *map(str, arguments)], cwd=cwd, env=environ, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def fenghuo(*arguments: str | Path, path: Path, cwd: Path) -> str:
    return python("-c", "from deploy.cli import main; main()", *arguments, path=path, cwd=cwd)


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The worst events that there are, and three months of a small bank with copies, late events and broken ones."""
    path = tmp_path_factory.mktemp("bank") / "bank.jsonl"
    with InputWriter(path) as out:
        out.write(hard_bank(seed=5))
        for lines in Simulation(Parameters(seed=41, customers=60, months=3, dirt=0.01)).days():
            out.write(lines)
    return path


@pytest.mark.timeout(600)
def test_every_module_of_the_core_is_compiled(compiled: Path, tmp_path: Path) -> None:
    assert "(core compiled)" in fenghuo("--version", path=compiled, cwd=tmp_path)
    core = python("-c", f"import runpy; print(*runpy.run_path({str(ROOT / 'setup.py')!r}, run_name='named')['CORE'])", path=compiled, cwd=ROOT).split()
    assert len(core) > 20
    left = [name for name in core if not list((compiled / name).parent.glob(f"{Path(name).stem}.*.so"))]
    assert left == []


@pytest.mark.timeout(600)
def test_compiled_and_uncompiled_write_the_same_files(compiled: Path, bank: Path, tmp_path: Path) -> None:
    for name, path in (("compiled", compiled), ("uncompiled", ROOT)):
        fenghuo("replay", bank, "--out", tmp_path / name, "--journal", path=path, cwd=tmp_path)
    assert_same(tmp_path / "compiled", tmp_path / "uncompiled")


@pytest.mark.embedded
@pytest.mark.timeout(600)
def test_compiled_workers_write_the_same_files(compiled: Path, bank: Path, tmp_path: Path) -> None:
    try:
        find_binary()
    except UserError as none:
        pytest.skip(str(none))
    fenghuo("run", bank, "--out", tmp_path / "ran", "--journal", "--workers", "2", path=compiled, cwd=tmp_path)
    fenghuo("replay", bank, "--out", tmp_path / "replayed", "--journal", path=ROOT, cwd=tmp_path)
    assert_same(tmp_path / "ran", tmp_path / "replayed")


@pytest.mark.timeout(600)
def test_the_core_s_own_tests_hold_for_it(compiled: Path) -> None:
    but = [argument for name in PATCHING for argument in ("--deselect", f"tests/streams/test_lane.py::{name}")]
    pytest_itself = ("-c", "import sys, pytest; sys.path.remove(''); sys.exit(pytest.main(sys.argv[1:]))")
    said = python(*pytest_itself, "-q", "-p", "no:cacheprovider", "-o", f"pythonpath={compiled} {ROOT}", *but, *OWN_TESTS, path=compiled, cwd=ROOT)
    assert " passed" in said
    assert " skipped" not in said


def assert_same(one: Path, other: Path) -> None:
    names = sorted(path.name for path in one.iterdir())
    assert names == sorted(path.name for path in other.iterdir())
    assert "alerts.jsonl" in names
    for name in names:
        assert (one / name).read_bytes() == (other / name).read_bytes(), f"{name} differs"
        assert (one / name).stat().st_size, f"{name} is empty"
