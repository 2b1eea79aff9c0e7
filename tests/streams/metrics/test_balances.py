"""Balances against the naive reading: end-of-day balances of every day, bookings in any order."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.localtime import DAY_MS
from streams.metrics.balances import Balances

TODAY = 20_000
_BOOKING = st.tuples(st.sampled_from("ab"), st.integers(-110, 2), st.integers(0, 3), st.integers(-1000, 5000))


def _naive(bookings: list[tuple[str, int, int, int]], today: int) -> dict[int, int]:
    """Balance at the end of each day known, all accounts together."""
    first = min(day for _, day, _, _ in bookings)
    days = {}
    for day in range(first, today + 1):
        latest: dict[str, tuple[tuple[int, int, int], int]] = {}
        for order, (account, booked, second, balance) in enumerate(bookings):
            place = (booked, second, order)
            if booked <= day and (account not in latest or place > latest[account][0]):
                latest[account] = (place, balance)
        days[day] = sum(balance for _, balance in latest.values())
    return days


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(_BOOKING, st.sampled_from((0, 0, 0, 1, 5, 40))), min_size=1, max_size=20))
def test_average_current_and_attrition(steps: list[tuple[tuple[str, int, int, int], int]]) -> None:
    """Read after each booking, as days pass: what is remembered of earlier days must not go stale."""
    balances, today = Balances(), TODAY
    bookings: list[tuple[str, int, int, int]] = []
    for (account, ahead, second, balance), passed in steps:
        today += passed
        day = today + ahead
        bookings.append((account, day, second, balance))
        balances.book(account, day, day * DAY_MS + second, balance, today)
        _check(balances, _naive(bookings, today), today)


def _check(balances: Balances, days: dict[int, int], today: int) -> None:
    if not days:
        assert balances.current(today) is None
        assert balances.average(30, today) is None
        return
    assert balances.current(today) == days[today]
    for window in (30, 90):
        known = [balance for day, balance in days.items() if day > today - window]
        average = sum(known) // len(known)
        assert balances.average(window, today) == average
        lost = max(0.0, 1 - days[today] / average) if average > 0 else 0.0
        assert balances.attrition(window, today) == round(lost, 6)


def test_a_booking_of_a_later_day_is_not_known_yet() -> None:
    balances = Balances()
    balances.book("a", TODAY + 2, (TODAY + 2) * DAY_MS, 700, TODAY)
    assert balances.current(TODAY) is None
    assert balances.attrition(30, TODAY) is None
    assert balances.current(TODAY + 2) == 700


def test_the_snapshot_shows_an_average_of_zero() -> None:
    balances = Balances()
    balances.book("a", TODAY, TODAY * DAY_MS, 0, TODAY)
    metrics: dict[str, object] = {}
    balances.fill(metrics, TODAY)
    assert metrics["balance.average.30d"] == 0
    assert metrics["balance.attrition.30d"] == 0.0


def test_only_steps_that_a_window_can_read_are_kept() -> None:
    balances = Balances()
    for day in range(TODAY, TODAY + 400):
        balances.book("a", day, day * DAY_MS, day, day)
    assert len(balances.accounts["a"].days) <= 100


def test_times_are_forgotten_where_no_booking_can_come_any_more() -> None:
    balances = Balances()
    for day in range(TODAY, TODAY + 40):
        balances.book("a", day, day * DAY_MS + 1000, day, day, settled=day - 10)
    times = balances.accounts["a"].times
    assert times == [0] * 29 + [1000] * 11
