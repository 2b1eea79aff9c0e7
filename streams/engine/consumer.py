"""Faust's consumer, made exact: it polls whole frames, knows where each partition ends, and commits only what was marked done.

Faust's own acknowledgements are not consulted: they lose events when several are in flight. Fetching and group membership run in
Faust's consumer thread; what this module shares between that thread and the event loop is replaced as a whole, never edited.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol, cast

import aiokafka  # type: ignore[import-untyped]
from aiokafka.consumer.fetcher import FetchResult  # type: ignore[import-untyped]
from aiokafka.errors import KafkaError  # type: ignore[import-untyped]
from aiokafka.structs import OffsetAndMetadata, TopicPartition  # type: ignore[import-untyped]
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from streams.engine.frames import PolledFrame
from streams.engine.group import GroupConsumer
from streams.engine.ports import Place

log = logging.getLogger("fenghuo.engine")

#: Longest wait of one poll, in seconds: a held partition that is released, or an end that becomes known, is seen after this.
POLL_SECONDS = 0.05


class Seen(NamedTuple):
    """A partition as the last poll left it: the next offset to read, and the end as the latest fetch reported it."""

    position: int
    end: int


class Poll(NamedTuple):
    """What is known after a poll. ``skipped`` are moves of the position that brought no record: (place, from, to)."""

    seen: dict[Place, Seen]
    skipped: list[tuple[Place, int, int]]


class Membership(Protocol):
    """Who is told about frames, polls and rebalances, in the event loop's thread."""

    def received(self, place: Place, frame: PolledFrame) -> None: ...
    def polled(self, poll: Poll) -> None: ...
    async def revoked(self) -> None: ...
    def assigned(self, places: set[Place], generation: int) -> None: ...
    def read_again(self) -> None: ...


class _Wanted:
    """The partitions to poll right now: Faust's active ones without those held. Asked anew for each partition."""

    def __init__(self, active: set[Any], held: set[Place]) -> None:
        self._active, self._held = active, held

    def __contains__(self, place: Any) -> bool:
        return place in self._active and place not in self._held


def _as_parsed(_place: Any, record: Any) -> Any:
    """aiokafka's parser gives all that a lane reads; its ConsumerRecord would be a second object for each."""
    return record


class FramedThread(driver.AIOKafkaConsumerThread):
    """The consumer's own thread and event loop: joins the group, fetches, beats."""

    logger = logging.getLogger("faust")
    consumer: FramedConsumer

    def _create_worker_consumer(self, transport: Any) -> Any:  # noqa: ARG002 Faust's signature, as below
        return GroupConsumer(**self.consumer.client_options)

    async def _fetch_records(
        self,
        consumer: Any,
        active_partitions: set[Any],
        timeout: float | None = None,  # noqa: ARG002
        max_records: int | None = None,
    ) -> Any:  # a list of PolledFrame, for FramedConsumer._getmany
        owner = self.consumer
        if not owner.flow_active:
            return []
        fetcher = consumer._fetcher
        if consumer._closed or fetcher._closed:
            raise aiokafka.errors.ConsumerStoppedError
        deadline = time.monotonic() + POLL_SECONDS
        wanted = _Wanted(active_partitions, owner.held)
        with fetcher._subscriptions.fetch_context():
            while True:
                if fetcher._subscriptions.reassignment_in_progress:
                    await fetcher._subscriptions.wait_for_assignment()
                frames = await self._take(fetcher, wanted, max_records)
                remaining = deadline - time.monotonic()
                if frames or remaining <= 0:
                    return frames
                await asyncio.wait([fetcher._create_fetch_waiter()], timeout=remaining)

    async def _take(self, fetcher: Any, wanted: _Wanted, max_records: int | None) -> list[PolledFrame]:
        """What is fetched already. Nothing else runs in this thread between the positions before and after."""
        assignment = fetcher._subscriptions.subscription.assignment
        for fetched in fetcher._records.values():
            if isinstance(fetched, FetchResult) and fetched._partition_records is not None:
                fetched._partition_records._consumer_record = _as_parsed
        before = {place: assignment.state_value(place)._position for place in fetcher._records if place in assignment.tps}
        records = await fetcher.fetched_records(wanted, timeout=0, max_records=max_records)
        skipped: list[tuple[Place, int, int]] = []
        seen: dict[Place, Seen] = {}
        frames: list[PolledFrame] = []
        for tp in assignment.tps:
            state = assignment.state_value(tp)
            if state._position is None or state.lso is None:
                continue
            place = Place(*tp)
            seen[place] = Seen(state._position, state.lso)
            start = before.get(tp)
            if tp in records and start is not None:
                frames.append(PolledFrame(records[tp], start, state._position, place))
            elif start is not None and start != state._position:
                skipped.append((place, start, state._position))
        self.consumer.note(Poll(seen, skipped))
        return frames

    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        """Group offsets only say where to look first, so one that cannot be committed now is committed later."""
        consumer = self._ensure_consumer()
        assigned = consumer.assignment()
        ready = {TopicPartition(*tp): OffsetAndMetadata(offset, "") for tp, offset in offsets.items() if tp in assigned}
        try:
            await consumer.commit(ready)
        except KafkaError as error:
            log.warning("group offsets not committed, will try again: %s", type(error).__name__)
            return False
        return len(ready) == len(offsets)  # in a rebalance nothing is assigned: what was left out is not committed

    def do(self, work: Callable[[], None]) -> None:
        """Run ``work`` in this thread, after what was asked before."""
        self.thread_loop.call_soon_threadsafe(work)


class FramedConsumer(driver.Consumer):
    """Commits come from ``done`` alone; rebalances and polls are passed on to the hub."""

    logger = logging.getLogger("faust")
    _thread: FramedThread
    membership: Membership
    client_options: dict[str, Any]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        app = kwargs.get("app") or args[0].app
        self.membership = app.membership
        self.client_options = app.client_options
        self.done: dict[Any, int] = {}
        self.held: set[Place] = set()
        self._polls: list[Poll] = []
        super().__init__(*args, **kwargs)

    def _new_consumer_thread(self) -> FramedThread:
        return FramedThread(self, loop=self.loop, beacon=self.beacon)

    # -- polling ------------------------------------------------------------------------------------------------------
    def note(self, poll: Poll) -> None:
        """Called in the consumer's thread, before the frames of the poll leave it."""
        self._polls.append(poll)

    async def _getmany(self, active_partitions: set[TP] | None, timeout: float) -> Any:
        """Frames go to their lanes from here; nothing is left for Faust, which would take a quarter of a millisecond for each."""
        frames = cast(list[PolledFrame], await super()._getmany(active_partitions, timeout))
        for frame in frames:
            self.membership.received(frame.place, frame)
        polls, self._polls = self._polls, []
        if polls:
            skipped = [move for poll in polls for move in poll.skipped]
            self.membership.polled(Poll(polls[-1].seen, skipped))
        return {}

    async def perform_seek(self) -> None:
        """Faust asks for this when frames may have been dropped. The lanes know what they have; nothing is asked of the broker."""
        self.membership.read_again()

    def seek_place(self, place: Place, offset: int) -> None:
        self._thread.do(lambda: self._seek_assigned(place, offset))

    def _seek_assigned(self, place: Place, offset: int) -> None:
        consumer = self._thread._ensure_consumer()
        tp = TopicPartition(*place)
        if tp in consumer.assignment():
            consumer.seek(tp, offset)

    def hold(self, place: Place) -> None:
        """Stop polling this partition; what is fetched stays with the consumer."""
        self._thread.do(lambda: self.held.add(place))

    def release(self, place: Place) -> None:
        self._thread.do(lambda: self._release(place))

    def _release(self, place: Place) -> None:
        self.held.discard(place)
        fetcher = self._thread._ensure_consumer()._fetcher
        for waiter in list(fetcher._fetch_waiters):
            fetcher._notify(waiter)

    # -- rebalancing --------------------------------------------------------------------------------------------------
    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        await self.membership.revoked()  # frames being written are done after this, so their offsets are committed below
        await super().on_partitions_revoked(revoked)
        self.done.clear()

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        self.done.clear()
        places = {Place(*tp) for tp in assigned}
        self._thread.do(lambda: self.held.update(places))
        self.membership.assigned(places, generation_id)
        await super().on_partitions_assigned(assigned, generation_id)

    # -- commits ------------------------------------------------------------------------------------------------------
    def mark_done(self, place: Place, next_offset: int) -> None:
        """Everything below ``next_offset`` is durable."""
        self.done[TP(*place)] = next_offset

    def _filter_tps_with_pending_acks(self, topics: Any = None) -> Any:
        return (tp for tp in list(self.done) if topics is None or tp in topics or tp.topic in topics)

    def _new_offset(self, tp: TP) -> int | None:
        return self.done.get(tp)

    def _should_commit(self, tp: TP, offset: int) -> bool:
        committed = self._committed_offset[tp]
        return committed is None or offset > committed

    async def _commit_offsets(self, offsets: Mapping[TP, int], start_new_transaction: bool = True) -> bool:  # noqa: ARG002
        if not offsets or not await self._commit(offsets):
            return False
        self._committed_offset.update(offsets)
        return True

    async def verify_all_partitions_active(self) -> None:
        """Faust's watchdog judges by its own acknowledgements; the worker's readiness and lag say it better."""


class FramedTransport(driver.Transport):
    """Faust's Kafka transport with the consumer above."""

    Consumer = FramedConsumer


def reader_of(app: Any) -> FramedConsumer:
    """The running app's consumer."""
    return cast(FramedConsumer, app.consumer)
