"""The program: help that is quick and complete, one clear line for a mistake, exit codes that scripts can rely on."""

from __future__ import annotations

import importlib.metadata
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.cli import COMMANDS, build_app


def fenghuo(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("FENGHUO_")}
    program = [sys.executable, "-c", "from deploy.cli import main; main()"]
    return subprocess.run([*program, *arguments], capture_output=True, text=True, env=clean | environment, timeout=60, check=False)


def test_every_listed_command_exists_and_explains_itself() -> None:
    app = build_app()
    assert app.registered_commands or app.registered_groups
    for command in app.registered_commands:
        text = command.help or (command.callback.__doc__ if command.callback else None)
        assert text, f"{command.name} has no help"


def test_every_module_of_the_commands_folder_is_listed() -> None:
    folder = Path(__file__).parents[2] / "deploy" / "commands"
    assert sorted(path.stem for path in folder.glob("*.py") if path.stem != "__init__") == sorted(COMMANDS)


def test_version() -> None:
    assert fenghuo("--version").stdout == f"fenghuo {importlib.metadata.version('fenghuo')} (core uncompiled)\n"


def test_help_does_not_load_the_engine() -> None:
    heavy = ("faust", "chdb", "polars", "pandas", "confluent_kafka")
    script = f"import sys; from deploy.cli import build_app; build_app(); print([name for name in {heavy} if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.strip() == "[]"


def test_an_unknown_command_is_a_usage_error() -> None:
    result = fenghuo("bake")
    assert result.returncode == 2
    assert "No such command 'bake'" in result.stderr


def test_config_prints_what_is_in_force() -> None:
    result = fenghuo("config", "--json", FENGHUO_KAFKA__PARTITIONS="8", FENGHUO_CLICKHOUSE__PASSWORD="hunter2")
    assert result.returncode == 0
    effective = json.loads(result.stdout)
    assert effective["kafka"]["partitions"] == 8
    assert "hunter2" not in result.stdout
    assert effective["clickhouse"]["password"] == "**********"


def test_config_marks_what_differs_from_the_default() -> None:
    lines = fenghuo("config", FENGHUO_KAFKA__PARTITIONS="8").stdout.splitlines()
    assert [line.split()[1:] for line in lines if line.startswith("* FENGHUO")] == [["FENGHUO_KAFKA__PARTITIONS", "8"]]


@pytest.mark.parametrize(
    ("variable", "value", "line"),
    [
        ("FENGHUO_KAFKA__PARTITION", "8", "fenghuo: unknown setting FENGHUO_KAFKA__PARTITION\n  did you mean FENGHUO_KAFKA__PARTITIONS?\n"),
        ("FENGHUO_KAFKA__PARTITIONS", "many", "fenghuo: FENGHUO_KAFKA__PARTITIONS: Input should be a valid integer"),
    ],
)
def test_a_wrong_setting_is_one_clear_line(variable: str, value: str, line: str) -> None:
    result = fenghuo("config", **{variable: value})
    assert result.returncode == 2
    assert result.stderr.startswith(line)
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
