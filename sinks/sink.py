"""The sink: reads what the workers published, and fills ClickHouse, each range of offsets once.

A turn is: read; of the partitions with enough in hand, take the next step of one's range; when there is none, or some time has
passed, commit what was confirmed. While ClickHouse takes a batch, a second thread makes the next one ready, where it is clear which that
is. While ClickHouse is away, reading pauses and the same batch is tried again, each time later; membership of the group goes on.
Offsets are committed after the rows are confirmed, never before.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence

from clickhouse_connect.driver.client import Client
from confluent_kafka import KafkaException

from schemas.connection import KafkaSettings
from schemas.telemetry import Telemetry
from sinks.connection import address, connect
from sinks.dead_letters import DeadLetters, KafkaDeadLetters
from sinks.hand import Hand
from sinks.migrate import COMPLAINT_CLOCK, Migrator
from sinks.milestones import Milestone, Observer, unobserved
from sinks.outage import Outage
from sinks.prepared import Ahead, Prepared
from sinks.range_store import ClickHouseRanges, RangeStore
from sinks.ranges import Do, Range, next_step
from sinks.rows import Record
from sinks.settings import ClickHouseSettings, SinkSettings
from sinks.source import End, Fetched, KafkaGone, KafkaSource, NotOwner, Place, Source
from sinks.tables import declared_tables
from sinks.views.complaints import ClockLine
from sinks.writer import Batch, SinkStopped, Writer

log = logging.getLogger(__name__)
_STALLED_SECONDS = 180.0
_REPORT_SECONDS = 1.0
_COMMIT_SECONDS = 0.2
_PATIENCE = 5  # so many times as long a small batch waits where full ones go before it, or more to fill it is there
_BEHIND = 0.125  # of a batch, in one read or at a partition's end: more than a live load brings
__all__ = ["KafkaGone", "Sink", "SinkStopped"]


class Sink:
    """One member of the sink's consumer group. ``run`` belongs to one thread; the probes may ask from any.

    ``client`` may be shared with nothing else. Without one the sink connects by itself, and waits for the server. ``source``,
    ``ranges`` and ``dead_letters`` are Kafka's and ClickHouse's unless given. ``observe`` is told each milestone of each batch.
    ``complaint_clock`` is the policy pack's, to be compared with the one that ClickHouse judges by: only a warning, for no row depends on it.
    """

    def __init__(
        self,
        settings: SinkSettings,
        clickhouse: ClickHouseSettings,
        kafka: KafkaSettings,
        telemetry: Telemetry,
        client: Client | None = None,
        *,
        source: Source | None = None,
        ranges: RangeStore | None = None,
        dead_letters: DeadLetters | None = None,
        observe: Observer = unobserved,
        complaint_clock: Sequence[ClockLine] | None = None,
    ) -> None:
        self._settings = settings
        self._complaint_clock = complaint_clock
        self._clickhouse = clickhouse
        self._registry = kafka.registry()
        self._telemetry = telemetry
        self._client = client
        self._source: Source = source or KafkaSource(kafka, settings.group, settings.session_timeout_seconds, telemetry)
        self._dead_letters: DeadLetters = dead_letters or KafkaDeadLetters(kafka)
        self._group = f"{kafka.namespace}-{settings.group}"
        self._observe = observe
        self._hands: dict[Place, Hand] = {}
        self._stored: dict[Place, Range | None] = {}
        self._pending: dict[Place, Batch] = {}
        self._confirmed: dict[Place, int] = {}
        self._committed: dict[Place, int] = {}
        self._incarnations: dict[str, str] = {}
        self._tables = declared_tables(clickhouse.business_timezone)
        self._ahead = Ahead({table.name: table for table in self._tables})
        self._writer: Writer | None = None
        self._ranges: RangeStore | None = ranges
        self._waiting = ["kafka: partitions"]
        self._outage = Outage(address(clickhouse), settings.retry_seconds, telemetry)
        self._turned = time.monotonic()
        self._reported = 0.0
        self._commit_at = 0.0
        self._more = False  # whether the last turn found a batch
        self._behind = False
        self._caught_up = threading.Event()

    # -- for the probes and whoever runs the sink in a thread ---------------------------------------------------------------

    def live(self) -> bool:
        """Whether the loop has turned lately."""
        return time.monotonic() - self._turned < _STALLED_SECONDS

    def waiting_for(self) -> list[str]:
        """What it waits for; empty when rows flow."""
        return [*self._waiting, *([self._outage.why] if self._outage.why else [])]

    def caught_up(self) -> bool:
        """Whether every assigned partition was read to its end, and all of it is in ClickHouse and committed."""
        return self._caught_up.is_set()

    # -- the loop ----------------------------------------------------------------------------------------------------------

    def run(self, stop: threading.Event, until_drained: bool = False) -> bool:
        """Work until ``stop`` is set, or until caught up. Returns whether everything read was stored and committed.

        Raises SinkStopped, KafkaGone. Nothing is lost either way: what is not committed is read again.
        """
        try:
            if not self._prepare(stop):
                return True
            self._source.open(self._assigned, self._revoked)
            while not stop.is_set():
                self._turn(0.2)
                if until_drained and self.caught_up():
                    break
            return self._drain()
        finally:
            self._waiting = ["kafka: partitions"]
            self._ahead.close()
            self._source.close()

    def _prepare(self, stop: threading.Event) -> bool:
        while not stop.is_set() and not self._outage.ended_by(self._connect):
            self._turned = time.monotonic()
            stop.wait(self._outage.seconds_left)
        if self._client is None:
            return False
        self._writer = Writer(
            self._client,
            self._clickhouse.database,
            self._tables,
            self._registry,
            self._dead_letters,
            self._telemetry,
            self._settings.refused_rows,
            self._observe,
        )
        return True

    def _connect(self) -> None:
        if self._client is None:
            self._client = connect(self._clickhouse)
        self._compare_schema(self._client)

    def _compare_schema(self, client: Client) -> None:
        pending = Migrator(client, self._clickhouse, self._complaint_clock).pending()
        behind = [step for step in pending if step.name != COMPLAINT_CLOCK]
        if behind:
            raise SinkStopped(f"{self._clickhouse.database} at {address(self._clickhouse)} is {len(behind)} steps behind: fenghuo migrate up")
        if pending:
            log.warning(
                "%s.v_complaints judges by other limits than the policy pack of this sink: due_at and in_time are not what the rules say,"
                " until: fenghuo migrate up",
                self._clickhouse.database,
            )

    def _turn(self, timeout: float) -> None:
        self._turned = now = time.monotonic()
        came = 0
        for item in self._read(timeout):
            hand = self._hands.get(item.place)
            if hand is None:
                continue
            if isinstance(item, Fetched):
                came += hand.add(item, now)
            else:
                _read_to_end(hand, item)
        self._behind = came >= self._settings.batch_rows * _BEHIND
        if self._outage.seconds_left <= 0:
            self._outage.ended_by(lambda: self._advance(flush=False))
        self._hold_back()
        self._report()

    def _read(self, timeout: float) -> list[Fetched | End]:
        """Wait only with nothing to do; leave records in the client while there is enough: a pause would throw them away."""
        if not self._more:
            return self._source.poll(timeout)
        return [] if self._enough() else self._source.poll(0.0)

    def _advance(self, flush: bool) -> None:
        """A step of the partition whose turn it is."""
        self._more = False
        now = time.monotonic()
        patiences = (_PATIENCE,) if self._behind and not flush else (_PATIENCE, 1)
        hand = next((one for patience in patiences for one in self._hands.values() if self._ready(one, flush, now, patience)), None)
        if hand is None and self._enough():  # over so many partitions that none has a full batch
            hand = max((one for one in self._hands.values() if not one.waiting), key=lambda one: one.rows)
        if hand is not None:
            self._step(hand)
            self._hands[hand.place] = self._hands.pop(hand.place)
            self._more = True
        if hand is None or time.monotonic() >= self._commit_at:
            self._commit()
            self._commit_at = time.monotonic() + _COMMIT_SECONDS

    def _ready(self, hand: Hand, flush: bool, now: float, patience: int) -> bool:
        if hand.place in self._pending:
            return True
        rest = hand.at_end and hand.rows >= self._settings.batch_rows * _BEHIND  # of what had piled up: to wait for more would bring little
        return bool(hand.records) and not hand.waiting and (flush or rest or hand.ripe(self._settings, now, patience))

    def _step(self, hand: Hand) -> None:
        batch = self._pending.get(hand.place) or self._next_batch(hand)
        if batch is None:
            return
        if batch.made.rows or batch.made.malformed:
            self._pending[hand.place] = batch
            self._look_ahead(hand)
            assert self._writer is not None
            self._writer.write(batch)
            self._observe(Milestone.BATCH_STORED)
            del self._pending[hand.place]
        self._done(hand, batch.offsets.last)

    def _look_ahead(self, present: Hand) -> None:
        """Begin with the batch after this partition's, in the order of turns, where nothing that is read can change it."""
        if not self._ahead.free:
            return
        for hand in (*(one for one in self._hands.values() if one is not present), present):
            if hand.place in self._stored:
                stored = self._stored[hand.place]
                if records := hand.full(self._settings, -1 if stored is None else stored.last):
                    self._ahead.start(hand.place, records)
                    return

    def _next_batch(self, hand: Hand) -> Batch | None:
        """The next range to insert, written down; one without rows is to be skipped; None is to wait for more."""
        short, partition = hand.place
        name, ranges = self._registry.name(short), self._range_store()
        if hand.place not in self._stored:
            stored_ranges = ranges.load([self._registry.name(one) for one, _ in self._hands])
            for place in self._hands:
                self._stored.setdefault(place, stored_ranges.get((self._registry.name(place[0]), place[1])))
        while True:
            stored = self._stored[hand.place]
            step = next_step(stored, hand.span(self._settings) if stored is None else self._span(hand, stored), hand.reached)
            if step.do is Do.WAIT:
                hand.wait()
                return None
            if step.do is Do.RECORD:
                self._observe(Milestone.RANGE_CHOSEN)
                self._stored[hand.place] = ranges.claim(name, partition, step.range)
                self._observe(Milestone.RANGE_STORED)
                if self._stored[hand.place] != step.range:
                    log.warning("%s[%d]: another sink holds %s; going on with its range", name, partition, self._stored[hand.place])
                    continue
            skip = step.do is Do.SKIP
            if skip:
                log.info("%s[%d]: %s is in ClickHouse already", name, partition, step.range)
            records: list[Record] = [] if skip else list(hand.within(step.range))
            made = self._ahead.take(hand.place, records) if records else Prepared()
            return Batch(short, name, self._incarnations.get(short, ""), partition, step.range, made, records)

    def _span(self, hand: Hand, stored: Range) -> Range:
        """What is in hand, cut to a batch where it is new, whole where the stored range is still in doubt."""
        first = hand.records[0].offset
        return hand.span(self._settings) if first > stored.last else Range(first, hand.records[-1].offset)

    def _done(self, hand: Hand, last: int) -> None:
        hand.drop(last, time.monotonic())
        self._confirmed[hand.place] = last + 1

    def _commit(self) -> None:
        positions = dict(self._confirmed)
        for place, hand in self._hands.items():
            if hand.at_end and not hand.records and place not in self._pending:
                positions[place] = max(hand.reached, positions.get(place, 0))
        positions = {place: position for place, position in positions.items() if position > self._committed.get(place, 0)}
        if not positions:
            return
        self._observe(Milestone.COMMITTING)
        try:
            self._source.commit(positions)
        except NotOwner as refused:
            log.info("commit refused (%s): the partitions have a new owner", refused)
            return
        except KafkaException as error:
            log.warning("commit failed, will be repeated: %s", error.args[0])
            return
        self._observe(Milestone.COMMITTED)
        self._committed.update(positions)
        self._confirmed = {place: position for place, position in self._confirmed.items() if position > self._committed[place]}
        self._telemetry.counter("crm_sink_commits_total").inc()

    def _drain(self) -> bool:
        deadline = time.monotonic() + self._settings.drain_seconds
        while True:
            self._turned = time.monotonic()
            if self._outage.seconds_left <= 0 and self._outage.ended_by(lambda: self._advance(flush=True)):
                if not self._more and not self._confirmed:
                    return True
                if self._more and time.monotonic() < deadline:
                    continue
            if time.monotonic() > deadline:
                log.warning("left with rows in hand: they are not committed and will be read again")
                return False
            self._source.pause()
            self._source.poll(min(0.5, max(0.05, self._outage.seconds_left)))

    def _hold_back(self) -> None:
        if self._outage.why or (self._enough() and not self._more):
            self._source.pause()
        else:
            self._source.resume()

    def _enough(self) -> bool:
        """Whether enough is in hand; what waits for the end of its stored range must be let in."""
        return sum(hand.rows for hand in self._hands.values() if not hand.waiting) >= self._settings.backlog_rows

    # -- membership ---------------------------------------------------------------------------------------------------------

    def _assigned(self, places: list[Place]) -> None:
        self._caught_up.clear()
        for place in places:
            self._forget(place)
            self._hands[place] = Hand(place)
        self._waiting = []
        log.info("assigned %d partitions", len(places))

    def _revoked(self, places: list[Place]) -> None:
        self._caught_up.clear()
        for place in places:
            self._forget(place)
        if not self._hands:
            self._waiting = ["kafka: partitions"]

    def _forget(self, place: Place) -> None:
        for memory in (self._hands, self._stored, self._pending, self._confirmed, self._committed):
            memory.pop(place, None)
        self._ahead.forget(place)

    def _range_store(self) -> RangeStore:
        if not self._incarnations:
            self._incarnations = self._source.incarnations()
        if self._ranges is None:
            assert self._client is not None
            names = {self._registry.name(short): incarnation for short, incarnation in self._incarnations.items()}
            self._ranges = ClickHouseRanges(self._client, self._clickhouse.database, names)
        return self._ranges

    def _report(self) -> None:
        done = bool(self._hands)
        for place, hand in self._hands.items():
            done = done and hand.at_end and not hand.records and (hand.reached == 0 or self._committed.get(place, 0) >= hand.reached)
        if done != self._caught_up.is_set() or self._turned - self._reported >= _REPORT_SECONDS:
            self._reported = self._turned
            self._report_lags()
        if done:
            self._caught_up.set()
        else:
            self._caught_up.clear()

    def _report_lags(self) -> None:
        now = time.time()
        for place, hand in self._hands.items():
            name, partition = self._registry.name(place[0]), str(place[1])
            age = now - hand.records[0].timestamp / 1000 if hand.records else 0.0
            self._telemetry.gauge("crm_consumer_lag_seconds").labels(self._group, name, partition).set(max(0.0, age))
            position = self._committed.get(place)
            lag = None if position is None else self._source.lag(place, position)
            if lag is not None:
                self._telemetry.gauge("crm_consumer_lag_events").labels(self._group, name, partition).set(lag)


def _read_to_end(hand: Hand, end: End) -> None:
    hand.reached = max(hand.reached, end.offset)
    hand.at_end = True
