"""The clock never goes back, keeps its bound, and no single wild timestamp drags it forward."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from streams.watermark import JUMP_MS, Watermark

BOUND = 300_000
HOUR = 3_600_000


def at(*times: int) -> Watermark:
    watermark = Watermark(BOUND)
    for time in times:
        watermark.event(time)
    return watermark


def test_the_clock_stands_a_bound_behind_the_newest_event():
    assert at(0, HOUR).clock == HOUR - BOUND


def test_the_first_event_alone_moves_nothing():
    assert at(HOUR).clock is None


def test_one_wild_timestamp_is_forgotten_when_the_stream_goes_on():
    assert at(0, HOUR, 400 * JUMP_MS, 2 * HOUR).clock == 2 * HOUR - BOUND


def test_a_gap_in_a_quiet_stream_needs_a_second_witness():
    later = 30 * JUMP_MS
    assert at(0, HOUR, later).clock == HOUR - BOUND
    assert at(0, HOUR, later, later + HOUR).clock == later + HOUR - BOUND


def test_two_suspects_far_apart_confirm_the_nearer_one_only():
    near, far = 10 * JUMP_MS, 500 * JUMP_MS
    assert at(0, HOUR, far, near).clock == near - BOUND


def test_a_tick_is_time_itself():
    watermark = at(0, HOUR)
    watermark.tick(5 * JUMP_MS)
    assert watermark.clock == 5 * JUMP_MS
    watermark.event(5 * JUMP_MS + HOUR)
    assert watermark.clock == 5 * JUMP_MS + HOUR - BOUND


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 100 * JUMP_MS))))
def test_the_clock_never_goes_back(moves: list[tuple[bool, int]]):
    watermark, before = Watermark(BOUND), None
    for is_tick, time in moves:
        (watermark.tick if is_tick else watermark.event)(time)
        assert before is None or (watermark.clock is not None and watermark.clock >= before)
        assert watermark.high is None or watermark.clock is None or watermark.clock <= watermark.high
        before = watermark.clock
