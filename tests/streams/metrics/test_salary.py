"""Salary months: regularity, the usual day, and that the order of arrival makes no difference."""

from __future__ import annotations

from datetime import date
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.localtime import to_date, to_day
from streams.metrics.salary import Salary


def _on(text: str) -> int:
    return to_day(date.fromisoformat(text))


def _of(*paid: tuple[str, int]) -> Salary:
    salary = Salary()
    for day, amount in paid:
        salary.paid(_on(day), amount)
    return salary


def _values(salary: Salary) -> tuple[int | None, ...]:
    return salary.regular_months(), salary.amount(), salary.day(), salary.expected_day()


def test_without_a_salary_there_is_nothing_to_expect() -> None:
    assert _values(Salary()) == (0, None, None, None)


@pytest.mark.parametrize(("day", "regular"), [(7, 4), (13, 4), (6, 0), (14, 0)])
def test_within_three_days_of_the_usual_one_is_regular(day: int, regular: int) -> None:
    salary = _of(("2026-01-10", 5), ("2026-02-10", 5), ("2026-03-10", 5), (f"2026-04-{day:02}", 5))
    assert salary.day() == 10
    assert salary.regular_months() == regular


def test_a_month_without_one_ends_the_run() -> None:
    assert _of(("2026-01-10", 5), ("2026-03-10", 5), ("2026-04-10", 5)).regular_months() == 2


def test_expected_on_the_last_day_of_a_short_month() -> None:
    salary = _of(("2025-12-31", 5), ("2026-01-31", 5))
    assert to_date(salary.expected_day() or 0) == date(2026, 2, 28)


def test_a_salary_taken_back_leaves_a_month_without_one_in_whatever_order_it_comes() -> None:
    paid = [("2026-01-10", 500), ("2026-02-10", 500), ("2026-02-12", -500)]
    assert {_values(_of(*order)) for order in permutations(paid)} == {(1, 500, 10, _on("2026-02-10"))}


def test_a_salary_paid_twice_and_taken_back_once_counts_once() -> None:
    salary = _of(("2026-02-10", 500), ("2026-02-10", 500), ("2026-02-11", -500))
    assert (salary.amount(), salary.day()) == (500, 10)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 330), st.sampled_from((100, 250, 400, -100))), max_size=20), st.randoms())
def test_order_of_arrival_makes_no_difference(paid: list[tuple[int, int]], random: object) -> None:
    shuffled = list(paid)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    one, other = Salary(), Salary()
    for day, amount in paid:
        one.paid(20_000 + day, amount)
    for day, amount in shuffled:
        other.paid(20_000 + day, amount)
    assert _values(one) == _values(other)


def test_at_most_thirteen_months_are_kept() -> None:
    salary = Salary()
    for month in range(24):
        salary.paid(to_day(date(2024 + month // 12, month % 12 + 1, 5)), 100)
    assert salary.regular_months() == 13
    assert len(salary.months) == 13
