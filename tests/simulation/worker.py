"""A worker process around the engine's own hub: what Faust, the consumer and the process do in a real one.

It joins the group, polls portions of random size, passes frames on after random delays (in order within a partition, in any
order among topics, and sometimes after the rebalance that should have dropped them), commits now and then, and leaves cleanly
when told to or when the hub fails.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from schemas.telemetry import Telemetry
from streams.engine.consumer import Poll, Seen
from streams.engine.frames import PolledFrame
from streams.engine.hub import Hub
from streams.engine.meter import Meter
from streams.engine.ports import Place, Processor
from streams.settings import WorkerSettings
from tests.simulation.broker import Membership, Refused
from tests.simulation.clients import Machine

Ended = Callable[["SimulatedWorker", BaseException | None], None]


class SimulatedWorker:
    """``ended`` is told when the process ends by itself, with what made it fail. ``may_write`` are the partition numbers it holds.

    ``poll_due``: something has happened that its next poll will see.
    """

    def __init__(self, machine: Machine, processor: Processor, settings: WorkerSettings, transactions: bool, ended: Ended) -> None:
        self.machine = machine
        self.process = machine.process
        self.may_write: set[int] = set()
        self.failure: BaseException | None = None
        self._random = machine.process.scheduler.random
        self._ended = ended
        self._processor = processor
        self.membership = self._new_membership()
        self.generation = 0
        self._assigned: list[Place] = []
        self._positions: dict[Place, int] = {}
        self._ends: dict[Place, int] = {}
        self._held: set[Place] = set()
        self._delivered: dict[Place, float] = {}
        self._round = 0
        self._done: dict[Place, int] = {}
        self._uncommitted = False
        self.poll_due = False
        self._giving_up = False
        self._leaving = False
        self.hub = Hub(processor, settings, {}, transactions, Meter(Telemetry(), processor), self._fail, machine.outside())
        self.hub.reader = self
        machine.broker.watchers.append(self._changed)
        self.process.loop.call_soon(self._begin)

    # -- life ---------------------------------------------------------------------------------------------------------
    def _begin(self) -> None:
        self._tasks = {self.process.loop.create_task(self._commit_now_and_then())}
        self.process.loop.call_later(self._random.uniform(0.0, 0.5), lambda: self.machine.group.join(self.membership))

    def _new_membership(self) -> Membership:
        def lost() -> None:
            self.machine.faults.put_out(self.process)
            after = self._random.uniform(0.01, 2.0)  # until its next heartbeat is answered
            self.process.loop.call_later(0.0, lambda: self.process.loop.call_later(after, rejoin))

        def rejoin() -> None:
            self._spawn(self._rejoin(membership))

        membership = Membership(
            self.process,
            lambda: self.process.loop.call_later(0.0, rejoin),
            lambda numbers, generation: self.process.loop.call_later(0.0, lambda: self._receive(numbers, generation)),
            lost,
        )
        return membership

    def _spawn(self, work: object) -> None:
        task = self.process.loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _fail(self, reason: BaseException) -> None:
        if self.failure is None:
            self.failure = reason
            self.terminate()

    def terminate(self) -> None:
        """SIGTERM."""
        if not self._leaving:
            self._leaving = True
            self.process.loop.call_soon(lambda: self._spawn(self._leave()))

    async def _leave(self) -> None:
        try:
            async with asyncio.timeout(25.0):
                await self.hub.leave()
                self.may_write = set()
                await self._commit()
        except TimeoutError as late:
            self.failure = self.failure or late
        self.machine.group.leave(self.membership)
        self.hub.shut()
        self.process.over = True
        self._ended(self, self.failure)

    # -- rebalances ---------------------------------------------------------------------------------------------------
    async def _rejoin(self, membership: Membership) -> None:
        """Give everything up, as Kafka's eager protocol asks, and join again."""
        if self._giving_up or self._leaving or membership is not self.membership:
            return
        self._giving_up = True
        await self.hub.revoked()
        self.may_write = set()
        await self._commit()
        self._done.clear()
        self._assigned = []
        if self._random.random() < 0.5:
            self._round += 1  # what was polled and not passed on is dropped
        self._giving_up = False
        if self._leaving:
            return
        if membership.out:
            self.membership = self._new_membership()
        self.machine.group.join(self.membership)

    def _receive(self, numbers: list[int], generation: int) -> None:
        if self._giving_up or self._leaving:
            return
        self.generation = generation
        self._done.clear()
        self._assigned = [place for number in numbers for place in self._processor.places(number)]
        self._held.update(self._assigned)
        self._positions = {place: self.machine.group.offsets.get(place, 0) for place in self._assigned}
        self._ends.clear()
        self.may_write = set(numbers)
        self.hub.assigned(set(self._assigned), generation)
        self._poll_soon()

    # -- what the lanes ask of the consumer ---------------------------------------------------------------------------
    def _then(self, work: Callable[[], None]) -> None:
        """In the consumer's thread, a little later, in the order asked for."""

        def act() -> None:
            work()
            self._poll_soon()

        self.process.loop.call_later(0.0005, act)

    def seek_place(self, place: Place, offset: int) -> None:
        def seek() -> None:
            if place in self._assigned:
                self._positions[place] = offset

        self._then(seek)

    def hold(self, place: Place) -> None:
        self._then(lambda: self._held.add(place))

    def release(self, place: Place) -> None:
        self._then(lambda: self._held.discard(place))

    def mark_done(self, place: Place, next_offset: int) -> None:
        self._done[place] = next_offset
        self._uncommitted = True

    # -- polling ------------------------------------------------------------------------------------------------------
    def _changed(self, place: Place) -> None:
        if self.process.alive and place in self._positions:
            self._poll_soon()

    def _poll_soon(self) -> None:
        if not self.poll_due:
            self.poll_due = True
            self.process.loop.call_later(self._random.uniform(0.001, 0.06), self._poll)

    def _poll(self) -> None:
        self.poll_due = False
        if self._leaving or not self._assigned:
            return
        self.machine.faults.step(self.process, "poll")
        random, broker = self._random, self.machine.broker
        frames: list[tuple[Place, PolledFrame]] = []
        skipped: list[tuple[Place, int, int]] = []
        for place in self._assigned:
            stable = broker.log(place).stable
            before = self._positions[place]
            if random.random() < 0.15:
                if before < stable or self._ends.get(place) != stable:
                    self._poll_soon()  # not fetched this time
                continue
            self._ends[place] = stable
            if place in self._held or before >= stable:
                continue
            records, after = broker.fetch(place, before, random.choice((1, 3, 10, 100)))
            self._positions[place] = after
            if records:
                frames.append((place, PolledFrame(list(records), before, after, place)))
            else:
                skipped.append((place, before, after))
            if after < stable:
                self._poll_soon()
        self.hub.polled(Poll({place: Seen(self._positions[place], end) for place, end in self._ends.items()}, skipped))
        for place, frame in frames:
            self._pass_on(place, frame)
        self.machine.faults.step(self.process, "polled")

    def _pass_on(self, place: Place, frame: PolledFrame) -> None:
        now, this = self.process.scheduler.now, self._round
        at = max(self._delivered.get(place, 0.0), now + self._random.choice((0.0, 0.001, 0.05)) * self._random.random())
        self._delivered[place] = at

        def deliver() -> None:
            if this == self._round and not self._leaving:
                self.hub.received(place, frame)

        self.process.loop.call_later(at - now, deliver)

    # -- group offsets ------------------------------------------------------------------------------------------------
    async def _commit_now_and_then(self) -> None:
        while not self._leaving:
            await asyncio.sleep(self._random.uniform(0.1, 1.5))
            if self._uncommitted and not self._giving_up:
                await self._commit()

    async def _commit(self) -> None:
        offsets, generation = dict(self._done), self.generation
        self._uncommitted = False
        if not offsets:
            return
        self.machine.faults.step(self.process, "commit offsets")
        await asyncio.sleep(self.machine.faults.latency())
        try:
            self.machine.group.commit(self.membership, generation, offsets)
        except Refused:
            self._uncommitted = True
            return
        self.machine.faults.step(self.process, "offsets committed")
