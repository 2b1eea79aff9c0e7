"""One schedule: a bank, some workers, the faults of a seed, and what there is in the end.

``Schedule(seed).run()`` is the whole of it. Everything follows from the seed, and from ``processor`` where a faulty one is given.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import Literal

from alerting.pack import Pack, load_pack
from schemas.topics import Registry, load_registry
from streams.engine.ports import Place, Processor, Stopped
from streams.processors import customer_processor
from streams.settings import WorkerSettings
from tests.simulation.broker import MARKERS, REBALANCE, SESSION, Broker, Group, Transaction
from tests.simulation.clients import Machine
from tests.simulation.faults import Fault, Faults
from tests.simulation.inputs import BANKS, PARTITIONS, RECEIVED, bank
from tests.simulation.scheduler import Process, Scheduler
from tests.simulation.worker import SimulatedWorker

#: Virtual seconds after which a schedule that has not come to rest is stuck.
LIMIT = 300.0
WORKERS = 3

Mode = Literal["transactions", "plain"]


@cache
def ground() -> tuple[Registry, Pack]:
    """The topics and the policy pack of every schedule."""
    return load_registry(partitions=PARTITIONS), load_pack("bank-cn")


def mode_of(seed: int) -> Mode:
    """Three of five seeds have a broker with transactions."""
    return "transactions" if seed % 5 < 3 else "plain"


@dataclass
class Ended:
    """What a schedule came to. ``wrong`` is empty when nothing happened on the way that must not."""

    seed: int
    mode: Mode
    bank: int
    loaded_first: bool
    broker: Broker
    group: Group
    faults: Faults
    wrong: list[str] = field(default_factory=list)
    seconds: float = 0.0
    lives: int = 0


def _late(failure: BaseException) -> bool:
    """How a worker may end that was stopped past its session: fenced, or out of the time that its transaction has."""
    return isinstance(failure, TimeoutError) or (isinstance(failure, Stopped) and ("fenced" in str(failure) or "could not write a frame" in str(failure)))


class Schedule:
    """One run. ``to_and_fro``: the bank goes on for longer than else, and workers do nothing but join and leave."""

    def __init__(self, seed: int, processor: Processor | None = None, to_and_fro: bool = False) -> None:
        registry, pack = ground()
        mode = mode_of(seed)
        self._scheduler = Scheduler(seed)
        self._random = random = self._scheduler.random
        self._transactions = mode == "transactions"
        self._processor = processor or customer_processor(registry, pack)
        self._settings = WorkerSettings(
            frame_events=random.choice((2, 8, 20, 50, 200)),
            buffer_events=random.choice((1, 5, 30, 1000)),
            transaction_timeout_seconds=30.0,
        )
        kinds: list[Fault] = ["kill", "kill", "stop", "pause", "join", "leave"] if self._transactions else ["kill", "kill", "pause", "join", "leave"]
        broker, group = Broker(self._scheduler, RECEIVED), Group(self._scheduler, PARTITIONS)
        faults = Faults(self._scheduler, kinds, self._strike, self._transactions, to_and_fro)
        number = random.randrange(BANKS) + (0 if self._transactions else BANKS)
        half = random.random() < 0.5
        loaded_first = not self._transactions or (half and not to_and_fro)
        self.ended = Ended(seed, mode, number, loaded_first, broker, group, faults)
        self._workers: list[SimulatedWorker] = []
        self._processes: list[Process] = []
        self._published_in = 40.0 if to_and_fro else 8.0
        self._coming = 0
        self._to_publish = 0
        self._closing = False
        self._resting = False

    def run(self) -> Ended:
        """To the end: everything published and applied, every worker stopped cleanly."""
        ended = self.ended
        self._publish()
        for _ in range(self._random.randint(1, WORKERS)):
            self._start_after(self._random.uniform(0.0, 1.0))
        self._look()
        if self._scheduler.run(lambda: self._resting, LIMIT):
            ended.faults.calm = self._closing = True
            for worker in self._workers:
                worker.terminate()
            if not self._scheduler.run(lambda: not self._workers, self._scheduler.now + LIMIT):
                ended.wrong.append("a worker does not stop when told")
        else:
            ended.wrong.append(f"not at rest after {LIMIT:.0f} s")
        self._closing = True
        for process in self._processes:
            process.kill()
        self._scheduler.run(lambda: not any(process.jobs for process in self._processes), self._scheduler.now + LIMIT)
        ended.wrong += [f"{name} was fenced although it was never put out of the group" for name in ended.faults.wrongly_fenced]
        ended.seconds = self._scheduler.now
        self._scheduler.run(lambda: False, self._scheduler.now + MARKERS)
        return ended

    # -- workers ------------------------------------------------------------------------------------------------------
    def _start_after(self, seconds: float) -> None:
        self._coming += 1
        self._scheduler.after(seconds, self._start)

    def _start(self) -> None:
        self._coming -= 1
        if self._closing:
            return
        self.ended.lives += 1
        name = f"worker-{self.ended.lives}"
        process = Process(self._scheduler, name, lambda error: self.ended.wrong.append(f"{name}: unhandled {error!r}"))
        self._processes.append(process)
        machine = Machine(process, self.ended.broker, self.ended.group, self.ended.faults, self._wrote)
        self._workers.append(SimulatedWorker(machine, self._processor, self._settings, self._transactions, self._over))

    def _over(self, worker: SimulatedWorker, failure: BaseException | None) -> None:
        name = worker.process.name
        if failure is not None and not (name in self.ended.faults.excused and _late(failure)):
            code = f" ({failure.code})" if isinstance(failure, Stopped) else ""
            self.ended.wrong.append(f"{name} stopped{code}: {failure!r}")
            self._closing = len(self.ended.wrong) > 3
        self._gone(worker)

    def _gone(self, worker: SimulatedWorker) -> None:
        self._workers.remove(worker)
        self.ended.broker.watchers.remove(worker._changed)
        worker.process.kill()
        if not self._closing:
            self._start_after(self._random.uniform(0.1, 4.0))

    def _strike(self, fault: Fault, process: Process) -> None:
        [worker] = [worker for worker in self._workers if worker.process is process]
        if fault == "kill":
            process.kill()
            self.ended.group.silent(worker.membership)
            self._gone(worker)
        elif fault in ("stop", "pause"):
            process.stop()
            self.ended.group.silent(worker.membership)
            seconds = self._random.uniform(SESSION * 1.1, SESSION + 2 * REBALANCE) if fault == "stop" else self._random.uniform(0.1, SESSION * 0.8)
            self._scheduler.after(seconds, process.cont)
        elif fault == "join":
            if len(self._workers) < WORKERS:
                self._start_after(0.0)
        else:
            process.after(0.0, worker.terminate)

    def _wrote(self, process: Process, place: Place) -> None:
        [worker] = [worker for worker in self._workers if worker.process is process]
        if place.partition not in worker.may_write:
            self.ended.wrong.append(f"{process.name} wrote to {place.topic}[{place.partition}] after it was revoked")

    # -- inputs -------------------------------------------------------------------------------------------------------
    def _publish(self) -> None:
        registry, _pack = ground()
        broker, random = self.ended.broker, self._random
        for (kind, number), portions in bank(self.ended.bank).items():
            place = Place(registry.inputs[kind].name, number)
            behind, due = random.choice((0.0, 0.1, 3.0)), 0.0
            for portion in portions:
                due = max(due + 0.001, portion.at * self._published_in + behind * random.random())
                began, ended = (0.0, 0.0) if self.ended.loaded_first else (due, due + random.choice((0.0, 0.5)) * random.random())
                if portion.how in ("plain", "gone"):
                    batch = portion.messages if portion.how == "plain" else [None] * len(portion.messages)
                    self._at(began, lambda place=place, batch=batch: broker.append(place, batch))
                else:
                    transaction = Transaction()
                    self._at(began, lambda place=place, batch=portion.messages, transaction=transaction: broker.append(place, batch, transaction))
                    self._at(ended, lambda place=place, commit=portion.how == "committed", transaction=transaction: broker.settle(place, transaction, commit))
                    due = ended

    def _at(self, when: float, action: object) -> None:
        if when == 0.0:
            action()
            return
        self._to_publish += 1

        def publish() -> None:
            self._to_publish -= 1
            action()

        self._scheduler.after(when, publish)

    # -- the end ------------------------------------------------------------------------------------------------------
    def _look(self) -> None:
        self._resting = self._at_rest()
        if not self._resting:
            self._scheduler.after(0.2, self._look)

    def _at_rest(self) -> bool:
        """Nothing is to come, and every partition is applied to its end by somebody."""
        if self.ended.wrong and self._closing:
            return True
        if self._to_publish or self._coming or self.ended.group.rebalancing:
            return False
        caught_up: set[int] = set()
        for worker in self._workers:
            if worker.process.stopped or worker.generation != self.ended.group.generation or worker.membership.out or worker.poll_due or not worker.hub.is_open:
                return False
            caught_up |= worker.hub.caught_up()
        return len(caught_up) == PARTITIONS
