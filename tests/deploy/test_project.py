"""The project's own files agree: locks with pyproject, the package with what its code reads, the import of each folder with what it may need."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
DATA = {".yaml", ".json", ".sql", ".xml", ".html", ".css", ".js"}


def locked(file: str) -> dict[str, set[str]]:
    """Versions by name."""
    versions: dict[str, set[str]] = {}
    for name, version in re.findall(r"^([a-z0-9._-]+)==([^\s;\\]+)", (ROOT / file).read_text(encoding="utf-8"), re.MULTILINE):
        versions.setdefault(name, set()).add(version)
    return versions


@pytest.mark.parametrize(
    ("file", "wanted"),
    [
        ("requirements.lock", PROJECT["dependencies"] + PROJECT["optional-dependencies"]["build"]),
        ("requirements-dev.lock", [requirement for group in PROJECT["optional-dependencies"].values() for requirement in group] + PROJECT["dependencies"]),
    ],
)
def test_a_lock_satisfies_pyproject(file: str, wanted: list[str]) -> None:
    versions = locked(file)
    for text in wanted:
        requirement = Requirement(text)
        found = versions[requirement.name.lower()]
        assert all(requirement.specifier.contains(version) for version in found), f"{file} has {requirement.name} {found}: run make lock"


def test_both_locks_agree() -> None:
    everything = locked("requirements-dev.lock")
    for name, versions in locked("requirements.lock").items():
        assert everything[name] == versions


@pytest.mark.parametrize("file", ["requirements.lock", "requirements-dev.lock"])
def test_a_lock_pins_by_hash_and_names_no_place(file: str) -> None:
    text = (ROOT / file).read_text(encoding="utf-8")
    assert "://" not in text
    assert "--index-url" not in text
    assert "--find-links" not in text
    entries = re.split(r"^(?=[a-z0-9._-]+==)", text, flags=re.MULTILINE)[1:]
    assert entries
    assert all("--hash=sha256:" in entry for entry in entries)


def test_every_dependency_says_why_it_is_there() -> None:
    lines = (ROOT / "pyproject.toml").read_text(encoding="utf-8").splitlines()
    block = lines[lines.index("dependencies = [") + 1 :]
    block = block[: block.index("]")]
    assert [line for line in block if "#" not in line] == []


def test_every_data_file_of_the_packages_is_of_a_kind_that_the_wheel_carries() -> None:
    folders = [ROOT / name for name in ("schemas", "alerting", "streams", "sinks", "deploy")]
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    assert [str(path.relative_to(ROOT)) for path in files if path.suffix not in DATA | {".py", ".pyc"}] == []
