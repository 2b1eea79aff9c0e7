"""The compiled condition says what a naive reading of the page says, whatever the values."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerting.compile import Compiler, Workshop
from alerting.condition import comparison
from alerting.document import Document
from alerting.facts import Facts
from alerting.pack import Pack
from alerting.problems import Unreadable

COUNTS = ("complaint.open.count", "satisfaction.csat.n.90d")
MONEY = ("balance.current", "balance.average.90d", "flow.out.amount.30d")
SIGNS = (">=", "<=", ">", "<", "=", "!=")


def naive(condition: dict[str, Any], facts: Facts) -> bool:
    """The page read word for word, in exact arithmetic."""
    return all(
        any(naive(choice, facts) for choice in value) if key == "any" else all(line_holds(key, line, facts) for line in as_list(value))
        for key, value in condition.items()
    )


def as_list(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]


def line_holds(key: str, line: str, facts: Facts) -> bool:
    sign, *rest = line.split()
    observed = facts[key]
    if rest[0] == "CNY":
        limit: Fraction | None = Fraction(rest[1]) * 100
    elif len(rest) == 3:
        limit = None if facts[rest[2]] is None else Fraction(rest[0]) * facts[rest[2]]
    else:
        limit = Fraction(rest[0])
    if observed is None or limit is None:
        return False
    low, same = observed < limit, observed == limit
    return {">=": not low, "<=": low or same, ">": not low and not same, "<": low, "=": same, "!=": not same}[sign]


count_lines = st.tuples(st.sampled_from(SIGNS), st.integers(-2, 4)).map(lambda line: f"{line[0]} {line[1]}")
amounts = st.integers(0, 500).map(lambda minor: str(Decimal(minor).scaleb(-2)))
money_lines = st.one_of(
    st.tuples(st.sampled_from(SIGNS), amounts).map(lambda line: f"{line[0]} CNY {line[1]}"),
    st.tuples(st.sampled_from(SIGNS), st.sampled_from(["0", "0.1", "1", "1.5", "3", "2.25"]), st.sampled_from(MONEY)).map(
        lambda line: f"{line[0]} {line[1]} x {line[2]}"
    ),
)
several = {
    **{key: st.one_of(count_lines, st.lists(count_lines, min_size=1, max_size=2)) for key in COUNTS},
    **{key: st.one_of(money_lines, st.lists(money_lines, min_size=1, max_size=2)) for key in MONEY},
}
flat = st.fixed_dictionaries({}, optional=several)
conditions = st.tuples(flat, st.lists(flat.filter(bool), min_size=1, max_size=3), st.booleans()).map(
    lambda parts: parts[0] | ({"any": parts[1]} if parts[2] else {})
)
values = st.fixed_dictionaries(
    {key: st.one_of(st.none(), st.integers(-3, 5)) for key in COUNTS} | {key: st.one_of(st.none(), st.integers(-10, 510)) for key in MONEY}
)


@given(condition=conditions, facts=values.map(Facts))
def test_the_compiled_condition_agrees_with_a_naive_reading(pack: Pack, condition: dict[str, Any], facts: Facts) -> None:
    shop = Workshop(pack.currency, pack.time, pack.actions, [])
    compiled = Compiler(pack.rules[0].source, Document("page.yaml", {}), shop).condition(condition, ())

    assert shop.problems == []
    assert compiled.compiled()(facts) is naive(condition, facts)


def holds(key: str, line: str, **values: Any) -> bool:
    return comparison(key, line, "CNY").compiled()(Facts({name.replace("__", "."): value for name, value in values.items()}))


@pytest.mark.parametrize("sign", SIGNS)
def test_a_metric_without_a_value_makes_any_line_false(sign: str) -> None:
    assert not holds("complaint.open.count", f"{sign} 1")
    assert not holds("balance.current", f"{sign} 2 x balance.average.90d", balance__current=1)
    assert not holds("balance.current", f"{sign} 2 x balance.average.90d", **{"balance.average.90d": 1})


def test_a_label_of_a_split_metric() -> None:
    line = comparison("flow.kind.count.30d[fee]", ">= 2", "CNY").compiled()

    assert line(Facts({"flow.kind.count.30d": {"fee": 2}}))
    assert not line(Facts({"flow.kind.count.30d": {"fee": 1, "salary": 9}}))
    assert not line(Facts({"flow.kind.count.30d": {}}))
    assert not line(Facts())


def test_a_percentage_and_days_and_flags() -> None:
    assert holds("balance.attrition.30d", ">= 40 %", **{"balance.attrition.30d": 0.4})
    assert not holds("balance.attrition.30d", ">= 40 %", **{"balance.attrition.30d": 0.399999})
    assert holds("salary.late", "= 3 d", **{"salary.late": 3})
    assert holds("case.complex", "= true", **{"case.complex": True})
    assert holds("case.extended", "= false", **{"case.extended": False})
    assert not holds("case.extended", "= false")


@pytest.mark.parametrize("line", ["", ">=", "3", ">= three", "=> 3", ">= 3 x", ">= 3 3", ">= -", "~ 3", ">= 1e3", ">= 0x1"])
def test_what_is_not_a_comparison_is_refused(line: str) -> None:
    with pytest.raises(Unreadable):
        comparison("complaint.open.count", line, "CNY")
