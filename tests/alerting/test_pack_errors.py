"""A broken pack points at file, line and remedy, and tells everything that is wrong at once."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from alerting.pack import SHIPPED, load_pack, shipped_packs
from alerting.problems import PackError


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A copy of the shipped pack that a test may spoil."""
    shutil.copytree(SHIPPED / "bank-cn", tmp_path / "mine")
    return tmp_path / "mine"


def spoil(directory: Path, file: str, before: str, after: str) -> int:
    """Replace a text once; the line on which it stood."""
    path = directory / file
    text = path.read_text("utf-8")
    assert text.count(before) >= 1, f"{before!r} is not in {file}"
    path.write_text(text.replace(before, after, 1), "utf-8")
    return text[: text.index(before)].count("\n") + 1


SALARY = "churn/salary-gone.yaml"
OUTFLOW = "anomaly/outflow.yaml"
CASES = [
    # file, what is replaced, by what, what the message says, what the remedy says
    (SALARY, "salary.regular_months:", "salary.regular_month:", "salary.regular_month is not a metric", "did you mean salary.regular_months?"),
    (SALARY, "absent: salary ", "absent: salery ", "absent has an unknown value", "'salary'"),
    (SALARY, "for: 10 d", "for: 10 days", "'10 days' is not a length of patience", "10 d"),
    (SALARY, "for: 10 d", "for: 80 % of limit", "has no limit to take a share of", "10 d"),
    (SALARY, "for: 10 d", "for: 4 x balance.current", "balance.current counts in money", "activity.typical_gap"),
    (SALARY, "for: 10 d", "for: 4 x activity.tipical_gap", "activity.tipical_gap is not a metric", "did you mean activity.typical_gap?"),
    (SALARY, '">= 3"', '"=> 3"', "'=> 3' is not a comparison", "write an operator and a value"),
    (SALARY, '">= 3"', '">= three"', "'three' is not a number", "plain number"),
    (SALARY, '">= CNY 200000"', '">= CZK 200000"', "the amount is in CZK, the pack counts in CNY", "CNY"),
    (SALARY, '">= CNY 200000"', '">= 200000"', "'200000' is not an amount", "CNY 200000"),
    (SALARY, '">= CNY 200000"', '">= CNY 200,000"', "plain decimal", "without separators"),
    (SALARY, '">= CNY 200000"', '">= CNY 0.001"', "3 decimals", "plain number"),
    (SALARY, '">= 40 %"', '">= 0.4"', "'0.4' is not a percentage", "90 %"),
    (
        SALARY,
        "do: retention.call-about-payroll",
        "do: retention.call-about-payrol",
        "not in the action catalogue",
        "did you mean retention.call-about-payroll?",
    ),
    (SALARY, "cooldown: 30 d", "cooldown: a month", "'a month' is not a duration", "30 d"),
    (SALARY, "expires: 30 d", "expires: 0 d", "'0 d' is too short", "1 h"),
    (SALARY, "cooldown: 30 d", "cool_down: 30 d", "cool_down is not a key here", "did you mean cooldown?"),
    (SALARY, "  for: 10 d", "  fore: 10 d", "fore is not a key here", "did you mean for?"),
    (SALARY, "  for: 10 d\n", "", "for is missing", "10 d"),
    (SALARY, "owner: relationship-manager", "owner: manager", "owner has an unknown value", "'relationship-manager'"),
    (SALARY, "at_stake: balance.average.90d", "at_stake: salary.day", "salary.day is not an amount", "metric in money"),
    (SALARY, "effective: 2024-01-01", "effective: 2024-13-01", "effective: ", "docs/rules.md"),
    (SALARY, "version: 1", "version: one", "version: ", "docs/rules.md"),
    (SALARY, "is {late} late", "is {lates} late", "nothing fills the placeholder {lates}", "did you mean late?"),
    (SALARY, "{late} late", "{late late", "brace", "{{"),
    (SALARY, "{late} late", "{late:>10} late", "carries a format", "name only"),
    (SALARY, "  en: ", "  en_: ", "en_ is not a key here", "did you mean en?"),
    (SALARY, "on: salary", "on: activity", "on: activity is not, alone, what the rule awaits", "absent"),
    (SALARY, "  - {grade: medium}\n", "", "no grade is left", "without `if:`"),
    (SALARY, "{grade: high, if: {score", "{grade: serious, if: {score", "grade has an unknown value", "'critical'"),
    (SALARY, "    weight: 30", "    weight: 300", "weight: ", "docs/rules.md"),
    (SALARY, "title: {zh: 代发工资中断, en: Salary gone}", "title: {zh: 代发工资中断}", "en is missing", "add `en:`"),
    (SALARY, "note: example", "note: : example", "not YAML", "indentation"),
    (SALARY, "cooldown: 30 d", "rule: churn.salary-gone", "rule is given twice", "remove one"),
    (SALARY, "cooldown: 30 d", "cooldown: *never", "not YAML", "indentation"),
    (OUTFLOW, "> 3 x flow.out.norm.30d", "> 3 x flow.out.norm.90d", "flow.out.norm.90d is not a metric", "did you mean flow.out.norm.30d?"),
    (OUTFLOW, "> 3 x flow.out.norm.30d", "> 3 x flow.out.count.30d", "flow.out.amount.30d counts in money, flow.out.count.30d in count", "one unit"),
    (OUTFLOW, "flow.out.amount.30d: [", "flow.kind.amount.30d: [", "flow.kind.amount.30d is split by kind", "[...]"),
    (OUTFLOW, "flow.out.amount.30d: [", "score: [", "score is known only to severity", "metric"),
    (OUTFLOW, "flow.out.amount.30d: [", "activity.silence: ['>= 30 d'] #", "activity.silence grows as time passes", "absent: activity"),
    (OUTFLOW, "flow.out.amount.30d: [", "any: [", "any: is not a list of conditions", "any: [{"),
    ("pack.yaml", "currency: CNY", "currency: CNX", "CNX is not an active ISO 4217 currency", "CNY"),
    ("pack.yaml", "timezone: Asia/Shanghai", "timezone: Asia/Beijing", "Asia/Beijing is not a time zone", "Asia/Shanghai"),
    ("pack.yaml", "lateness: 31 d", "lateness: 31 h", "not a whole number of days", "31 d"),
    ("pack.yaml", "disorder: 5 min", "disorder: 5 minutes", "'5 minutes' is not a duration", "5 min"),
    ("pack.yaml", "name: bank-cn", "name: bank-cn\nextends: bank-xx", "bank-xx is not a pack", "did you mean bank-c"),
    ("pack.yaml", "name: bank-cn", "name: bank-cn\nwithout: [churn.silnce]", "churn.silnce is not a rule of the pack", "did you mean churn.silence?"),
    ("rates.yaml", 'rate: "8.2770"', 'rate: "8,2770"', "'8,2770' is not a rate", "plain decimal"),
    ("rates.yaml", "{currency: USD, effective: 2020-01-01", "{currency: USD, effective: 1990-01-01", "two rates", "remove one"),
    ("rates.yaml", "{currency: JPY", "{currency: JPX", "JPX is not an active", "USD"),
    ("complaint-clock.yaml", "complex: 30 d", "complex: 10 d", "shorter than for ordinary", "complex"),
    ("complaint-clock.yaml", "ordinary: 15 d", "ordinary: 15", "'15' is not a number of days", "10 d"),
    ("complaint-clock.yaml", "calendar: natural", "calendar: lunar", "calendar has an unknown value", "'working'"),
    ("large-value.yaml", "cash_limit: CNY 50000", "cash_limit: USD 50000", "the amount is in USD", "CNY"),
    ("large-value.yaml", "near_share: 90 %", "near_share: 190 %", "not between 0 % and 100 %", "90 %"),
    ("actions.yaml", "code: retention.visit", "code: retention.call", "retention.call is given twice", "remove one"),
]


@pytest.mark.parametrize(("file", "before", "after", "says", "remedy"), CASES, ids=[f"{case[0]}: {case[3]}" for case in CASES])
def test_a_problem_is_named_with_file_line_and_remedy(directory: Path, file: str, before: str, after: str, says: str, remedy: str) -> None:
    line = spoil(directory, file, before, after)

    with pytest.raises(PackError) as caught:
        load_pack(str(directory))

    found = [problem for problem in caught.value.problems if says in problem.message and remedy in problem.remedy]
    assert found, caught.value
    assert found[0].file == f"mine/{file}"
    assert abs(found[0].line - line) <= 2, f"{found[0]} is not near line {line}"


def test_all_problems_are_told_at_once(directory: Path) -> None:
    first = spoil(directory, SALARY, "salary.regular_months:", "salary.regular_month:")
    second = spoil(directory, SALARY, "cooldown: 30 d", "cooldown: a month")
    third = spoil(directory, OUTFLOW, "owner: risk-officer", "owner: nobody")

    with pytest.raises(PackError) as caught:
        load_pack(str(directory))

    assert [(problem.file, problem.line) for problem in caught.value.problems] == [
        (f"mine/{OUTFLOW}", third),
        (f"mine/{SALARY}", first),
        (f"mine/{SALARY}", second),
    ]


def test_a_rule_id_belongs_to_one_file(directory: Path) -> None:
    shutil.copy(directory / SALARY, directory / "churn" / "twin.yaml")

    with pytest.raises(PackError, match=r"churn\.salary-gone is already the rule of mine/churn/salary-gone\.yaml"):
        load_pack(str(directory))


def test_a_file_that_is_not_there_is_asked_for(directory: Path) -> None:
    (directory / "rates.yaml").unlink()

    with pytest.raises(PackError, match=r"mine/rates\.yaml: the pack has no such file"):
        load_pack(str(directory))


@pytest.mark.parametrize("content", [b"", b"- a\n- b\n", b"\xff\xfe\x00", b"a: &x [1]\nb: *x\n", b"? [a]\n: b\n", b"\x00"])
def test_a_file_of_any_bytes_is_refused_with_its_name(directory: Path, content: bytes) -> None:
    (directory / SALARY).write_bytes(content)

    with pytest.raises(PackError, match=SALARY):
        load_pack(str(directory))


def test_an_unknown_pack_names_those_there_are() -> None:
    with pytest.raises(PackError, match="bank-cn, bank-cz"):
        load_pack("bank-xx")


def test_words_that_yaml_would_turn_into_something_else_stay_words(directory: Path) -> None:
    spoil(directory, SALARY, "note: example threshold, calibrate", "note: on")
    spoil(directory, "pack.yaml", "version: 1.0.0", "version: 1.10")

    pack = load_pack(str(directory))

    rule = pack.rule("churn.salary-gone")
    assert rule is not None
    assert (rule.source.note, pack.version) == ("on", "1.10")


def test_a_pack_lays_its_keys_over_the_one_it_extends(tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    (mine / "churn").mkdir(parents=True)
    (mine / "pack.yaml").write_text("name: mine\nversion: 2.0.0\nextends: bank-cn\nwithout: [anomaly.outflow]\n")
    (mine / "churn" / "salary.yaml").write_text("rule: churn.salary-gone\nversion: 2\nraise: {absent: salary, for: 15 d}\n")

    pack, base = load_pack(str(mine)), load_pack("bank-cn")

    assert {rule.id for rule in base.rules} - {rule.id for rule in pack.rules} == {"anomaly.outflow"}
    rule, below = pack.rule("churn.salary-gone"), base.rule("churn.salary-gone")
    assert rule is not None
    assert below is not None
    assert (rule.version, rule.source.raise_.patience, rule.source.raise_.provided) == (2, "15 d", {})
    assert rule.source.severity == below.source.severity


def test_a_mistake_in_what_is_laid_over_is_found_in_its_own_file(tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    (mine / "churn").mkdir(parents=True)
    (mine / "pack.yaml").write_text("name: mine\nversion: 2.0.0\nextends: bank-cn\ncurrency: EUR\n")
    (mine / "large-value.yaml").write_text("cite: none\neffective: 2024-01-01\ncash_limit: EUR 10000\nnear_share: 90 %\n")
    (mine / "churn" / "salary.yaml").write_text("rule: churn.salary-gone\nversion: 2\nat_stake: balance.averag.90d\n")

    with pytest.raises(PackError) as caught:
        load_pack(str(mine))

    places = [problem.place for problem in caught.value.problems]
    assert "mine/churn/salary.yaml:3" in places
    assert "bank-cn/churn/silence.yaml:10" in places  # an amount in CNY that the new currency does not fit


@pytest.mark.parametrize("name", shipped_packs())
def test_every_shipped_rule_has_a_citation_and_both_languages(name: str) -> None:
    for rule in load_pack(name).rules:
        assert rule.source.cite
        assert rule.source.note
        assert rule.title.zh != rule.title.en
        assert rule.action.do.zh != rule.action.do.en


def test_the_fingerprint_follows_the_content(directory: Path) -> None:
    before = load_pack(str(directory)).fingerprint
    spoil(directory, SALARY, "for: 10 d", "for: 11 d")

    assert load_pack(str(directory)).fingerprint != before


def test_rules_touched_are_those_that_read_a_family() -> None:
    pack = load_pack("bank-cn")
    salary = pack.rules_touched(frozenset({"salary"}))

    assert [rule.id for rule in salary.read] == ["churn.salary-gone", "credit.overdue-1"]
    assert [rule.id for rule in salary.raised] == ["churn.salary-gone"]
    assert salary.raised_ids == {"churn.salary-gone"}
    assert {rule.subject for rule in pack.rules_touched(frozenset({"loan"})).raised} == {"loan"}
    assert pack.rules_touched(frozenset()) == ((), frozenset(), ())
    assert salary is pack.rules_touched(frozenset({"salary"}))
