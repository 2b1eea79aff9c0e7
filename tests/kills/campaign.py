"""Faults, one after another, under load: each is done, survived and put right again, and the time it cost is written down."""

from __future__ import annotations

import os
import signal
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from statistics import median

from deploy.topic_plan import Topics
from schemas.connection import KafkaSettings
from streams.engine.steps import Step
from streams.processors import customer_processor
from tests.kills.brokers import Brokers, Running
from tests.kills.fleet import Fleet, Member
from tests.kills.launch import Order
from tests.kills.load import Load, Watcher
from tests.kills.verdict import PACK, assert_exact, assert_kept, held, wait_for_rest

SESSION_SECONDS = 5.0
#: Time for all partitions to go on after a fault; far above what any takes, it only ends a test that hangs.
PATIENCE = 90.0
#: Held so long at a step of a transaction, what was handed to the client library before has left the process.
ON_THE_WIRE_MS = 60.0

#: A worker can be killed at these whenever it has work.
WORKING = (Step.polled, Step.applied, Step.begun, Step.outputs_sent, Step.states_sent, Step.committed, Step.marked)
#: A frame is between begin and commit: whoever is stopped here and wakes up after the partition has moved must be fenced.
IN_TRANSACTION = (Step.begun, Step.outputs_sent, Step.states_sent)


@dataclass
class Ledger:
    """What was done: kind of fault to the seconds it cost, as (until all partitions went on, longest silence of one)."""

    faults: dict[str, list[tuple[float, float]]] = field(default_factory=lambda: defaultdict(list))
    ends: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    @property
    def count(self) -> int:
        """Faults in all."""
        return sum(map(len, self.faults.values()))

    def table(self) -> str:
        """Markdown: kind, count, median and worst."""
        rows = [
            "| fault | count | all partitions go on after, median (s) | worst (s) | longest silence of a partition, median (s) | worst (s) |",
            "|---|---|---|---|---|---|",
        ]
        for kind, costs in self.faults.items():
            until, silences = [cost[0] for cost in costs], [cost[1] for cost in costs]
            rows.append(f"| {kind} | {len(costs)} | {median(until):.1f} | {max(until):.1f} | {median(silences):.1f} | {max(silences):.1f} |")
        return "\n".join([*rows, f"| all | {self.count} | | | | |"])


class Campaign:
    """A fleet under load on a cluster of three. Every fault method returns when all is well again."""

    def __init__(self, cluster: Running, kafka: KafkaSettings, fleet: Fleet, watcher: Watcher, ledger: Ledger, seed: int) -> None:
        self.kafka = kafka
        self.cluster = cluster
        self.brokers = Brokers(cluster)
        self.group = customer_processor(kafka.registry(), PACK).group
        self.fleet = fleet
        self.watcher = watcher
        self.ledger = ledger
        self.random = Random(seed)
        self._began = time.time()

    # -- workers ------------------------------------------------------------------------------------------------------
    def kill_at(self, step: Step) -> None:
        """SIGKILL at a named step of a busy worker; another takes its place once all partitions have gone on."""
        victim = self._any()
        victim.order(Order(step, signal.SIGKILL, ON_THE_WIRE_MS if step in IN_TRANSACTION else 0.0))
        self._replace(victim, self._hit(victim), f"SIGKILL of a worker: {_words(step)}")

    def kill_while_committing(self) -> None:
        """SIGKILL a few milliseconds into the commit."""
        victim = self._any()
        victim.order(Order(Step.states_sent, signal.SIGKILL, self.random.uniform(0.5, 8.0), meanwhile=True))
        self._replace(victim, self._hit(victim), "SIGKILL of a worker: while the commit runs")

    def kill_in_recovery(self, step: Step = Step.recovering) -> None:
        """A worker joins and is killed while it opens what it was given."""
        victim = self.fleet.add()
        victim.order(Order(step, signal.SIGKILL))
        self._dead(victim, self._hit(victim), f"SIGKILL of a worker: {_words(step)}")

    def kill_in_rebalance(self, step: Step) -> None:
        """Another worker joins; one of those that must give up partitions for it is killed as it does."""
        victim = self._any()
        victim.order(Order(step, signal.SIGKILL))
        self.fleet.add()
        self._dead(victim, self._hit(victim), f"SIGKILL of a worker: {_words(step)}")

    def kill_at_random(self) -> None:
        """SIGKILL from outside, whatever it does at that moment."""
        time.sleep(self.random.uniform(0.0, 1.0))
        victim = self._any()
        at = time.time()
        victim.send(signal.SIGKILL)
        self._replace(victim, at, "SIGKILL of a worker: any moment")

    def kill_and_restart(self) -> None:
        """SIGKILL, and a supervisor that starts it again at once, under the same fixed name if it has one."""
        victim = self._any()
        at = time.time()
        victim.send(signal.SIGKILL)
        victim.wait(10)
        self.fleet.gone(victim)
        self.fleet.add(victim.instance)
        self._settle(at, f"SIGKILL of a worker, started again at once ({'fixed name' if victim.instance else 'no fixed name'})")

    def stop_at(self, step: Step | None) -> None:
        """SIGSTOP, at a step or at any moment, until others have its partitions; then SIGCONT. It must write nothing more."""
        victim = self._any()
        if step is None:
            time.sleep(self.random.uniform(0.0, 1.0))
            at = time.time()
            victim.send(signal.SIGSTOP)
        else:
            victim.order(Order(step, signal.SIGSTOP, ON_THE_WIRE_MS if step in IN_TRANSACTION else 0.0))
            at = self._hit(victim)
        kind = f"SIGSTOP past the session timeout: {'any moment' if step is None else _words(step)}"
        self._survived(at, kind, members=len(self.fleet.members) - 1)
        time.sleep(max(0.0, at + SESSION_SECONDS + 2 - time.time()))
        woken = time.time()
        victim.send(signal.SIGCONT)
        deadline = time.monotonic() + 30
        while victim.code is None and time.monotonic() < deadline and self.brokers.members(self.group) != len(self.fleet.members):
            time.sleep(0.1)
        if step in IN_TRANSACTION:
            assert victim.wait(30) == 3, f"a fenced worker must leave with code 3:\n{victim.words()}"
            assert "another worker has taken this partition over" in victim.log.read_text()
        if victim.code is not None:
            assert victim.code == 3, victim.words()
            self.ledger.ends["woke up fenced and left"] += 1
            self.fleet.gone(victim)
            self.fleet.add()
        else:
            self.ledger.ends["woke up and joined anew"] += 1
        self._quiet(woken)

    def add(self) -> None:
        """One worker more."""
        self.fleet.add()
        self._settle(time.time(), "a worker joins")

    def remove(self) -> None:
        """SIGTERM: it finishes, commits and leaves."""
        victim = self._any()
        at = time.time()
        victim.send(signal.SIGTERM)
        code = victim.wait(40)
        assert code == 0, f"{victim.name} left with exit code {code}:\n{victim.words()}"
        self.fleet.gone(victim)
        self._settle(at, f"a worker leaves cleanly ({'fixed name' if victim.instance else 'no fixed name'})")

    def roll_workers(self) -> None:
        """Every worker in turn: SIGTERM, and its successor as soon as it has left."""
        for victim in list(self.fleet.members):
            at = time.time()
            victim.send(signal.SIGTERM)
            code = victim.wait(40)
            assert code == 0, f"{victim.name} left with exit code {code}:\n{victim.words()}"
            self.fleet.gone(victim)
            self.fleet.add(victim.instance)
            self._settle(at, f"rolling restart: a worker ({'fixed name' if victim.instance else 'no fixed name'})")

    # -- brokers ------------------------------------------------------------------------------------------------------
    def kill_group_coordinator(self) -> None:
        self._kill_broker(self.brokers.group_coordinator(self.group), "SIGKILL of a broker: the group's coordinator")

    def kill_transaction_coordinator(self) -> None:
        number = self.random.randrange(self.kafka.partitions)
        self._kill_broker(self.brokers.transaction_coordinator(f"{self.group}-{number}"), "SIGKILL of a broker: a transaction coordinator")

    def kill_leader(self) -> None:
        topic = self.kafka.registry().name(self.random.choice(["journal", "customer-changelog", "transactions"]))
        self._kill_broker(self.brokers.leader(topic, self.random.randrange(self.kafka.partitions)), "SIGKILL of a broker: a partition's leader")

    def _kill_broker(self, node: int, kind: str) -> None:
        broker = self.brokers.broker(node)
        at = time.time()
        broker.kill()
        self._survived(at, kind)
        self._back([node])

    def kill_leader_and_worker(self) -> None:
        """Partitions are opened by others while their leaders move."""
        victim = self._any()
        node = self.brokers.leader(self.kafka.registry().name("customer-changelog"), self.random.randrange(self.kafka.partitions))
        at = time.time()
        self.brokers.broker(node).kill()
        victim.send(signal.SIGKILL)
        victim.wait(10)
        self.fleet.gone(victim)
        self.fleet.add(victim.instance)
        self._survived(at, "SIGKILL of a leading broker and a worker at once")
        self._back([node])

    def lose_two(self, seconds: float = 5.0) -> None:
        """Two brokers of three: nobody can write until one is back, and everything goes on when it is."""
        nodes = self.random.sample(self.brokers.nodes, 2)
        at = time.time()
        for node in nodes:
            self.brokers.broker(node).kill()
        time.sleep(seconds)
        self._back(nodes)
        self._survived(at, f"SIGKILL of two brokers of three, both away for {seconds:.0f} s")

    def roll_brokers(self) -> None:
        """Every broker in turn: SIGTERM, started again, in step before the next."""
        for node in self.brokers.nodes:
            at = time.time()
            self.brokers.broker(node).stop()
            self._back([node])
            self._survived(at, "rolling restart: a broker")

    def _back(self, nodes: list[int]) -> None:
        for node in nodes:
            self.brokers.broker(node).start()
        for node in nodes:
            self.brokers.broker(node).wait()
        self.brokers.until_in_step()
        self._quiet(time.time())

    # -- any of it ----------------------------------------------------------------------------------------------------
    def anything(self) -> None:
        """One fault of those above, by chance."""
        choices: list[Callable[[], None]] = [
            lambda: self.kill_at(self.random.choice(WORKING)),
            self.kill_while_committing,
            self.kill_at_random,
            self.kill_and_restart,
            lambda: self.kill_in_recovery(self.random.choice((Step.recovering, Step.opened))),
            lambda: self.stop_at(self.random.choice((*WORKING, None))),
            self.kill_transaction_coordinator,
            self.kill_leader,
            self.kill_leader_and_worker,
        ]
        self.random.choice(choices)()

    # -- what comes after ---------------------------------------------------------------------------------------------
    def _any(self) -> Member:
        self._mend()
        return self.random.choice(self.fleet.members)

    def _hit(self, victim: Member) -> float:
        deadline = time.monotonic() + 60
        while (at := victim.hit()) is None:
            assert victim.code is None, f"{victim.name} ended before it could be struck:\n{victim.words()}"
            assert time.monotonic() < deadline, f"{victim.name} never took the step"
            time.sleep(0.02)
        return at

    def _dead(self, victim: Member, at: float, kind: str) -> None:
        victim.wait(10)
        self.fleet.gone(victim)
        self._survived(at, kind, members=len(self.fleet.members))

    def _replace(self, victim: Member, at: float, kind: str) -> None:
        self._dead(victim, at, kind)
        started = time.time()
        self.fleet.add()
        self._settle(started, "a worker joins", fault=False)

    def _survived(self, at: float, kind: str, members: int | None = None) -> None:
        """All partitions go on, by themselves."""
        until = self.watcher.progress(at, PATIENCE, self._mend)
        if members is not None:
            self.brokers.until_settled(self.group, members)
            self.watcher.progress(time.time(), PATIENCE)
        self._note(kind, until, at)

    def _settle(self, at: float, kind: str, *, fault: bool = True) -> None:
        """The group rests with all its members, and all partitions go on."""
        self.brokers.until_settled(self.group, len(self.fleet.members), meanwhile=self._mend)
        settled = time.time()
        until = settled - at + self.watcher.progress(settled, PATIENCE, self._mend)
        self._note(kind, until, at, fault=fault)

    def _note(self, kind: str, until: float, at: float, *, fault: bool = True) -> None:
        self._sound()
        silence = self.watcher.silence(at, time.time())
        print(f"{time.time() - self._began:6.1f} s  {kind}: all go on after {until:.1f} s, longest silence {silence:.1f} s", flush=True)
        if fault:
            self.ledger.faults[kind].append((until, silence))

    def _quiet(self, since: float) -> None:
        self.brokers.until_settled(self.group, len(self.fleet.members), meanwhile=self._mend)
        self.watcher.progress(max(since, time.time()), PATIENCE, self._mend)
        self._sound()

    def _sound(self) -> None:
        assert not self.watcher.faults, self.watcher.faults[:5]
        self._mend()

    def _mend(self) -> None:
        """What a supervisor does: a worker that was held up for longer than its session (by the machine, by a coordinator that was
        lost) is fenced, leaves with code 3 and is started again. Nobody may end in any other way.
        """
        for member in [one for one in self.fleet.members if one.code is not None]:
            fenced = member.code == 3 and "another worker has taken this partition over" in member.log.read_text()
            assert fenced, f"{member.name}, whom nobody struck, ended with code {member.code}:\n{member.words()}"
            self.ledger.ends["fenced without being struck, and started again"] += 1
            self.fleet.gone(member)
            self.fleet.add(member.instance)


def _words(step: Step) -> str:
    return {
        Step.recovering: "during recovery",
        Step.opened: "recovered, nothing applied",
        Step.polled: "after a poll",
        Step.applied: "before begin",
        Step.begun: "after begin",
        Step.outputs_sent: "between journal and changelog",
        Step.states_sent: "before the commit",
        Step.committed: "after the commit, before offsets",
        Step.marked: "offsets marked",
        Step.revoked: "in a rebalance, giving up",
        Step.assigned: "in a rebalance, being given",
    }[step]


@contextmanager
def campaign(
    cluster: Running,
    namespace: str,
    folder: Path,
    ledger: Ledger,
    *,
    seed: int,
    workers: int = 3,
    rate: float = 250.0,
    customers: int = 60,
    static: bool = False,
) -> Iterator[Campaign]:
    """Workers under load; when the context is left everything is drained, the workers leave, and all must be exact."""
    kafka = KafkaSettings(bootstrap_servers=cluster.bootstrap_servers, namespace=namespace, partitions=4, replication=max(1, len(cluster.brokers)))
    topics = Topics(kafka)
    topics.apply(topics.plan())
    environ = environment(kafka)
    with Fleet(folder, environ, static) as fleet, Watcher(kafka) as watcher, Load(kafka, rate, seed, customers) as load:
        for _ in range(workers):
            fleet.add()
        running = Campaign(cluster, kafka, fleet, watcher, ledger, seed)
        running.brokers.until_settled(running.group, workers)
        watcher.progress(time.time(), PATIENCE)
        yield running
        while not watcher.alerts:  # lest nothing be compared with nothing
            watcher.progress(time.time(), PATIENCE)
        published = load.finish()
        wait_for_rest(kafka)
        fleet.leave()
        assert not watcher.faults, watcher.faults[:5]
        there = held(kafka)
        exact = assert_exact(kafka, sum(map(len, there.values())), folder)
        assert_kept(published, there)
        print(f"{namespace}: {ledger.count} faults so far; exact: {exact}")


def environment(kafka: KafkaSettings) -> dict[str, str]:
    """What the workers are told: small frames, so that a fault finds a transaction open, and a short session."""
    return undisturbed(kafka) | {
        "FENGHUO_WORKER__FRAME_EVENTS": "200",
        "FENGHUO_WORKER__SESSION_TIMEOUT_SECONDS": str(SESSION_SECONDS),
        "FENGHUO_WORKER__REBALANCE_TIMEOUT_SECONDS": "15",
    }


def undisturbed(kafka: KafkaSettings) -> dict[str, str]:
    """What a worker is told that is to run as it does by default."""
    return dict(os.environ) | {
        "FENGHUO_KAFKA__BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
        "FENGHUO_KAFKA__NAMESPACE": kafka.namespace,
        "FENGHUO_KAFKA__PARTITIONS": str(kafka.partitions),
        "FENGHUO_KAFKA__REPLICATION": str(kafka.replication),
        "FENGHUO_KAFKA__TRANSACTIONS": "on",
        "FENGHUO_PROBES__ENABLED": "false",
        "PYTHONPATH": str(Path(__file__).resolve().parents[2]),
    }
