"""A lane's keeper without a broker: ends, gaps, pausing, and what happens when a frame cannot be written."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from schemas.telemetry import Telemetry
from streams.engine import keeper as module
from streams.engine.consumer import Seen
from streams.engine.frames import PolledFrame
from streams.engine.keeper import Keeper, Opened
from streams.engine.meter import Meter
from streams.engine.outside import REAL, Outside
from streams.engine.ports import Place, Stopped
from streams.engine.steps import Step
from streams.records import InputRecord
from streams.settings import WorkerSettings
from tests.streams.engine.counting import CountingFrame, CountingLane, counting

A, B = Place("t.in-a", 0), Place("t.in-b", 0)


class Log:
    """A consumer and a writer that remember what they were asked; writing waits while ``gate`` is closed."""

    def __init__(self) -> None:
        self.seeks: list[tuple[Place, int]] = []
        self.held: set[Place] = set()
        self.holds = 0
        self.done: dict[Place, int] = {}
        self.frames: list[CountingFrame] = []
        self.gate = threading.Event()
        self.gate.set()
        self.refuse = False

    def seek_place(self, place: Place, offset: int) -> None:
        self.seeks.append((place, offset))

    def hold(self, place: Place) -> None:
        self.held.add(place)
        self.holds += 1

    def release(self, place: Place) -> None:
        self.held.discard(place)

    def mark_done(self, place: Place, next_offset: int) -> None:
        self.done[place] = next_offset

    def write(self, frame: Any) -> None:
        self.gate.wait(5)
        if self.refuse:
            raise Stopped("another worker has taken this partition over")
        self.frames.append(frame)

    def close(self) -> None:
        self.gate.set()


def polled(place: Place, start: int, count: int, end: int | None = None, at: int | None = None) -> PolledFrame:
    records = [InputRecord(offset, at or offset, b"k", b"{}") for offset in range(start, start + count)]
    return PolledFrame(list(records), start, start + count if end is None else end, place)


def run(story: Callable[[Keeper, Log, list[BaseException]], Awaitable[None]], outside: Outside = REAL, **settings: Any) -> None:
    async def play() -> None:
        processor = counting("t", "ab", partitions=1)
        log, failures = Log(), list[BaseException]()
        with ThreadPoolExecutor(1) as executor:
            opened = Opened(CountingLane("ab", {}), log, {A: 0, B: 0})
            meter = Meter(Telemetry(), processor)
            keeper = Keeper(0, opened, processor.places(0), log, WorkerSettings(**settings), meter, executor, failures.append, outside)
            keeper.resume()
            try:
                await story(keeper, log, failures)
            finally:
                log.gate.set()
                await keeper.suspend()
                await keeper.close()

    asyncio.run(play())


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0.002)


def test_waits_for_a_topic_until_its_end_is_known_and_everything_before_it_has_come() -> None:
    async def story(keeper: Keeper, log: Log, _failures: list[BaseException]) -> None:
        keeper.received(A, polled(A, 0, 10))
        keeper.polled(A, Seen(10, 10), ())
        await settle()
        assert log.frames == []  # nothing is known of b
        keeper.polled(B, Seen(3, 3), ())
        await settle()
        assert log.frames == []  # b has three records on their way
        keeper.received(B, polled(B, 0, 3))
        await settle()
        assert log.done == {A: 10, B: 3}
        assert keeper.caught_up

    run(story)


def test_an_empty_partition_is_at_its_end() -> None:
    async def story(keeper: Keeper, log: Log, _failures: list[BaseException]) -> None:
        keeper.polled(B, Seen(0, 0), ())
        keeper.received(A, polled(A, 0, 4))
        keeper.polled(A, Seen(4, 4), ())
        await settle()
        assert log.done == {A: 4}

    run(story)


def test_offsets_without_records_at_the_end_are_skipped_even_when_known_before_the_frame() -> None:
    async def story(keeper: Keeper, log: Log, _failures: list[BaseException]) -> None:
        keeper.polled(B, Seen(0, 0), ())
        keeper.polled(A, Seen(12, 12), [(10, 11), (11, 12)])
        assert not keeper.caught_up
        keeper.received(A, polled(A, 0, 10))
        await settle()
        assert keeper.caught_up
        assert log.done == {A: 10}

    run(story)


def test_a_frame_that_was_dropped_is_asked_for_again_and_what_comes_twice_is_taken_once() -> None:
    async def story(keeper: Keeper, log: Log, _failures: list[BaseException]) -> None:
        keeper.polled(B, Seen(0, 0), ())
        keeper.received(A, polled(A, 0, 5))
        keeper.received(A, polled(A, 8, 4))
        assert log.seeks[-1] == (A, 5)
        keeper.received(A, polled(A, 2, 10))
        keeper.polled(A, Seen(12, 12), ())
        await settle()
        assert sum(sum(frame.counts.values()) for frame in log.frames) == 12
        assert log.done == {A: 12}

    run(story)


def test_what_is_durable_is_marked_again_after_a_rebalance() -> None:
    """The consumer forgets at a rebalance, and may not have been able to commit."""

    async def story(keeper: Keeper, log: Log, _failures: list[BaseException]) -> None:
        keeper.polled(B, Seen(0, 0), ())
        keeper.received(A, polled(A, 0, 4))
        keeper.polled(A, Seen(4, 4), ())
        await settle()
        await keeper.suspend()
        log.done.clear()
        keeper.resume()
        assert log.done == {A: 4}

    run(story)


def test_an_observer_is_told_of_every_step_in_its_order() -> None:
    steps: list[tuple[Step, int]] = []

    async def story(keeper: Keeper, _log: Log, _failures: list[BaseException]) -> None:
        keeper.polled(B, Seen(0, 0), ())
        keeper.received(A, polled(A, 0, 4))
        keeper.polled(A, Seen(4, 4), ())
        await settle()

    run(story, Outside(observe=lambda step, number: steps.append((step, number))))
    assert steps == [(Step.polled, 0), (Step.applied, 0), (Step.committed, 0), (Step.marked, 0)]


def test_what_an_observer_raises_fails_the_lane_before_anything_is_written() -> None:
    def refuse(step: Step, _number: int) -> None:
        if step is Step.applied:
            raise Stopped("struck")

    async def story(keeper: Keeper, log: Log, failures: list[BaseException]) -> None:
        keeper.polled(B, Seen(0, 0), ())
        keeper.received(A, polled(A, 0, 4))
        keeper.polled(A, Seen(4, 4), ())
        await settle()
        assert [str(failure) for failure in failures] == ["struck"]
        assert log.frames == []

    run(story, Outside(observe=refuse))


def test_offsets_that_never_come_stop_the_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "GAP_SECONDS", 0.0)

    async def story(keeper: Keeper, _log: Log, failures: list[BaseException]) -> None:
        keeper.received(A, polled(A, 7, 3))
        await settle()
        keeper.received(A, polled(A, 7, 3))
        assert "offsets 0 to 6 are gone" in str(failures[0])

    run(story)


def test_a_full_topic_is_paused_and_resumed_and_never_without_records_in_hand() -> None:
    async def story(keeper: Keeper, log: Log, _failures: list[BaseException]) -> None:
        keeper.received(A, polled(A, 0, 100, at=50))
        assert log.held == {A}
        await settle()
        assert log.frames == []
        keeper.received(B, polled(B, 0, 5))
        keeper.polled(B, Seen(5, 5), ())
        keeper.polled(A, Seen(100, 500), ())
        await settle()
        assert log.done == {A: 100, B: 5}
        assert log.held == set()
        assert log.holds == 1

    run(story, buffer_events=100, frame_events=10)


def test_pauses_by_bytes_too() -> None:
    async def story(keeper: Keeper, log: Log, _failures: list[BaseException]) -> None:
        keeper.received(A, polled(A, 0, 10))
        assert log.held == {A}

    run(story, buffer_bytes=20)


def test_a_lane_that_must_see_further_into_a_full_topic_gets_more_of_it() -> None:
    async def story(keeper: Keeper, log: Log, _failures: list[BaseException]) -> None:
        keeper.lane.frame = lambda _limit: None  # type: ignore[method-assign]
        keeper.polled(B, Seen(0, 0), ())
        keeper.received(A, polled(A, 0, 100))
        assert log.held == {A}
        await settle()
        assert log.held == set()

    run(story, buffer_events=100)


def test_frames_grow_by_what_they_do_though_no_record_is_among_it() -> None:
    """At midnight a lane looks at one customer after the other: in frames of the least size that would take thousands of transactions."""

    async def story(keeper: Keeper, log: Log, _failures: list[BaseException]) -> None:
        limits: list[int] = []

        def looks_only(limit: int) -> CountingFrame | None:
            limits.append(limit)
            return CountingFrame([], {}, {}, Counter(), steps=limit) if len(limits) < 5 else None

        keeper.lane.frame = looks_only  # type: ignore[method-assign]
        keeper.received(A, polled(A, 0, 1))
        await settle()
        assert limits == [module.LEAST_FRAME * 4**power for power in range(5)]
        assert len(log.frames) == 4

    run(story, frame_events=100_000)


def test_suspending_waits_for_the_frame_being_written_and_begins_no_other() -> None:
    async def story(keeper: Keeper, log: Log, _failures: list[BaseException]) -> None:
        log.gate.clear()
        keeper.polled(B, Seen(0, 0), ())
        keeper.received(A, polled(A, 0, 20))
        await settle()
        suspending = asyncio.create_task(keeper.suspend())
        await settle()
        assert not suspending.done()
        log.gate.set()
        await suspending
        await settle()
        assert log.done == {A: 10}
        keeper.resume()
        keeper.polled(A, Seen(20, 20), ())
        keeper.polled(B, Seen(0, 0), ())
        await settle()
        assert log.done == {A: 20}

    run(story, frame_events=10)


def test_too_many_dead_letters_in_a_row_stop_the_worker_with_the_frame_durable(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(keeper: Keeper, log: Log, failures: list[BaseException]) -> None:
        keeper.polled(B, Seen(0, 0), ())
        keeper.received(A, polled(A, 0, 10))
        await settle()
        assert failures == []
        monkeypatch.setattr(CountingLane, "frame", _with_run(CountingLane.frame, 7))
        keeper.received(A, polled(A, 10, 10))
        await settle()
        [failure] = failures
        assert str(failure).startswith("partition 0: 7 dead letters in a row")
        assert log.done[A] == 20

    run(story, dead_letters_in_a_row=7)


def test_too_large_a_share_of_dead_letters_stops_the_worker_with_the_frame_durable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every other record is bad, so no run ever builds up."""

    async def story(keeper: Keeper, log: Log, failures: list[BaseException]) -> None:
        keeper.polled(B, Seen(0, 0), ())
        for start in range(0, 40, 10):
            keeper.received(A, polled(A, start, 10))
            await settle()
        assert failures == []
        assert log.done[A] == 40
        monkeypatch.setattr(CountingLane, "frame", _half_dead(CountingLane.frame))
        for start in range(40, 60, 10):
            keeper.received(A, polled(A, start, 10))
            await settle()
        assert failures == []  # 10 of the latest 40
        for start in range(60, 100, 10):
            keeper.received(A, polled(A, start, 10))
            await settle()
        [failure] = failures
        assert isinstance(failure, Stopped)
        assert str(failure).startswith("partition 0: 38% of the latest 40 records are dead letters")
        assert failure.code == 1
        assert log.done[A] == 70

    run(story, dead_letters_ratio=0.3, dead_letters_ratio_records=40, frame_events=10)


def test_a_share_of_dead_letters_is_not_judged_before_enough_records_have_come(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CountingLane, "frame", _half_dead(CountingLane.frame))

    async def story(keeper: Keeper, log: Log, failures: list[BaseException]) -> None:
        keeper.polled(B, Seen(0, 0), ())
        keeper.received(A, polled(A, 0, 30))
        await settle()
        assert failures == []
        assert log.done[A] == 30

    run(story, dead_letters_ratio=0.3, dead_letters_ratio_records=40, frame_events=10)


def _half_dead(frame: Callable[..., Any]) -> Callable[..., Any]:
    def made(lane: CountingLane, limit: int) -> Any:
        made_frame = frame(lane, limit)
        if made_frame is not None:
            half = made_frame.counts["a", "applied"] // 2
            made_frame.counts["a", "applied"] -= half
            made_frame.counts["a", "dead_lettered"] = half
        return made_frame

    return made


def test_a_lane_that_opens_tells_the_group_where_it_is() -> None:
    """Whoever wrote the last frame may have died before it could."""

    async def story(keeper: Keeper, log: Log, _failures: list[BaseException]) -> None:
        keeper.polled(B, Seen(0, 0), ())
        keeper.received(A, polled(A, 0, 10))
        await settle()
        log.done.clear()
        await keeper.suspend()
        keeper.resume()
        assert log.done == {A: 10}

    run(story)


def _with_run(frame: Callable[..., Any], length: int) -> Callable[..., Any]:
    def made(lane: CountingLane, limit: int) -> Any:
        made_frame = frame(lane, limit)
        if made_frame is not None:
            made_frame.dead_letters_in_a_row = length
        return made_frame

    return made


def test_a_frame_that_cannot_be_written_ends_the_lane() -> None:
    async def story(keeper: Keeper, log: Log, failures: list[BaseException]) -> None:
        log.refuse = True
        keeper.polled(B, Seen(0, 0), ())
        keeper.received(A, polled(A, 0, 20))
        await settle()
        log.refuse = False
        keeper.received(A, polled(A, 20, 20))
        await settle()
        assert [str(failure) for failure in failures] == ["another worker has taken this partition over"]
        assert log.done == {}
        assert log.frames == []

    run(story, frame_events=10)
