"""Kafka clients on the simulated broker, with librdkafka's names: what the engine's writer and store are given.

Each call is a step at which a fault may strike, before and after it has taken effect.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from confluent_kafka import IsolationLevel, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import OffsetSpec

from streams.engine.outside import Outside
from streams.engine.ports import Place
from tests.simulation.broker import Broker, Fenced, Group, Message
from tests.simulation.faults import Faults
from tests.simulation.scheduler import Process

_EARLIEST = type(OffsetSpec.earliest())

#: Told before a batch reaches the broker: the process, the partition number and what it writes to.
Watch = Callable[[Process, Place], None]


class Machine(NamedTuple):
    """What the clients of one process share."""

    process: Process
    broker: Broker
    group: Group
    faults: Faults
    wrote: Watch

    def outside(self) -> Outside:
        """All that the engine takes from outside, simulated."""
        scheduler = self.process.scheduler
        return Outside(
            lambda config: _Producer(self, config),  # type: ignore[arg-type,return-value]
            lambda _config: _Consumer(self),  # type: ignore[arg-type,return-value]
            lambda _config: _Admin(self),  # type: ignore[arg-type,return-value]
            scheduler.monotonic,
            self.pause,
        )

    def pause(self, seconds: float) -> None:
        job = self.process.scheduler.job
        assert job is not None
        job.pause(seconds)

    def step(self, name: str) -> None:
        """One message over the network. Where nothing strikes it often takes no time: that is cheap, and others cannot tell."""
        struck = self.faults.step(self.process, name)
        if struck or self.process.scheduler.random.random() < 0.4:
            self.pause(self.faults.latency())


class _Producer:
    """Transactional if it has an id."""

    def __init__(self, machine: Machine, config: Mapping[str, Any]) -> None:
        self._machine = machine
        self._id = config.get("transactional.id")
        self._epoch = 0
        self._batches: dict[Place, list[Message]] = defaultdict(list)

    def init_transactions(self, _timeout: float) -> None:
        machine = self._machine
        machine.step("init")
        self._epoch = machine.broker.take_over(self._id, machine.process.name)
        self._wait_for_markers()
        machine.step("initiated")

    def _wait_for_markers(self) -> None:
        while self._machine.broker.busy(self._id):
            self._machine.pause(0.02)

    def begin_transaction(self) -> None:
        """No message: the broker hears of a transaction with its first batch."""

    def produce(self, topic: str, value: bytes | None, key: bytes | None, partition: int, *, on_delivery: Any = None, headers: Any = ()) -> None:  # noqa: ARG002
        self._batches[Place(topic, partition)].append(Message(key, value, list(headers)))

    def _send(self) -> None:
        """What was produced, in batches: in order within a partition, in any order among them."""
        machine, random = self._machine, self._machine.process.scheduler.random
        batches, self._batches = self._batches, defaultdict(list)
        if self._id is not None:
            self._wait_for_markers()
        places = list(batches)
        random.shuffle(places)
        for place in places:
            messages = batches[place]
            cut = random.randint(1, len(messages)) if random.random() < 0.3 else len(messages)
            for batch in (messages[:cut], messages[cut:]):
                if batch:
                    machine.step("send")
                    machine.wrote(machine.process, place)
                    if self._id is None:
                        machine.broker.append(place, batch)
                    else:
                        self._fenced(lambda place=place, batch=batch: machine.broker.send(self._id, self._epoch, place, batch))

    def commit_transaction(self, _timeout: float) -> None:
        machine = self._machine
        self._send()
        trouble = machine.faults.trouble()
        if trouble == "again":
            raise KafkaException(KafkaError(KafkaError.REQUEST_TIMED_OUT, "simulated", retriable=True))
        if trouble == "abort":
            raise KafkaException(KafkaError(KafkaError.COORDINATOR_NOT_AVAILABLE, "simulated", txn_requires_abort=True))
        machine.step("commit")
        self._fenced(lambda: machine.broker.end(self._id, self._epoch, True))
        machine.step("committed")

    def abort_transaction(self, _timeout: float) -> None:
        self._machine.step("abort")
        self._fenced(lambda: self._machine.broker.end(self._id, self._epoch, False))
        self._batches.clear()

    def _fenced(self, call: Callable[[], None]) -> None:
        try:
            call()
        except Fenced:
            self._machine.faults.fenced(self._machine.process, self._machine.broker.owners[self._id].name)
            raise KafkaException(KafkaError(KafkaError._FENCED, "simulated", fatal=True)) from None

    def flush(self, _timeout: float) -> int:
        self._send()
        self._machine.step("flushed")
        return 0

    def purge(self) -> None:
        self._batches.clear()

    def poll(self, _timeout: float) -> int:
        return 0


class _Polled(NamedTuple):
    """A consumer's message or its news that a partition's end is reached."""

    at: int
    record_key: bytes | None = None
    record_value: bytes | None = None
    trouble: KafkaError | None = None

    def error(self) -> KafkaError | None:
        return self.trouble

    def key(self) -> bytes | None:
        return self.record_key

    def value(self) -> bytes | None:
        return self.record_value

    def offset(self) -> int:
        return self.at


class _Consumer:
    """Reads one partition as ``read_committed``, or answers for the group's offsets. Belongs to the job that made it, until that closes it.

    A real one lets a second thread wait until the first is answered, and whoever closes it too: an event loop, as a worker stops.
    """

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._owner = machine.process.scheduler.job
        self._place: Place | None = None
        self._next = 0
        self._told: int | None = None

    def _mine(self) -> None:
        if self._owner is None or self._machine.process.scheduler.job is not self._owner:
            raise RuntimeError("a consumer is used after it was closed, or by another thread than its own")

    def assign(self, partitions: list[TopicPartition]) -> None:
        self._mine()
        [partition] = partitions
        self._place, self._next = Place(partition.topic, partition.partition), partition.offset

    def consume(self, most: int, timeout: float) -> list[_Polled]:
        machine = self._machine
        self._mine()
        assert self._place is not None
        machine.step("recover")
        records, after = machine.broker.fetch(self._place, self._next, machine.process.scheduler.random.randint(1, most))
        found = [_Polled(record.offset, record.key, record.value) for record in records]
        self._next = after
        if after == machine.broker.log(self._place).stable and self._told != after:
            self._told = after
            found.append(_Polled(after, trouble=KafkaError(KafkaError._PARTITION_EOF)))
        if not found:
            machine.pause(timeout)
        return found

    def committed(self, partitions: list[TopicPartition], timeout: float) -> list[TopicPartition]:  # noqa: ARG002
        self._mine()
        self._machine.step("offsets")
        known = self._machine.group.offsets
        return [TopicPartition(tp.topic, tp.partition, known.get(Place(tp.topic, tp.partition), -1001)) for tp in partitions]

    def close(self) -> None:
        self._mine()
        self._owner = None


class _Answer(NamedTuple):
    offset: int
    led: bool

    def result(self) -> _Answer:
        if not self.led:
            raise KafkaException(KafkaError(KafkaError._NOENT, "simulated"))
        return self


class _Admin:
    def __init__(self, machine: Machine) -> None:
        self._machine = machine

    def list_topics(self, timeout: float) -> None:  # noqa: ARG002
        """Whoever leads is found by the next question."""
        self._machine.step("topics")

    def list_offsets(self, asked: Mapping[TopicPartition, Any], isolation_level: IsolationLevel, request_timeout: float) -> dict[TopicPartition, _Answer]:  # noqa: ARG002
        self._machine.step("offsets")
        answers, led = {}, not self._machine.faults.leaderless()
        for tp, spec in asked.items():
            log = self._machine.broker.log(Place(tp.topic, tp.partition))
            newest = log.stable if isolation_level is IsolationLevel.READ_COMMITTED else log.end
            answers[tp] = _Answer(0 if isinstance(spec, _EARLIEST) else newest, led)
        return answers
