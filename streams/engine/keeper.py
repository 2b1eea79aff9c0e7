"""One lane and all that belongs to it: records on their way in, the frame being written, and how far everything is.

Invariants: one frame at a time is in flight; an offset is marked done only when its frame is durable; a topic partition is at its
end only when all that was read up to that end has arrived here; it is paused only while it has records in hand, so the merge can
always go on. All methods run in the event loop's thread; only writing happens in another.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any, NamedTuple

from streams.engine.consumer import Seen
from streams.engine.frames import PolledFrame
from streams.engine.meter import Meter
from streams.engine.outside import REAL, Outside
from streams.engine.ports import LaneLike, Place, Reader, Stopped
from streams.engine.steps import Step
from streams.engine.writer import Writer
from streams.records import Record
from streams.settings import WorkerSettings

#: Seconds that applying one frame should take at most: the event loop waits for it, and an alert waits for its frame.
FRAME_SECONDS = 0.1
LEAST_FRAME = 64

#: Seconds after which offsets that stay missing, although they were asked for again, stop the worker.
GAP_SECONDS = 5.0


@dataclass
class Opened:
    """What opening a lane gave: the lane with its recovered state, its writer, and where its inputs are read from."""

    lane: LaneLike
    writer: Writer
    starts: Mapping[Place, int]


class _Portion(NamedTuple):
    """A polled frame on its way through the lane: done when positions pass ``end``. ``oldest`` is a broker time in ms."""

    end: int
    oldest: int
    size: int


class _Inlet:
    """One input partition of the lane."""

    def __init__(self, place: Place, kind: Any, start: int) -> None:
        self.place, self.kind = place, kind
        self.next = start
        self.done = start
        self.waiting: list[Record] = []
        self.portions: deque[_Portion] = deque()
        self.size = 0
        self.held = False
        self.seen: Seen | None = None
        self.moves: dict[int, int] = {}
        self.gap_since: float | None = None

    @property
    def at_end(self) -> bool:
        """Whether everything up to the end known from the latest fetch has arrived here."""
        return self.seen is not None and self.seen.position == self.next >= self.seen.end

    def take(self, frame: PolledFrame) -> bool:
        """Accept a polled frame; False if records before it have not come."""
        if frame.start > self.next:
            return False
        self.gap_since = None
        if frame.end > self.next:
            records = frame.records
            if records[0].offset < self.next:
                records = [record for record in records if record.offset >= self.next]
            self.next = frame.end
            if records:
                size = sum(len(record.value or b"") for record in records)
                self.waiting += records
                self.portions.append(_Portion(records[-1].offset + 1, records[0].timestamp, size))
                self.size += size
        self.skip()
        return True

    def skip(self) -> None:
        """Move past offsets that hold no record."""
        while self.next in self.moves:
            self.next = self.moves.pop(self.next)

    def settle(self, position: int) -> int | None:
        """Everything below ``position`` is durable; the broker time in ms of the oldest record this settled."""
        oldest = self.portions[0].oldest if self.portions and position > self.done else None
        self.done = max(self.done, position)
        while self.portions and self.portions[0].end <= position:
            self.size -= self.portions.popleft().size
        return oldest


class _Share:
    """The share of dead letters among at least the latest ``size`` records, counted frame by frame."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._frames: deque[tuple[int, int]] = deque()
        self._records = 0
        self._dead = 0

    def take(self, counts: Mapping[tuple[Any, str], int]) -> float | None:
        """Count one more frame; None while fewer records have come."""
        records = sum(counts.values())
        dead = sum(count for (_kind, outcome), count in counts.items() if outcome == "dead_lettered")
        self._frames.append((records, dead))
        self._records += records
        self._dead += dead
        while self._records - self._frames[0][0] >= self._size:
            records, dead = self._frames.popleft()
            self._records -= records
            self._dead -= dead
        return self._dead / self._records if self._records >= self._size else None


class Keeper:
    """Runs one lane. ``failed`` is called once, with the reason, when it cannot go on."""

    def __init__(
        self,
        number: int,
        opened: Opened,
        places: Mapping[Place, Any],
        reader: Reader,
        settings: WorkerSettings,
        meter: Meter,
        executor: Executor,
        failed: Callable[[BaseException], None],
        outside: Outside = REAL,
    ) -> None:
        self.number = number
        self.lane = opened.lane
        self._writer = opened.writer
        self._reader = reader
        self._settings = settings
        self._meter = meter
        self._executor = executor
        self._failed = failed
        self._monotonic = outside.monotonic
        self._observe = outside.observe
        self.inlets = {place: _Inlet(place, kind, opened.starts[place]) for place, kind in places.items()}
        self._wake = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._suspended = True
        self._limit = min(settings.frame_events, LEAST_FRAME)
        self._ends: set[Place] = set()
        self._dead_letters = _Share(settings.dead_letters_ratio_records)
        self._task = asyncio.create_task(self._run(), name=f"lane-{number}")

    # -- membership ---------------------------------------------------------------------------------------------------
    def resume(self) -> None:
        """Read on from where the lane is, and apply.

        The group is told where that is: who wrote the last frame may have died before it could, and nothing may come for hours.
        """
        self._suspended = False
        self.read_again()
        for inlet in self.inlets.values():
            if inlet.kind in self.lane.positions:
                self._reader.mark_done(inlet.place, inlet.done)
            if not inlet.held:
                self._reader.release(inlet.place)
        self._wake.set()

    def read_again(self) -> None:
        """Ask for everything from the first offset that has not arrived."""
        for inlet in self.inlets.values():
            inlet.seen = None
            inlet.moves.clear()
            self._reader.seek_place(inlet.place, inlet.next)

    async def suspend(self) -> None:
        """Begin no further frame; returns when the one being written is durable, or has failed."""
        self._suspended = True
        await self._idle.wait()

    async def close(self) -> None:
        """Throw the lane away. Call ``suspend`` first."""
        self._task.cancel()
        await asyncio.get_running_loop().run_in_executor(self._executor, self._writer.close)

    # -- records in ---------------------------------------------------------------------------------------------------
    def received(self, place: Place, frame: PolledFrame) -> None:
        inlet = self.inlets[place]
        if not inlet.take(frame):
            self._mind_the_gap(inlet, frame)
            return
        if not inlet.held and self._is_full(inlet):
            inlet.held = True
            self._reader.hold(place)
        self._observe(Step.polled, self.number)
        self._wake.set()

    def polled(self, place: Place, seen: Seen | None, moves: Sequence[tuple[int, int]]) -> None:
        """What the latest poll said about one of this lane's inputs."""
        inlet = self.inlets[place]
        if seen is not None:
            inlet.seen = seen
        if moves:
            inlet.moves.update(moves)
            inlet.skip()
        if inlet.at_end != (place in self._ends):
            self._wake.set()

    def _mind_the_gap(self, inlet: _Inlet, frame: PolledFrame) -> None:
        """Frames dropped in a rebalance are asked for again; offsets that do not come back are gone from the topic."""
        now = self._monotonic()
        if inlet.gap_since is None:
            inlet.gap_since = now
        elif now - inlet.gap_since > GAP_SECONDS:
            place = inlet.place
            self._failed(
                Stopped(
                    f"{place.topic}[{place.partition}]: offsets {inlet.next} to {frame.start - 1} are gone; has retention removed them before they were read?"
                )
            )
            return
        self._reader.seek_place(inlet.place, inlet.next)

    def _count(self, inlet: _Inlet) -> int:
        return self.lane.in_hand(inlet.kind) + len(inlet.waiting)

    def _is_full(self, inlet: _Inlet) -> bool:
        count = self._count(inlet)
        return count > 0 and (count >= self._settings.buffer_events or inlet.size >= self._settings.buffer_bytes)

    def _release(self, *, at_any_level: bool = False) -> None:
        for inlet in self.inlets.values():
            if inlet.held and (at_any_level or (self._count(inlet) * 2 <= self._settings.buffer_events and inlet.size * 2 <= self._settings.buffer_bytes)):
                inlet.held = False
                self._reader.release(inlet.place)

    # -- frames out ---------------------------------------------------------------------------------------------------
    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while True:
                await self._wake.wait()
                self._wake.clear()
                while not self._suspended:
                    began = self._monotonic()
                    frame = self._next_frame()
                    if frame is None:
                        break
                    self._idle.clear()
                    applied = self._monotonic()
                    self._adapt(frame, applied - began)
                    self._observe(Step.applied, self.number)
                    await loop.run_in_executor(self._executor, self._writer.write, frame)
                    self._observe(Step.committed, self.number)
                    self._settle(frame)
                    self._observe(Step.marked, self.number)
                    self._meter.frame(self.number, frame, applied - began, self._monotonic() - applied)
                    self._mind_the_dead_letters(frame)
                    self._idle.set()
                    await asyncio.sleep(0)
        except asyncio.CancelledError:
            raise
        except BaseException as error:
            self._suspended = True
            self._failed(error)
        finally:
            self._idle.set()

    def _next_frame(self) -> Any:
        lane = self.lane
        self._ends.clear()
        for place, inlet in self.inlets.items():
            if inlet.waiting:
                lane.offer(inlet.kind, inlet.waiting)
                inlet.waiting = []
            at_end = inlet.at_end
            lane.ended(inlet.kind, at_end)
            if at_end:
                self._ends.add(place)
        frame = lane.frame(self._limit)
        if frame is None:
            self._release()  # what a lane had in its state already is in nobody's hand, and no frame says so
        if frame is None and all(place in self._ends or lane.in_hand(inlet.kind) for place, inlet in self.inlets.items()):
            # No topic is missing, so the lane must see further into one it has already: full or not, read on.
            self._release(at_any_level=True)
        return frame

    def _mind_the_dead_letters(self, frame: Any) -> None:
        """Set aside one by one, a whole topic would end among the dead letters while everything looks well."""
        share = self._dead_letters.take(frame.counts)
        if share is not None and share > self._settings.dead_letters_ratio:
            raise Stopped(
                f"partition {self.number}: {share:.0%} of the latest {self._settings.dead_letters_ratio_records} records are dead letters; "
                "nothing is lost, all are in the dead-letter topic with their reasons. "
                "Mend the cause, or let more pass with FENGHUO_WORKER__DEAD_LETTERS_RATIO",
                code=1,
            )
        run = frame.dead_letters_in_a_row
        if run >= self._settings.dead_letters_in_a_row:
            raise Stopped(
                f"partition {self.number}: {run} dead letters in a row; nothing is lost, all are in the dead-letter topic with their reasons. "
                "Mend the cause, or let more pass with FENGHUO_WORKER__DEAD_LETTERS_IN_A_ROW",
                code=1,
            )

    def _adapt(self, frame: Any, seconds: float) -> None:
        """Let frames grow with the backlog, but no longer than they may take."""
        if frame.steps >= self._limit or seconds > FRAME_SECONDS:
            fitting = int(frame.steps * FRAME_SECONDS / max(seconds, 1e-6))
            self._limit = max(min(fitting, self._limit * 4, self._settings.frame_events), min(LEAST_FRAME, self._settings.frame_events))

    def _settle(self, frame: Any) -> None:
        oldest: list[int] = []
        for place, inlet in self.inlets.items():
            position = frame.positions.get(inlet.kind)
            if position is not None and position > inlet.done:
                settled = inlet.settle(position)
                if settled is not None:
                    oldest.append(settled)
                self._reader.mark_done(place, position)
        self._meter.settled(oldest)
        self._release()

    # -- seen from outside --------------------------------------------------------------------------------------------
    @property
    def caught_up(self) -> bool:
        """Everything up to the known ends is applied and durable."""
        return self._idle.is_set() and all(inlet.at_end and self._count(inlet) == 0 for inlet in self.inlets.values())

    def report(self) -> None:
        """Bring the gauges up to date."""
        self._meter.in_hand(self.number, sum(self._count(inlet) for inlet in self.inlets.values()))
        now = time.time()
        for place, inlet in self.inlets.items():
            behind = 0 if inlet.at_end and not self._count(inlet) else max(0, (inlet.seen.end if inlet.seen else inlet.next) - inlet.done)
            oldest = inlet.portions[0].oldest if inlet.portions else None
            self._meter.lag(place, behind, 0.0 if oldest is None or not behind else max(0.0, now - oldest / 1000))
