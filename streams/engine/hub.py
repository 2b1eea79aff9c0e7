"""Which lanes this worker has: opened when their partition is assigned, kept through a rebalance if nobody else can have had them,
thrown away otherwise. Polls and frames are passed on to the lane they belong to.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import defaultdict
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from streams.engine.consumer import Poll
from streams.engine.frames import PolledFrame
from streams.engine.keeper import Keeper, Opened
from streams.engine.meter import Meter
from streams.engine.outside import REAL, Outside
from streams.engine.ports import Place, Processor, Reader, Stopped
from streams.engine.steps import Step
from streams.engine.store import Store
from streams.engine.writer import PlainWriter, TransactionalWriter, Writer
from streams.settings import WorkerSettings

log = logging.getLogger("fenghuo.engine")

#: Longest wait, in seconds, for an opening that a rebalance has made pointless.
CANCEL_SECONDS = 5.0


class Hub:
    """All lanes of one worker. Methods run in the event loop's thread; opening and writing happen in threads of its own."""

    def __init__(
        self,
        processor: Processor,
        settings: WorkerSettings,
        client_config: Mapping[str, Any],
        transactions: bool,
        meter: Meter,
        failed: Callable[[BaseException], None],
        outside: Outside = REAL,
    ) -> None:
        self.reader: Reader | None = None
        self._processor = processor
        self._settings = settings
        self._config = client_config
        self._transactions = transactions
        self._meter = meter
        self._failed = failed
        self._outside = outside
        self._observe = outside.observe
        self.store = Store(processor, client_config, outside)
        self._keepers: dict[int, Keeper] = {}
        self._opening: dict[int, tuple[asyncio.Task[None], threading.Event]] = {}
        self._numbers: set[int] = set()
        self._generation: int | None = None
        self._leaving = False
        self.assignments = 0
        self._writing = ThreadPoolExecutor(64, "write")
        self._reading = ThreadPoolExecutor(16, "open")

    # -- membership ---------------------------------------------------------------------------------------------------
    def assigned(self, places: set[Place], generation: int) -> None:
        numbers = {place.partition for place in places}
        # In the generation right after ours nobody else has been given our partitions; and on a broker that fences, an error here
        # could at worst stop this worker, never corrupt what another has written.
        unbroken = self._transactions and self._generation is not None and generation == self._generation + 1
        self._generation = generation
        self._numbers = numbers
        self.assignments += 1
        for number in sorted(numbers):
            self._observe(Step.assigned, number)
        for number in list(self._keepers):
            keeper = self._keepers[number]
            if unbroken and number in numbers:
                keeper.resume()
            else:
                del self._keepers[number]
                self._drop(number, keeper)
        if not self._leaving:
            for number in sorted(numbers - set(self._keepers)):
                cancelled = threading.Event()
                task = asyncio.create_task(self._open(number, cancelled), name=f"open-{number}")
                self._opening[number] = (task, cancelled)
        kept = sorted(numbers & set(self._keepers))
        log.info("assigned partitions %s%s", _numbers(numbers), f", {_numbers(kept)} kept open" if kept else "")

    async def revoked(self) -> None:
        """A rebalance begins: finish what is being written, begin nothing. Who keeps what is known when it ends."""
        opening, self._opening = list(self._opening.values()), {}
        for _task, cancelled in opening:
            cancelled.set()
        if opening:
            await asyncio.wait([task for task, _cancelled in opening], timeout=CANCEL_SECONDS)
        for number in self._keepers:
            self._observe(Step.revoked, number)
        await asyncio.gather(*(keeper.suspend() for keeper in self._keepers.values()))

    async def leave(self) -> None:
        """Finish for good: nothing further is opened or applied."""
        self._leaving = True
        await self.revoked()

    def _drop(self, number: int, keeper: Keeper) -> None:
        self._meter.gone(number, list(keeper.inlets))
        task = asyncio.create_task(keeper.close())
        task.add_done_callback(lambda done: done.cancelled() or done.exception())

    def read_again(self) -> None:
        for keeper in self._keepers.values():
            keeper.read_again()

    # -- opening ------------------------------------------------------------------------------------------------------
    async def _open(self, number: int, cancelled: threading.Event) -> None:
        loop = asyncio.get_running_loop()
        try:
            opened = await loop.run_in_executor(self._reading, self._open_blocking, number, cancelled)
        except BaseException as error:
            if not cancelled.is_set():
                self._failed(error)
            return
        if opened is None or cancelled.is_set() or self.reader is None:
            return
        places = self._processor.places(number)
        keeper = Keeper(number, opened, places, self.reader, self._settings, self._meter, self._writing, self._failed, self._outside)
        self._keepers[number] = keeper
        self._opening.pop(number, None)
        self._observe(Step.opened, number)
        keeper.resume()
        self._meter.owned(len(self._keepers))
        if not self._opening:
            log.info("ready: partitions %s open", _numbers(self._keepers))

    def _open_blocking(self, number: int, cancelled: threading.Event) -> Opened | None:
        if cancelled.is_set():
            return None
        writer: Writer
        timeout = self._settings.transaction_timeout_seconds
        if self._transactions:
            writer = TransactionalWriter(self._processor, number, self._config, timeout, self._outside)
        else:
            writer = PlainWriter(self._processor, number, self._config, timeout, self._outside)
        self._observe(Step.recovering, number)
        recovered = self.store.recover(number, cancelled.is_set)
        if recovered is None:
            return None
        self._meter.recovered(recovered.seconds)
        log.debug("partition %d: %d states from %d changelog records in %.2f s", number, len(recovered.states), recovered.records, recovered.seconds)
        try:
            lane = self._processor.lane_factory(number, recovered.states)
        except Exception as error:
            raise Stopped(f"partition {number}: the state in {self._processor.changelog} cannot be used: {error}", code=2) from error
        return Opened(lane, writer, self.store.starts(number, lane.positions, recovered.committed))

    # -- polls --------------------------------------------------------------------------------------------------------
    def received(self, place: Place, frame: PolledFrame) -> None:
        keeper = self._keepers.get(place.partition)
        if keeper is not None:
            keeper.received(place, frame)

    def polled(self, poll: Poll) -> None:
        moves: dict[Place, list[tuple[int, int]]] = defaultdict(list)
        for place, start, end in poll.skipped:
            moves[place].append((start, end))
        for keeper in self._keepers.values():
            for place in keeper.inlets:
                keeper.polled(place, poll.seen.get(place), moves.get(place, ()))

    # -- seen from outside --------------------------------------------------------------------------------------------
    @property
    def is_open(self) -> bool:
        """Assigned, and every assigned partition recovered."""
        return self._generation is not None and self._numbers <= set(self._keepers)

    def caught_up(self) -> set[int]:
        """The open partitions that are applied up to their known ends at this moment."""
        return {number for number, keeper in self._keepers.items() if keeper.caught_up}

    @property
    def numbers(self) -> set[int]:
        """The partition numbers assigned now."""
        return set(self._numbers)

    def opening(self) -> list[int]:
        """Assigned partitions whose state is still being read."""
        return sorted(self._numbers - set(self._keepers))

    def report(self) -> None:
        """Bring all gauges up to date."""
        self._meter.owned(len(self._keepers))
        for keeper in self._keepers.values():
            keeper.report()

    def shut(self) -> None:
        """Let go of the threads; what they still do is bounded by the transaction timeout."""
        self._writing.shutdown(wait=False, cancel_futures=True)
        self._reading.shutdown(wait=False, cancel_futures=True)


def _numbers(numbers: Any) -> str:
    return ", ".join(str(number) for number in sorted(numbers)) or "none"
