"""Opening a lane: fence the previous owner, read the state back from the changelog, find where to read on.

The order matters. Once the transactional id is ours, nobody can write to this partition's changelog any more, so what is read
then is all there is. The group's offsets are asked for before: what they count is in the changelog by then. A changelog that lags
behind them has lost state: the lane refuses to open rather than count from the wrong start.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from confluent_kafka import (
    Consumer,
    IsolationLevel,
    KafkaError,
    KafkaException,
    TopicPartition,
)
from confluent_kafka.admin import OffsetSpec  # type: ignore[attr-defined]

from streams.engine.outside import REAL, Outside
from streams.engine.ports import Place, Processor, Stopped

_FIRST, _NEXT = OffsetSpec.earliest(), OffsetSpec.latest()  # type: ignore[no-untyped-call]

#: Errors that pass by themselves.
_PASSING = {
    KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
    KafkaError.COORDINATOR_NOT_AVAILABLE,
    KafkaError.NOT_COORDINATOR,
    KafkaError.LEADER_NOT_AVAILABLE,
    KafkaError.NOT_LEADER_FOR_PARTITION,
    KafkaError.OFFSET_NOT_AVAILABLE,
    KafkaError.FENCED_LEADER_EPOCH,
    KafkaError.UNKNOWN_LEADER_EPOCH,
    KafkaError.UNKNOWN_TOPIC_OR_PART,
    KafkaError.BROKER_NOT_AVAILABLE,
    KafkaError.REPLICA_NOT_AVAILABLE,
    KafkaError.REQUEST_TIMED_OUT,
    KafkaError.NETWORK_EXCEPTION,
    KafkaError._TRANSPORT,
    KafkaError._TIMED_OUT,
    KafkaError._ALL_BROKERS_DOWN,
    KafkaError._NOENT,  # "no leaders found": asked for offsets while leaders are being elected
}

#: Seconds that a recovery may go without any progress before the worker gives up.
STALL_SECONDS = 60.0

#: Seconds to wait for one answer about offsets: a leader that is gone never gives it, and then the new one is looked for.
ANSWER_SECONDS = 5.0


@dataclass(frozen=True)
class Recovered:
    """What the changelog held for one partition number, how it was read, and what the group had committed of its inputs before."""

    states: dict[bytes, bytes]
    records: int
    seconds: float
    committed: Mapping[Place, int]


class Store:
    """Reads changelogs and offsets of one processor; safe to use from several threads.

    A consumer belongs to the thread that made it, and is closed by it: where two share one, the second waits for the first, and a
    close for both.
    """

    def __init__(self, processor: Processor, client_config: Mapping[str, Any], outside: Outside = REAL) -> None:
        self._processor = processor
        self._config = dict(client_config)
        self._outside = outside
        self._admin = outside.admin(client_config)

    def recover(self, number: int, cancelled: Callable[[], bool]) -> Recovered | None:
        """The changelog of one partition as a dict; tombstones delete. None if ``cancelled``.

        Blocks; raises Stopped when the broker stays away.
        """
        monotonic = self._outside.monotonic
        began = monotonic()
        place = Place(self._processor.changelog, number)
        states: dict[bytes, bytes] = {}
        records = 0
        consumer = self._onlooker(
            {
                "isolation.level": "read_committed",
                "enable.partition.eof": True,
                "auto.offset.reset": "earliest",
                "fetch.wait.max.ms": 20,
                "queued.max.messages.kbytes": 65_536,
            }
        )
        try:
            committed = self._committed(consumer, list(self._processor.places(number)))
            end = self._offsets([place], _NEXT, IsolationLevel.READ_UNCOMMITTED)[place]
            begin = self.lows([place])[place]  # librdkafka takes half a second to find the beginning by itself
            consumer.assign([TopicPartition(place.topic, number, begin)])
            deadline = monotonic() + STALL_SECONDS
            while not cancelled():
                for message in consumer.consume(10_000, 0.05):
                    error = message.error()
                    if error is None:
                        records += 1
                        key, value = message.key() or b"", message.value()
                        if value is None:
                            states.pop(key, None)
                        else:
                            states[key] = value
                        deadline = monotonic() + STALL_SECONDS
                    elif error.code() == KafkaError._PARTITION_EOF:
                        # An end below the log's own end is a transaction still open: its fenced writer is being rolled back.
                        if (message.offset() or 0) >= end:
                            return Recovered(states, records, monotonic() - began, committed)
                    elif error.fatal():
                        raise Stopped(f"cannot read the changelog {place.topic}[{number}]: {error.str()}")
                if monotonic() > deadline:
                    raise Stopped(f"no progress in {STALL_SECONDS:.0f} s reading the changelog {place.topic}[{number}]; is the broker reachable?")
            return None
        finally:
            consumer.close()

    def starts(self, number: int, positions: Mapping[Any, int], committed: Mapping[Place, int]) -> dict[Place, int]:
        """Where each input partition is read from. Raises Stopped when group offsets or retention contradict the state.

        ``committed`` is what ``recover`` asked for before it read the state: offsets that another worker has committed since, because
        this one was silent for too long and does not know it yet, say nothing about the changelog.
        """
        places = self._processor.places(number)
        lows = self.lows(list(places))
        starts: dict[Place, int] = {}
        for place, kind in places.items():
            low, position, done = lows[place], positions.get(kind), committed.get(place)
            where = f"{place.topic}[{place.partition}]"
            if done is not None and done > (low if position is None else position):
                raise Stopped(
                    f"{where}: group {self._processor.group} has committed {done}, but the state in {self._processor.changelog}[{number}] "
                    f"ends at {position or 0}: the changelog has lost records. Restore it, or reset group and state together",
                    code=2,
                )
            if position is not None and position < low:
                raise Stopped(
                    f"{where}: retention has removed offsets {position} to {low - 1} before they were read. "
                    "Restore them, or reset the state to accept the loss",
                    code=2,
                )
            starts[place] = low if position is None else position
        return starts

    def committed(self, places: list[Place]) -> dict[Place, int]:
        """The group's committed offsets; a place without one is absent."""
        consumer = self._onlooker({})
        try:
            return self._committed(consumer, places)
        finally:
            consumer.close()

    def _onlooker(self, settings: Mapping[str, Any]) -> Consumer:
        """A consumer that never joins the group. (``AdminClient.list_consumer_group_offsets`` crashes the process while a coordinator is
        loading: librdkafka 2.16.)
        """
        return self._outside.consumer(self._config | {"group.id": self._processor.group, "enable.auto.commit": False, **settings})

    def _committed(self, consumer: Consumer, places: list[Place]) -> dict[Place, int]:
        def ask() -> dict[Place, int]:
            found = consumer.committed([TopicPartition(*place) for place in places], timeout=ANSWER_SECONDS)
            return {Place(tp.topic, tp.partition): tp.offset for tp in found if tp.offset >= 0}

        return self._patiently(ask, f"the offsets of group {self._processor.group}")

    def ends(self, places: list[Place]) -> dict[Place, int]:
        """The offsets that the next records will get, or of the first undecided one."""
        return self._offsets(places, _NEXT, IsolationLevel.READ_COMMITTED)

    def lows(self, places: list[Place]) -> dict[Place, int]:
        """The offsets of the oldest records that are still there."""
        return self._offsets(places, _FIRST, IsolationLevel.READ_UNCOMMITTED)

    def _offsets(self, places: list[Place], spec: Any, isolation: Any) -> dict[Place, int]:
        def ask() -> dict[Place, int]:
            futures = self._admin.list_offsets({TopicPartition(*place): spec for place in places}, isolation_level=isolation, request_timeout=ANSWER_SECONDS)
            found = {Place(tp.topic, tp.partition): future.result().offset for tp, future in futures.items()}
            if min(found.values()) < 0:  # no error, and no answer either: a leader that has just come back
                raise KafkaException(KafkaError(KafkaError.OFFSET_NOT_AVAILABLE))
            return found

        return self._patiently(ask, f"the offsets of {places[0].topic}")

    def _patiently(self, ask: Callable[[], dict[Place, int]], what: str) -> dict[Place, int]:
        """Ask until answered: coordinators load and leaders move for seconds after a broker is lost."""
        deadline = self._outside.monotonic() + STALL_SECONDS
        while True:
            try:
                return ask()
            except KafkaException as error:
                cause = error.args[0]
                if cause.code() not in _PASSING or self._outside.monotonic() > deadline:
                    raise Stopped(f"cannot read {what}: {cause.str()} ({cause.name()})") from None
                self._outside.sleep(0.2)
                self._look_for_leaders()

    def _look_for_leaders(self) -> None:
        """librdkafka's admin client goes on asking the leader it knows, for minutes, unless it is told to look again."""
        with suppress(KafkaException):
            self._admin.list_topics(timeout=5)
