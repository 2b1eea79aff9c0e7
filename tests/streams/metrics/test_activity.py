"""Active days and the gaps between them, in any order of arrival."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from streams.metrics.activity import Activity


def _typical(days: list[int]) -> int | None:
    kept = sorted(set(days))
    gaps = sorted([later - earlier for earlier, later in pairwise(kept)][-24:])
    return gaps[(len(gaps) - 1) // 2] if len(gaps) >= 5 else None


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(0, 200), max_size=60))
def test_typical_gap_is_the_lower_median_of_the_last_24(days: list[int]) -> None:
    activity = Activity()
    for number, day in enumerate(days):
        activity.active(day)
        assert activity.days[-1] == max(days[: number + 1])
        assert activity.typical_gap == _typical(days[: number + 1])


def test_none_before_five_gaps() -> None:
    activity = Activity()
    for day in (1, 3, 5, 7, 9):
        activity.active(day)
    assert activity.typical_gap is None
    activity.active(11)
    assert activity.typical_gap == 2


def test_a_contact_is_activity_and_no_transaction() -> None:
    activity = Activity()
    activity.transacted(4)
    activity.active(9)
    activity.transacted(2)
    assert activity.last_transaction == 4
    assert activity.days == [2, 4, 9]
