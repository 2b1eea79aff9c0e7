"""``fenghuo policy``: sound, shown, compared; exit codes and JSON for scripts."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from alerting.difference import Change, differences
from alerting.pack import SHIPPED, load_pack
from deploy.cli import build_app
from deploy.errors import Failed, UserError

SALARY = "churn/salary-gone.yaml"


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    shutil.copytree(SHIPPED / "bank-cn", tmp_path / "mine")
    return tmp_path / "mine"


def change(directory: Path, file: str, before: str, after: str) -> None:
    path = directory / file
    path.write_text(path.read_text("utf-8").replace(before, after), "utf-8")


def run(*arguments: str, code: int = 0) -> str:
    result = CliRunner().invoke(build_app(), ["policy", *arguments])
    assert result.exit_code == code, result.output
    return result.output


def test_check_says_that_a_pack_is_sound() -> None:
    assert run("check").startswith("bank-cn 1.0.0 is sound: 12 rules, CNY, Asia/Shanghai")
    assert json.loads(run("check", "bank-cz", "--json"))["ok"] is True


def test_check_names_every_problem_and_fails(mine: Path) -> None:
    change(mine, SALARY, "for: 10 d", "for: ten days")
    change(mine, SALARY, "do: retention.call-about-payroll", "do: retention.cal")

    result = CliRunner().invoke(build_app(), ["policy", "check", str(mine)])
    assert isinstance(result.exception, Failed)
    assert result.exception.exit_code == 1
    assert f"mine/{SALARY}:9: 'ten days' is not a length of patience" in result.output
    listed = json.loads(run("check", str(mine), "--json", code=1))
    assert [problem["line"] for problem in listed["problems"]] == [9, 25]


def test_show_prints_a_rule_as_it_counts() -> None:
    page = yaml.safe_load(run("show", "churn.silence", "--pack", "bank-cz"))

    assert page["raise"]["provided"] == {"balance.average.90d": ">= CZK 20000"}
    assert page["title"]["en"] == "Customer gone silent"
    assert json.loads(run("show", "churn.silence", "--pack", "bank-cz", "--json"))["owner"] == "relationship-manager"


def test_show_lists_the_rules() -> None:
    assert len(run("show").splitlines()) == 12
    assert len(json.loads(run("show", "--json"))["rules"]) == 12


def test_show_suggests_a_rule() -> None:
    result = CliRunner().invoke(build_app(), ["policy", "show", "churn.silenc"])

    assert isinstance(result.exception, UserError)
    assert result.exception.hint == "did you mean churn.silence?"


def test_diff_says_what_changed_line_by_line(mine: Path) -> None:
    change(mine, SALARY, "for: 10 d", "for: 15 d")
    change(mine, SALARY, ">= CNY 200000", ">= CNY 300000")
    (mine / "credit/overdue-1.yaml").unlink()
    change(
        mine,
        "complaint-clock.yaml",
        "ordinary: 15 d\n    complex: 30 d\n    extension: 30 d      #",
        "ordinary: 10 d\n    complex: 30 d\n    extension: 30 d      #",
    )

    assert differences(load_pack("bank-cn"), load_pack(str(mine))) == [
        Change(None, "complaint-clock.from 2020-03-01.ordinary", "15", "10"),
        Change("churn.salary-gone", "raise.for", "10 d", "15 d"),
        Change("churn.salary-gone", "severity[1].if.balance.average.90d", ">= CNY 200000", ">= CNY 300000"),
        Change("credit.overdue-1", "rule", "version 1", None),
    ]
    printed = run("diff", "bank-cn", str(mine))
    assert "churn.salary-gone\n  raise.for: 10 d  ->  15 d\n" in printed
    assert "raise the version of the new one" in printed
    assert len(json.loads(run("diff", "bank-cn", str(mine), "--json"))) == 4


def test_diff_of_equal_packs() -> None:
    assert run("diff", "bank-cn", "bank-cn") == "no difference\n"


@pytest.mark.parametrize("command", [[], ["check"], ["show"], ["diff"]])
def test_help_has_examples(command: list[str]) -> None:
    assert "Examples:" in run(*command, "--help")
