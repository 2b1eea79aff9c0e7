"""What the docs render from the code is what the code says now."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from deploy.cli import COMMANDS
from deploy.documentation import PARTS, ROOT, with_part
from deploy.probes import DEFAULT_PORTS


@pytest.mark.parametrize(("path", "name"), [(path, name) for path, name, _ in PARTS])
def test_a_generated_part_is_up_to_date(path: str, name: str) -> None:
    render = next(render for page, part, render in PARTS if (page, part) == (path, name))
    page = (ROOT / path).read_text(encoding="utf-8")
    assert with_part(page, name, render()) == page, f"run make docs: {path} differs from the code"


def test_a_page_without_the_part_is_an_error() -> None:
    with pytest.raises(ValueError, match="no part"):
        with_part("# Page\n", "settings", "| |")


def test_the_probe_ports_in_the_docs_are_the_real_ones() -> None:
    page = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
    assert {process: int(port) for process, port in re.findall(r"^\| `fenghuo (\w+)` \|.*\| (\d+) \|$", page, re.MULTILINE)} == DEFAULT_PORTS


@pytest.mark.parametrize("page", sorted(path for path in (ROOT / "docs").rglob("*.md")), ids=lambda path: path.name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?://|#|mailto:)([^)#]+)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"


@pytest.mark.parametrize("page", sorted(path for path in (ROOT / "docs").rglob("*.md")), ids=lambda path: path.name)
def test_commands_named_in_the_docs_exist(page: Path) -> None:
    known = {name.rstrip("_").replace("_", "-") for name in COMMANDS}
    named = set(re.findall(r"^(?:[A-Z_]+=\S+ )*fenghuo ([a-z-]+)", page.read_text(encoding="utf-8"), re.MULTILINE))
    assert named <= known, f"{page.name} names {sorted(named - known)}"
