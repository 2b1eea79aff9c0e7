"""Making a frame durable: one fenced Kafka transaction, or, on a broker without transactions, a safe order of flushes.

A frame is journal chunks, outputs and changed state. In a transaction they appear together or not at all, and a writer whose
partition has moved on is refused by the broker. Without transactions the outputs are flushed before the state, and the
partition's own record, which holds the positions, last: a crash in between repeats outputs (their ids are deterministic), and the
positions inside each state keep counts exact.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, Protocol

from confluent_kafka import KafkaError, KafkaException

from streams.engine.outside import REAL, Outside
from streams.engine.ports import FrameLike, Processor, Stopped
from streams.engine.steps import Step

Message = tuple[str, bytes | None, bytes | None, Any]


class Writer(Protocol):
    """Owns the output and changelog partitions of one lane. All calls block; use one thread at a time."""

    def write(self, frame: FrameLike) -> None:
        """Make the frame durable. Raises Stopped if it cannot be; the lane must then be thrown away."""
        ...

    def close(self) -> None: ...


def _producer_config(client_config: Mapping[str, Any], timeout: float) -> dict[str, Any]:
    return dict(client_config) | {
        "linger.ms": 2,
        "enable.idempotence": True,
        "acks": "all",
        "compression.type": "lz4",
        "message.timeout.ms": int(timeout * 1000),
        "queue.buffering.max.messages": 2_000_000,
        "queue.buffering.max.kbytes": 1 << 20,
    }


class _Sender:
    """Producing with an explicit partition. ``watched``: the first delivery failure is kept, for ``flush`` to raise."""

    def __init__(self, processor: Processor, number: int, config: dict[str, Any], timeout: float, outside: Outside, *, watched: bool) -> None:
        self._name = processor.topic_name
        self._changelog = processor.changelog
        self._number = number
        self._timeout = timeout
        self._failure: KafkaError | None = None
        self.producer = outside.producer(config)
        self._produce = partial(self.producer.produce, on_delivery=self._delivered) if watched else self.producer.produce

    def outputs(self, frame: FrameLike) -> Iterable[Message]:
        for output in frame.outputs:
            yield self._name(output.topic), output.key, output.value, output.headers

    def states(self, items: Iterable[tuple[bytes, bytes | None]]) -> Iterable[Message]:
        for key, value in items:
            yield self._changelog, key, value, []

    def send(self, messages: Iterable[Message]) -> None:
        produce, number = self._produce, self._number
        for topic, key, value, headers in messages:
            while True:
                try:
                    if headers:
                        produce(topic, value, key, number, headers=headers)
                    else:  # an empty list of headers would cost a quarter of producing the record
                        produce(topic, value, key, number)
                    break
                except BufferError:
                    self.producer.poll(0.1)

    def _delivered(self, error: KafkaError | None, _message: Any) -> None:
        if error is not None and self._failure is None:
            self._failure = error

    def flush(self) -> None:
        left = self.producer.flush(self._timeout)
        failure, self._failure = self._failure, None
        if failure is not None:
            raise KafkaException(failure)
        if left:
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT, f"{left} records not confirmed in {self._timeout:.0f} s"))


class TransactionalWriter:
    """One transaction a frame. Making one fences whoever wrote to this lane's partitions before."""

    def __init__(self, processor: Processor, number: int, client_config: Mapping[str, Any], timeout: float, outside: Outside = REAL) -> None:
        self.id = f"{processor.group}-{number}"
        self._number = number
        self._timeout = timeout
        self._outside = outside
        self._observe = outside.observe
        config = _producer_config(client_config, timeout) | {"transactional.id": self.id, "transaction.timeout.ms": int(timeout * 1000)}
        # Not watched: a record that cannot be delivered fails the commit, and a report for each would cost a third of producing it.
        self._sender = _Sender(processor, number, config, timeout, outside, watched=False)
        deadline = outside.monotonic() + timeout
        self._insist(lambda: self._sender.producer.init_transactions(self._left(deadline)), deadline, "take over the transactional id")

    def write(self, frame: FrameLike) -> None:
        deadline = self._outside.monotonic() + self._timeout
        producer = self._sender.producer
        while True:
            try:
                producer.begin_transaction()
                self._observe(Step.begun, self._number)
                self._sender.send(self._sender.outputs(frame))
                self._observe(Step.outputs_sent, self._number)
                self._sender.send(self._sender.states(frame.changelog.items()))
                self._observe(Step.states_sent, self._number)
                self._insist(lambda: producer.commit_transaction(self._left(deadline)), deadline, "commit a frame")
                return
            except KafkaException as error:
                if not error.args[0].txn_requires_abort() or self._outside.monotonic() > deadline:
                    raise self._stopped("write a frame", error) from None
                # The broker rolled this transaction back (a leader or coordinator was lost): roll back here and write the same frame again.
                self._insist(lambda: producer.abort_transaction(self._left(deadline)), deadline, "roll a frame back")

    def _insist(self, call: Callable[[], Any], deadline: float, what: str) -> None:
        while True:
            try:
                call()
                return
            except KafkaException as error:
                if error.args[0].txn_requires_abort():
                    raise
                if not error.args[0].retriable() or self._outside.monotonic() > deadline:
                    raise self._stopped(what, error) from None
                self._outside.sleep(0.1)

    def _left(self, deadline: float) -> float:
        return max(0.1, deadline - self._outside.monotonic())

    def _stopped(self, what: str, error: KafkaException) -> Stopped:
        cause = error.args[0]
        if cause.code() in (KafkaError._FENCED, KafkaError.INVALID_PRODUCER_EPOCH, KafkaError.PRODUCER_FENCED):
            return Stopped(f"{self.id}: another worker has taken this partition over (fenced); this worker leaves and may be started again")
        return Stopped(f"{self.id}: could not {what}: {cause.str()} ({cause.name()})")

    def close(self) -> None:
        self._sender.producer.purge()
        self._sender.producer.poll(0)


class PlainWriter:
    """For a broker without transactions: outputs, then states, then the partition's own record, each flushed before the next."""

    def __init__(self, processor: Processor, number: int, client_config: Mapping[str, Any], timeout: float, outside: Outside = REAL) -> None:
        self._what = f"{processor.group}-{number}"
        self._sender = _Sender(processor, number, _producer_config(client_config, timeout), timeout, outside, watched=True)

    def write(self, frame: FrameLike) -> None:
        items = list(frame.changelog.items())
        try:
            for step in (self._sender.outputs(frame), self._sender.states(items[:-1]), self._sender.states(items[-1:])):
                self._sender.send(step)
                self._sender.flush()
        except KafkaException as error:
            cause = error.args[0]
            raise Stopped(f"{self._what}: could not write a frame: {cause.str()} ({cause.name()})") from None

    def close(self) -> None:
        self._sender.producer.purge()
        self._sender.producer.poll(0)
