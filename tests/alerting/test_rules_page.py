"""What docs/rules.md tells a newcomer to type is what works."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from alerting.pack import load_pack
from alerting.problems import PackError

PAGE = (Path(__file__).parents[2] / "docs" / "rules.md").read_text("utf-8")


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The tutorial's files, written where the reader would."""
    for name, text in re.findall(r"```yaml\n# (my-pack/\S+)\n(.*?)```", PAGE, re.DOTALL):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(f"# {name}\n{text}", "utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_tutorial_s_pack_is_sound_and_its_test_passes(written: Path) -> None:
    assert load_pack("my-pack").rule("service.kept-waiting") is not None
    [code] = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    names: dict[str, object] = {}
    exec(compile(code, "docs/rules.md", "exec"), names)

    test = names["test_two_long_waits_are_enough"]
    assert callable(test)
    test()
    assert os.getcwd() == str(written)


def test_the_tutorial_s_mistake_is_reported_as_shown(written: Path) -> None:
    page = written / "my-pack/service/kept-waiting.yaml"
    page.write_text(page.read_text("utf-8").replace("wait.mean", "wait.men"), "utf-8")

    with pytest.raises(PackError) as caught:
        load_pack("my-pack")

    assert f"{caught.value.problems[0].place}: {caught.value.message}\n    {caught.value.remedy}\n" in PAGE
