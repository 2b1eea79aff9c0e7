"""Running window sums against the naive reading, whatever order days come and pass in."""

from __future__ import annotations

import copy
from collections import Counter
from itertools import accumulate

from hypothesis import given, settings
from hypothesis import strategies as st

from streams.metrics.windows import History, Windows

DAYS = (1, 7, 30, 90)
_EVENT = st.tuples(st.just("add"), st.integers(-120, 5), st.sampled_from("abc"), st.integers(-2, 3), st.integers(-500, 500))
_PASS = st.tuples(st.just("pass"), st.sampled_from((0, 1, 1, 2, 6, 7, 30, 100)), st.just(""), st.just(0), st.just(0))


def _groups_of(label: str) -> tuple[str, ...]:
    return (label, "not a") if label != "a" else (label,)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.one_of(_EVENT, _PASS), max_size=60), st.booleans())
def test_sums_are_those_of_the_cells_in_the_window(steps: list[tuple[str, int, str, int, int]], reload: bool) -> None:
    today = 20_000
    windows = Windows(History(), DAYS, today, _groups_of)
    naive: list[tuple[int, str, int, int]] = []
    for what, days, label, count, total in steps:
        if what == "pass":
            today += days
            windows.advance(today)
        else:
            windows.add(today + days, label, count, total)
            naive.append((today + days, label, count, total))
        if reload:
            windows = Windows(copy.deepcopy(windows.history), DAYS, today, _groups_of)
        for group in windows.layout.groups:
            for span in DAYS:
                within = [(c, t) for day, other, c, t in naive if group in _groups_of(other) and today - span < day <= today]
                assert windows.sums(group, span) == (sum(c for c, _ in within), sum(t for _, t in within))


def test_what_left_every_window_is_dropped_from_the_history() -> None:
    windows = Windows(History(), DAYS, 0)
    for day in range(400):
        windows.advance(day)
        windows.add(day, "a", 1, 1)
    history = windows.history
    lengths = {len(column) for column in (history.steps, history.numbers, history.counts, history.totals)}
    assert len(lengths) == 1
    assert max(lengths) < max(DAYS) + 20


def test_sums_over_other_windows_than_are_stored_are_taken_anew() -> None:
    before = Windows(History(), DAYS, 100)
    for day in (20, 60, 95, 100):
        before.add(day, "a", 1, 2)
    assert before.counts == [[1], [2], [2], [4]]
    assert Windows(copy.deepcopy(before.history), (1, 6, 41, 90), 100).counts == [[1], [2], [3], [4]]


def test_time_never_goes_back() -> None:
    windows = Windows(History(), DAYS, 100)
    windows.add(100, "a", 1, 5)
    windows.advance(99)
    assert windows.today == 100
    assert windows.counts[0][0] == 1


def test_one_day_and_label_is_one_cell() -> None:
    windows = Windows(History(), DAYS, 10)
    for day in (10, 9, 10, 9, 10):
        windows.add(day, "a", 1, 2)
    assert Counter(accumulate(windows.history.steps)) == {9: 1, 10: 1}
