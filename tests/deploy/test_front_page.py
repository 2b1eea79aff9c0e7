"""The pages that lead to others lead somewhere, and what the front page tells a newcomer to do works as printed."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_to_files(page: Path) -> None:
    targets = re.findall(r"\]\((?!https?:)([^)#\s]+)", page.read_text(encoding="utf-8"))
    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_every_decision_is_listed() -> None:
    folder = ROOT / "docs" / "decisions"
    listed = set(re.findall(r"\]\((\S+\.md)\)", (folder / "README.md").read_text(encoding="utf-8")))
    assert listed == {path.name for path in folder.glob("*.md")} - {"README.md"}


def test_the_rule_of_the_front_page_works_as_printed(tmp_path: Path) -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    pack, rule = (_dedent(block) for block in re.findall(r"   ```yaml\n(.*?)   ```", text, re.DOTALL))
    [test] = (_dedent(block) for block in re.findall(r"   ```python\n(.*?)   ```", text, re.DOTALL))
    (tmp_path / "my-pack" / "service").mkdir(parents=True)
    (tmp_path / "my-pack" / "pack.yaml").write_text(pack, encoding="utf-8")
    (tmp_path / "my-pack" / "service" / "kept-waiting.yaml").write_text(rule, encoding="utf-8")
    (tmp_path / "test_kept_waiting.py").write_text(test, encoding="utf-8")

    program = [sys.executable, "-c", "from deploy.cli import main; main()"]
    checked = subprocess.run([*program, "policy", "check", "my-pack"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    tested = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_kept_waiting.py"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert tested.returncode == 0, tested.stdout


def _dedent(block: str) -> str:
    return "".join(line.removeprefix("   ") for line in block.splitlines(keepends=True))
