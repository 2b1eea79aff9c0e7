"""The range state machine: one test a case, and any interruption gives the same ranges."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sinks.range_store import MemoryRanges
from sinks.ranges import Case, Do, Range, Step, case_of, next_step, token

STORED = Range(100, 199)


def test_none_a_new_partition_records_what_is_in_hand() -> None:
    assert case_of(None, Range(0, 9)) is Case.NONE
    assert next_step(None, Range(0, 9), 10) == Step(Do.RECORD, Range(0, 9))


def test_new_what_follows_the_stored_range_is_recorded() -> None:
    assert case_of(STORED, Range(200, 250)) is Case.NEW
    assert next_step(STORED, Range(200, 250), 251) == Step(Do.RECORD, Range(200, 250))


def test_same_a_retry_repeats_the_stored_range() -> None:
    assert case_of(STORED, Range(100, 199)) is Case.SAME
    assert next_step(STORED, Range(100, 199), 200) == Step(Do.REPEAT, STORED)


def test_overlapping_the_stored_range_is_repeated_before_the_rest() -> None:
    assert case_of(STORED, Range(100, 250)) is Case.OVERLAPPING
    assert next_step(STORED, Range(100, 250), 251) == Step(Do.REPEAT, STORED)


def test_contained_waits_for_the_end_of_the_stored_range() -> None:
    assert case_of(STORED, Range(100, 150)) is Case.CONTAINED
    assert next_step(STORED, Range(100, 150), 151).do is Do.WAIT


def test_contained_does_not_wait_for_offsets_that_no_longer_exist() -> None:
    assert next_step(STORED, Range(100, 150), 200) == Step(Do.REPEAT, STORED)


def test_contained_goes_on_when_retention_took_the_first_records() -> None:
    assert next_step(STORED, Range(130, 199), 200) == Step(Do.REPEAT, STORED)


def test_previous_is_skipped() -> None:
    assert case_of(STORED, Range(40, 99)) is Case.PREVIOUS
    assert next_step(STORED, Range(40, 99), 100) == Step(Do.SKIP, Range(40, 99))


def test_previous_and_the_stored_range_skips_only_the_part_before_it() -> None:
    assert next_step(STORED, Range(0, 500), 501) == Step(Do.SKIP, Range(0, 99))


def test_a_token_names_topic_incarnation_partition_range_and_table() -> None:
    assert token("crm.journal", "id", 3, Range(0, 9), "transactions") == "crm.journal@id-3-0-9-transactions"


@given(st.lists(st.integers(1, 40), min_size=1, max_size=30), st.data())
def test_ranges_cover_every_offset_once_whatever_is_interrupted(sizes: list[int], data: st.DataObject) -> None:
    """A sink that is killed at any step goes on with the same ranges; rows under a token seen before are dropped."""
    end = sum(sizes)
    store, tables, committed = MemoryRanges(), {}, 0
    cuts = iter(sizes * 20)
    for _ in range(400):
        if committed == end:
            break
        hand = Range(committed, min(end, committed + next(cuts)) - 1)
        step = next_step(store.load(["t"]).get(("t", 0)), hand, hand.last + 1)
        if step.do is Do.WAIT:
            step = next_step(store.load(["t"]).get(("t", 0)), Range(committed, end - 1), end)
        if step.do is Do.RECORD:
            step = Step(Do.REPEAT, store.claim("t", 0, step.range))
            if data.draw(st.booleans()):
                continue  # killed before the insert
        if step.do is Do.REPEAT:
            tables.setdefault(str(step.range), list(range(step.range.first, step.range.last + 1)))
            if data.draw(st.booleans()):
                continue  # killed before the commit
        committed = step.range.last + 1
    assert sorted(offset for rows in tables.values() for offset in rows) == list(range(end))
