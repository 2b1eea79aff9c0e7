"""The complaint clock, reference rates, the large-value limit, patience over daylight saving."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerting.absence import EXPECTATIONS, patience
from alerting.catalogue import LargeValue
from alerting.complaint_clock import ClockVersion, ComplaintClock
from alerting.facts import Facts
from alerting.pack import load_pack
from alerting.rates import Rate, Rates
from schemas.localtime import Calendar, to_date, to_day


def day(text: str) -> int:
    return to_day(date.fromisoformat(text))


def clock(**changes: object) -> ClockVersion:
    base: dict[str, object] = {
        "effective": day("2020-03-01"),
        "ordinary": 15,
        "complex": 30,
        "extension": 30,
        "calendar": "natural",
        "count_from": "next-day",
        "cite": "test",
    }
    return ClockVersion(**(base | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("complex_", "extended", "last_allowed"),
    [(False, False, "2026-07-16"), (True, False, "2026-07-31"), (False, True, "2026-08-15"), (True, True, "2026-08-30")],
)
def test_the_natural_clock_allows_15_30_and_up_to_60_days_after_the_day_of_receipt(complex_: bool, extended: bool, last_allowed: str) -> None:
    pack = load_pack("bank-cn")

    assert pack.complaint_clock.due_day(day("2026-07-01"), complex_, extended) == day(last_allowed) + 1


def test_a_clock_may_count_the_day_of_receipt() -> None:
    assert clock(count_from="same-day").due_day(day("2026-07-01"), 15) == day("2026-07-16")


def test_the_working_clock_skips_weekends_and_holidays_and_counts_days_worked_instead() -> None:
    # received on Friday 2026-09-25; 1 to 8 October is a holiday, Saturday 10 October is worked
    holidays = frozenset(range(day("2026-10-01"), day("2026-10-09")))
    plain = clock(calendar="working")
    golden = clock(calendar="working", holidays=holidays, workdays=frozenset({day("2026-10-10")}))

    assert to_date(plain.due_day(day("2026-09-25"), 5) - 1) == date(2026, 10, 2)
    assert to_date(golden.due_day(day("2026-09-25"), 5) - 1) == date(2026, 10, 10)
    assert to_date(golden.due_day(day("2026-09-25"), 6) - 1) == date(2026, 10, 12)


@given(start=st.integers(day("2026-01-01"), day("2026-12-31")), limit=st.integers(1, 60), same=st.booleans())
def test_a_working_limit_allows_exactly_that_many_working_days(start: int, limit: int, same: bool) -> None:
    version = clock(
        calendar="working", count_from="same-day" if same else "next-day", holidays=frozenset({day("2026-05-01")}), workdays=frozenset({day("2026-05-09")})
    )
    due = version.due_day(start, limit)

    allowed = range(start if same else start + 1, due)
    assert sum(version.works(one) for one in allowed) == limit
    assert version.works(due - 1)


def test_a_case_runs_on_the_version_in_force_on_the_day_it_came_in() -> None:
    both = ComplaintClock((clock(ordinary=10), clock(effective=day("2026-08-01"), ordinary=20)))

    assert both.due_day(day("2026-07-31"), False, False) == day("2026-07-31") + 11
    assert both.due_day(day("2026-08-01"), False, False) == day("2026-08-01") + 21
    assert both.due_day(day("1999-01-01"), False, False) == day("1999-01-01") + 11


def rates(*lines: tuple[str, str, str], reporting: str = "CNY") -> Rates:
    return Rates(reporting, [Rate(currency, day(effective), Decimal(value)) for currency, effective, value in lines])


@pytest.mark.parametrize(
    ("minor", "currency", "expected"),
    [
        (12345, "CNY", 12345),
        (100, "USD", 710),
        (1, "USD", 7),
        (-100, "USD", -710),
        (1, "EUR", 2),  # 2.5 fen: half to even
        (3, "EUR", 8),  # 7.5 fen: half to even
        (1000, "JPY", 4900),  # no decimals: 1000 yen
        (1000, "KWD", 2300),  # three decimals: one dinar
        (10**17, "USD", 71 * 10**16),
        (100, "XAU", None),
    ],
)
def test_rates_are_exact_and_round_halves_to_even(minor: int, currency: str, expected: int | None) -> None:
    known = rates(("USD", "2020-01-01", "7.1"), ("EUR", "2020-01-01", "2.5"), ("JPY", "2020-01-01", "0.049"), ("KWD", "2020-01-01", "23"))

    assert known.to_reporting(minor, currency, day("2026-07-01")) == expected


def test_a_rate_holds_from_its_day_until_the_next() -> None:
    known = rates(("USD", "2026-07-02", "8"), ("USD", "2026-07-01", "7"))

    assert [known.to_reporting(1, "USD", day(on)) for on in ("2026-06-30", "2026-07-01", "2026-07-02", "2030-01-01")] == [None, 7, 8, 8]


@given(minor=st.integers(-(10**18), 10**18), value=st.decimals("0.0001", "99999", places=4))
def test_a_conversion_is_within_half_a_unit_of_the_exact_value(minor: int, value: Decimal) -> None:
    converted = rates(("JPY", "2020-01-01", str(value))).to_reporting(minor, "JPY", day("2020-01-01"))

    assert converted is not None
    assert abs(converted - Fraction(minor) * Fraction(value) * 100) <= Fraction(1, 2)


def test_just_below_the_large_value_limit_begins_at_its_share() -> None:
    assert load_pack("bank-cn").large_value.near_from == 45_000_00
    assert LargeValue(99, Decimal("0.9")).near_from == 90  # 89.1 minor units, so from 90 on


def test_days_of_patience_are_local_days_whatever_the_clocks_do() -> None:
    prague = Calendar(ZoneInfo("Europe/Prague"))
    wake = patience("1 d", EXPECTATIONS["repayment"]).wake(EXPECTATIONS["repayment"], prague)

    for before, hours in (("2026-03-29", 23), ("2026-10-25", 25), ("2026-07-01", 24)):
        start = prague.start(day(before))
        assert wake(Facts({"one_loan.due_since": start})) == start + hours * 3_600_000


@pytest.mark.parametrize(
    ("text", "gap", "days"),
    [
        ("4 x activity.typical_gap", 5, 20),
        ("4 x activity.typical_gap, at least 30 d", 5, 30),
        ("4 x activity.typical_gap, at least 30 d", 8, 32),
        ("4 x activity.typical_gap, at most 60 d", 30, 60),
        ("2.5 x activity.typical_gap, at least 10 d, at most 60 d", 5, 13),
        ("4 x activity.typical_gap, at least 30 d", None, None),
        ("10 d", None, 10),
    ],
)
def test_patience_in_days(text: str, gap: int | None, days: int | None) -> None:
    assert patience(text, EXPECTATIONS["activity"]).days(Facts({"activity.typical_gap": gap})) == days


@given(start=st.integers(-(10**13), 10**13), limit=st.integers(1, 10**10))
def test_a_share_of_the_limit_is_never_reached_early(start: int, limit: int) -> None:
    expectation = EXPECTATIONS["answer"]
    facts = Facts({"one_complaint.started_at": start, "one_complaint.due_at": start + limit})
    reached = patience("80 % of limit", expectation).wake(expectation, Calendar(ZoneInfo("UTC")))(facts)

    assert reached is not None
    assert 5 * (reached - start) >= 4 * limit > 5 * (reached - 1 - start)
    assert patience("100 % of limit", expectation).wake(expectation, Calendar(ZoneInfo("UTC")))(facts) == start + limit


@given(instant=st.integers(-2_000_000_000_000, 4_000_000_000_000), zone=st.sampled_from(["Asia/Shanghai", "Europe/Prague", "America/Sao_Paulo", "UTC"]))
def test_an_instant_lies_in_its_local_day(instant: int, zone: str) -> None:
    time = Calendar(ZoneInfo(zone))
    today = time.day(instant)

    assert time.start(today) <= instant < time.start(today + 1)
