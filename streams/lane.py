"""A lane: one partition number of all inputs, its order, its customers and its journal. Pure: no Kafka, no wall clock, no I/O.

Records go in as they are fetched; frames come out: all outputs and changed state of a run of records, to be written as one.
What a frame holds depends on how much was in hand; what all frames hold together depends on the inputs alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Final

from alerting.pack import Pack
from schemas.codec import ReadEvent, Rejected, read, read_value
from schemas.events import EventKind
from schemas.journal import JournalEntry
from schemas.journal_line import line
from schemas.localtime import DAY_MS, Instant
from schemas.outputs.dead_letter import SetAside
from schemas.topics import Registry
from streams.customer.customer import CustomerInHand
from streams.customer.in_hand import CustomersInHand
from streams.customer.state import FORM, FORMS_READ, wake_of
from streams.customer.warnings import Look, Warnings
from streams.merge import Head, Merge
from streams.partition_record import KEY, InputProgress, Outcome, PartitionRecord, Waiting, decode_record, encode_record
from streams.records import InputRecord, Output, Record, trace_of
from streams.timers import Timers
from streams.watermark import Watermark

_CHUNK_BYTES: Final = 256 * 1024
_NO_HEADERS: Final[list[tuple[str, bytes]]] = []


@dataclass(slots=True)
class Frame:
    """What a run of records came to. Written as one: outputs, then changelog (the partition record last), then ``positions``.

    ``steps`` counts what was done for it: records taken, and looks at customers as the clock passed.
    """

    outputs: list[Output]
    changelog: dict[bytes, bytes | None]
    positions: dict[EventKind, int]
    counts: Counter[tuple[EventKind, Outcome]]
    clock: Instant | None
    dead_letters_in_a_row: int
    steps: int
    set_aside: list[SetAside] = field(default_factory=list)

    @property
    def records(self) -> int:
        """How many input records the frame accounts for."""
        return sum(self.counts.values())


class _Step:
    """One thing done to a customer in this frame, kept so that it can be done again after a poison event."""

    __slots__ = ("as_of", "at", "digest", "event", "kind", "look", "offset")

    def __init__(
        self,
        as_of: Instant,
        look: Look,
        kind: EventKind | None = None,
        event: ReadEvent | None = None,
        at: Instant = 0,
        digest: int = 0,
        offset: int = -1,
    ) -> None:
        self.as_of = as_of
        self.look = look
        self.kind = kind
        self.event = event
        self.at = at
        self.digest = digest
        self.offset = offset


class Lane:
    """One partition number. ``states`` is its recovered changelog (key -> value), taken over and kept up to date.

    Raises ValueError where they were written in a form that this version does not read.
    """

    def __init__(self, number: int, registry: Registry, pack: Pack, states: dict[bytes, bytes]) -> None:
        self.number = number
        self.registry = registry
        self.pack = pack
        self.calendar = pack.time
        self.states = states
        stored = states.pop(KEY, None)
        self.record = PartitionRecord(Watermark(pack.disorder_ms), state_form=FORM) if stored is None else decode_record(stored)
        if self.record.state_form not in FORMS_READ:
            raise ValueError(
                f"customers are stored in form {self.record.state_form}, this version reads forms {FORMS_READ[0]} to {FORMS_READ[-1]}; "
                "run the version that wrote them, or start a new namespace from the inputs"
            )
        self.record.state_form = FORM
        self.record.watermark.disorder_ms = pack.disorder_ms
        self._limit = self._budget = 0
        self._lateness_ms = pack.lateness_days * DAY_MS
        self._timers = Timers({key: wake_of(value) for key, value in states.items()})
        self._warnings = Warnings(pack, number)
        latest = {kind: progress.latest for kind, progress in self.record.inputs.items()}
        waiting = self.record.waiting
        if waiting is not None and waiting.place is not None:
            latest[waiting.kind] = waiting.place  # a topic whose first record waits has no progress yet
        self._merge = Merge(self._decode, latest)
        self._waiting = None if waiting is None else Head(waiting.kind, waiting.record(), self._decode, waiting.place)
        if self._waiting is not None and self._waiting.event is not None:
            self._waiting.digest = _identity(self._waiting.event)
        self._customers = CustomersInHand(states, pack, self._warnings, self.record.watermark)
        self._touched: dict[bytes, list[_Step]] = {}
        self._lines: list[bytes] = []
        self._lines_from = self.record.position
        self._lines_size = 0
        self._journal: list[Output] = []
        self._outputs: list[Output] = []
        self._set_aside: list[SetAside] = []
        self._counts: Counter[tuple[EventKind, Outcome]] = Counter()

    # -- records in --------------------------------------------------------------------------------------------------

    @property
    def positions(self) -> dict[EventKind, int]:
        """Per input kind, the next offset to read; a kind never read is missing."""
        return {kind: progress.next for kind, progress in self.record.inputs.items()}

    def offer(self, kind: EventKind, records: Sequence[Record]) -> None:
        """Take records in hand, in offset order; what was accounted for before is skipped."""
        progress, waiting = self.record.inputs.get(kind), self.record.waiting
        known = 0 if progress is None else progress.next
        if waiting is not None and waiting.kind == kind:
            known = waiting.offset + 1
        if records and records[0].offset < known:
            records = [record for record in records if record.offset >= known]
        self._merge.offer(kind, records)

    def ended(self, kind: EventKind, at_end: bool) -> None:
        """Whether this topic's partition holds nothing beyond what was offered."""
        self._merge.ended(kind, at_end)

    def in_hand(self, kind: EventKind) -> int:
        """Records offered and not yet applied; a tick counts until all that fell due with it is judged."""
        if self._waiting is not None:
            return self._merge.in_hand(kind) + (self._waiting.kind == kind)
        clock = self.record.watermark.clock
        return self._merge.in_hand(kind) + (kind == "tick" and clock is not None and self._timers.is_due(clock))

    def _decode(self, kind: EventKind, record: Record) -> tuple[ReadEvent, Instant]:
        event, at = read(kind, record.key, record.value)
        if at > record.timestamp + self.pack.far_future_ms:
            raise Rejected("time", "far_future", "occurred_at lies further ahead of the record's own time than the pack allows", "occurred_at")
        return event, at

    # -- frames out --------------------------------------------------------------------------------------------------

    def frame(self, limit: int) -> Frame | None:
        """Take up to ``limit`` steps in the one order, a record or a look at a customer each; None if none can be taken now."""
        self._limit = self._budget = limit
        if self._go_on():
            while self._budget > 0 and (head := self._merge.next()) is not None and self._take(head):
                pass
        return self._finish() if self._budget < limit else None

    def replay(self, entries: Iterable[JournalEntry], limit: int) -> Iterator[Frame]:
        """Apply journal entries, whose order is settled, in frames of up to ``limit`` steps. Raises ValueError on a gap between positions."""
        self._limit = self._budget = limit
        for entry in entries:
            if entry.position != self.record.position:
                raise ValueError(f"journal partition {self.number} goes on at position {entry.position}, expected {self.record.position}")
            headers = [] if entry.trace is None else [("traceparent", entry.trace.encode())]
            finished = self._take(Head(entry.kind, InputRecord(entry.offset, 1 << 62, None, entry.value, headers), _decode_journal, entry.place))
            while not finished or self._budget <= 0:
                yield self._finish()
                self._budget = limit
                finished = self._go_on()
        if self._budget < limit:
            yield self._finish()

    def _finish(self) -> Frame:
        self._close_chunk()
        changelog = self._customers.store(self._touched)
        for kind, latest in self._merge.latest().items():
            if kind in self.record.inputs:
                self.record.inputs[kind].latest = latest
        changelog[KEY] = encode_record(self.record)
        frame = Frame(
            self._journal + self._outputs,
            changelog,
            self.positions,
            self._counts,
            self.record.watermark.clock,
            max(self.record.dead_letters_in_a_row, self.record.failed_looks_in_a_row),
            self._limit - self._budget,
            self._set_aside,
        )
        self._journal, self._outputs, self._set_aside, self._counts = [], [], [], Counter()
        self._touched = {}
        return frame

    # -- one record --------------------------------------------------------------------------------------------------

    def _take(self, head: Head) -> bool:
        """Take one record. False if the frame is full before all is judged that fell due as this record moved the clock.

        At midnight every active customer falls due at once: no frame could hold them all. What is left is judged in the next
        frames, before anything else; the record itself, which comes after all that, waits in the partition's record. An event that
        came late can leave its customer due at once: that is judged before the next record, so that frames make no difference.
        """
        kind, record = head.kind, head.record
        outcome = self._refused(head)
        if outcome is None:
            watermark = self.record.watermark
            assert head.at is not None
            if kind == "tick":
                # A tick ahead of those behind it in its topic is wild, as an event can be: time has passed as far as its place, no further.
                place = head.place if head.place is not None and head.place < head.at else None
                watermark.tick(head.at if place is None else place)
                self._append(kind, record, place=place)
                self._account(head, "applied")
                return self._fire()
            watermark.event(head.at)
            if not self._fire():
                self._waiting = head
                self.record.waiting = Waiting.of(kind, record, head.place)
                return False
            outcome = self._apply(head)
        self._account(head, outcome)
        return self._fire()

    def _go_on(self) -> bool:
        """Do first what the frame before had no room for; False if this one has not either."""
        if not self._fire():
            return False
        if self._waiting is not None:
            head, self._waiting, self.record.waiting = self._waiting, None, None
            self._account(head, self._apply(head))
        return self._fire()

    def _account(self, head: Head, outcome: Outcome) -> None:
        kind, offset = head.kind, head.record.offset
        progress = self.record.inputs.get(kind)
        if progress is None:
            progress = self.record.inputs[kind] = InputProgress(offset, offset)
        progress.gaps += offset - progress.next
        progress.next = offset + 1
        progress.count(outcome)
        self._counts[kind, outcome] += 1
        self.record.dead_letters_in_a_row = self.record.dead_letters_in_a_row + 1 if outcome == "dead_lettered" else 0
        self._budget -= 1

    def _refused(self, head: Head) -> Outcome | None:
        """How a record ends that changes nothing; None for one that is to be applied."""
        kind, record, event, at = head.kind, head.record, head.event, head.at
        if event is None or at is None:
            assert head.rejected is not None
            self._dead_letter(kind, record, head.rejected)
            return "dead_lettered"
        if kind == "tick":
            return None
        clock = self.record.watermark.clock
        if clock is not None and at < clock - self._lateness_ms:
            self._late(kind, record)
            return "late"
        head.digest = _identity(event)
        state = self._customers.take(head.key, head.customer_id, at).state
        return "duplicate" if head.digest in state.seen and record.offset > state.offsets.get(kind, -1) else None

    def _apply(self, head: Head) -> Outcome:
        """Apply an event to its customer, now that all is judged that fell due before it."""
        kind, record, event, at = head.kind, head.record, head.event, head.at
        assert event is not None
        assert at is not None
        watermark = self.record.watermark
        trace = trace_of(record.headers) if record.headers else None
        key = head.key
        customer = self._customers.take(key, head.customer_id, at)
        if record.offset <= customer.state.offsets.get(kind, -1):
            # Without transactions a crash can lose the partition's record after the customer's: clock and journal go through it again.
            self._append(kind, record, trace)
            return "applied"
        look = Look(kind, event.event_id, self.record.position, watermark.clock, trace)
        step = _Step(watermark.now(at), look, kind, event, at, head.digest, record.offset)
        try:
            outputs = self._do(customer, step)
        except Exception as error:  # a bug in a processor costs its event, never the partition
            self._restore(key, head.customer_id)
            self._dead_letter(kind, record, Rejected("process", "processor_error", "a processor failed on this event"), type(error).__name__)
            return "dead_lettered"
        self._note(key, step)
        self._append(kind, record, trace)
        self._outputs += outputs
        self._timers.set(key, self._warnings.wake(customer))
        return "applied"

    def _fire(self) -> bool:
        """Look at every customer whose instant the clock has now passed, in the order of those instants. False if the frame is full before."""
        clock = self.record.watermark.clock
        if clock is None:
            return True
        while (due := self._timers.pop_due(clock)) is not None:
            wake, key = due
            self._budget -= 1
            customer = self._customers.take(key, key.decode(), wake)
            step = _Step(wake, Look("clock", None, self.record.position, clock, None))
            try:
                outputs = self._do(customer, step)
            except Exception as error:  # as above; the customer is looked at again a day later
                self._restore(key, key.decode())
                aside = SetAside(
                    self.registry.name("customer-changelog"),
                    self.number,
                    self.record.position,
                    "clock",
                    "processor_error",
                    "a rule failed",
                    None,
                    type(error).__name__,
                )
                self.record.failed_looks_in_a_row += 1
                self._set_aside.append(aside)
                self._outputs.append(Output("dead-letters", key, None, aside.headers([])))
                self._timers.set(key, clock + DAY_MS)
            else:
                self.record.failed_looks_in_a_row = 0
                self._note(key, step)
                self._outputs += outputs
                self._timers.set(key, self._warnings.wake(customer))
            if self._budget <= 0 and self._timers.is_due(clock):
                return False
        return True

    def _note(self, key: bytes, step: _Step) -> None:
        steps = self._touched.get(key)
        if steps is None:
            self._touched[key] = [step]
        else:
            steps.append(step)

    def _do(self, customer: CustomerInHand, step: _Step) -> list[Output]:
        if step.kind is None or step.event is None:
            return self._warnings.clock_passed(customer, step.as_of, step.look)
        outputs = self._warnings.day_closed(customer, step.as_of, step.look)
        customer.advance(step.as_of)
        customer.state.now = step.as_of if step.look.watermark is None else step.look.watermark
        state = customer.state
        state.offsets[step.kind] = step.offset
        state.seen[step.digest] = self.calendar.day(step.at)
        families = customer.apply(step.kind, step.event, step.at, step.look.position)
        return outputs + self._warnings.event_applied(customer, step.event, step.at, families, step.look)

    def _restore(self, key: bytes, customer_id: str) -> None:
        """Throw away a half-changed customer: take the last committed one and do this frame's earlier steps again."""
        self._customers.drop(key)
        steps = self._touched.get(key, [])
        customer = self._customers.take(key, customer_id, steps[0].as_of if steps else 0)
        for step in steps:
            self._do(customer, step)

    # -- what goes out -----------------------------------------------------------------------------------------------

    def _append(self, kind: EventKind, record: Record, trace: str | None = None, place: Instant | None = None) -> None:
        assert record.value is not None
        text = line(kind, self.record.position, record.offset, record.value, trace, place)
        self.record.position += 1
        self._lines.append(text)
        self._lines_size += len(text)
        if self._lines_size >= _CHUNK_BYTES:
            self._close_chunk()

    def _close_chunk(self) -> None:
        if self._lines:
            self._journal.append(Output("journal", b"%d" % self._lines_from, b"\n".join(self._lines), _NO_HEADERS))
        self._lines, self._lines_size, self._lines_from = [], 0, self.record.position

    def _dead_letter(self, kind: EventKind, record: Record, rejected: Rejected, exception: str | None = None) -> None:
        aside = SetAside(
            self.registry.inputs[kind].name, self.number, record.offset, rejected.stage, rejected.reason, rejected.message, rejected.field, exception
        )
        self._put_aside("dead-letters", record, aside)

    def _late(self, kind: EventKind, record: Record) -> None:
        message = f"occurred more than {self.pack.lateness_days} days before the partition's clock"
        self._put_aside("late-events", record, SetAside(self.registry.inputs[kind].name, self.number, record.offset, "time", "late", message, "occurred_at"))

    def _put_aside(self, topic: str, record: Record, aside: SetAside) -> None:
        self._set_aside.append(aside)
        self._outputs.append(Output(topic, record.key, record.value, aside.headers(list(record.headers))))


def _identity(event: ReadEvent) -> int:
    """What stands for an event's source and id in the state of its customer."""
    return int.from_bytes(blake2b(f"{event.source}\x00{event.event_id}".encode(), digest_size=8).digest(), "big")


def _decode_journal(kind: EventKind, record: Record) -> tuple[ReadEvent, Instant]:
    return read_value(kind, record.value)
