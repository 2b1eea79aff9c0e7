"""Instalments and repayments: the oldest is settled first, and what bounces is owed again from its own due day."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from streams.metrics.loans import Loan, Loans


def _loan(*steps: tuple[int, int] | int) -> Loan:
    """A pair is an instalment (day, amount), a number a repayment."""
    loan = Loan()
    for step in steps:
        if isinstance(step, tuple):
            loan.falls_due(*step)
        else:
            loan.repaid(step)
    return loan


def test_the_oldest_is_settled_first() -> None:
    loan = _loan((10, 100), (40, 100), 150)
    assert loan.owed() == [(40, 50)]
    assert loan.dpd(45) == 5


def test_paid_ahead_settles_the_next_one() -> None:
    loan = _loan((10, 100), 170, (40, 100))
    assert loan.owed() == [(40, 30)]


def test_a_bounced_repayment_is_owed_from_its_own_due_day() -> None:
    loan = _loan((10, 100), 100, (40, 100), -100)
    assert loan.owed() == [(10, 100), (40, 100)]
    assert loan.dpd(41) == 31
    assert loan.unpaid(41) == (2, 200)


def test_a_bounced_repayment_is_overdue_at_once_even_when_nothing_else_is_due() -> None:
    loan = _loan((10, 100), 100, -100)
    assert loan.dpd(15) == 5
    assert loan.due_since() == 10


def test_an_instalment_of_the_future_is_not_overdue() -> None:
    loan = _loan((50, 100))
    assert loan.dpd(45) == 0
    assert loan.unpaid(46) == (0, 0)


def test_due_today_is_due_and_not_overdue() -> None:
    loan = _loan((50, 100))
    assert loan.unpaid(51) == (1, 100)
    assert loan.unpaid(50) == (0, 0)


def test_settled_instalments_are_forgotten_in_the_end() -> None:
    loan = Loan()
    for month in range(60):
        loan.falls_due(month * 30, 100)
        loan.repaid(100)
    assert len(loan.due) // 2 == 12
    assert loan.paid == 1200


_STEP = st.one_of(st.tuples(st.integers(0, 9), st.sampled_from((100, 250))), st.sampled_from((50, 100, 300, -50, -100)))


@settings(max_examples=200, deadline=None)
@given(st.lists(_STEP, max_size=12))
def test_against_the_naive_reading(steps: list[tuple[int, int] | int]) -> None:
    loan = _loan(*steps)
    money = sum(step for step in steps if isinstance(step, int))
    naive = []
    for day, amount in sorted((step for step in steps if isinstance(step, tuple)), key=lambda due: due[0]):
        settled = min(amount, max(0, money))
        money -= amount
        if settled < amount:
            naive.append((day, amount - settled))
    assert loan.owed() == naive


def test_a_loan_that_is_over_is_forgotten_but_not_that_there_was_one() -> None:
    loans = Loans()
    loans.loan("settled").touched(1, 100)
    loans.loan("settled").falls_due(100, 500)
    loans.loan("settled").repaid(500)
    loans.loan("ahead").touched(2, 100)
    loans.loan("ahead").repaid(500)
    loans.loan("owed").touched(3, 100)
    loans.loan("owed").falls_due(100, 500)
    loans.forget(901)
    assert set(loans.loans) == {"ahead", "owed"}
    assert loans
    assert Loans(over=True).dpd(901) == 0
    assert not Loans()
