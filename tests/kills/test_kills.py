"""Workers and brokers of a real Kafka struck under load: exact afterwards, whatever was done.

The sample needs one broker; the long run is the whole campaign on three, more than a hundred faults, and prints what each kind cost:
``make test-long ARGS="tests/kills -s"``.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from typing import NamedTuple

import pytest

from deploy.real_kafka.cluster import Broker, Cluster, Unavailable
from deploy.topic_plan import Topics
from schemas.connection import KafkaSettings
from streams.engine.ports import Place
from streams.engine.steps import Step
from streams.engine.store import Store
from streams.processors import customer_processor
from tests.kills.brokers import Brokers
from tests.kills.campaign import WORKING, Ledger, campaign
from tests.kills.load import Load
from tests.kills.verdict import PACK, assert_kept, held

pytestmark = pytest.mark.kafka


@pytest.fixture(scope="module")
def three() -> Iterator[Cluster]:
    """Three brokers, replication 3, two in step to accept a write."""
    try:
        cluster = Cluster(3, heap="400m")
    except Unavailable as missing:
        pytest.skip(str(missing))
    with cluster:
        yield cluster


@pytest.fixture(scope="module")
def ledger() -> Iterator[Ledger]:
    """One for all tests of this page; the long run prints it."""
    ledger = Ledger()
    yield ledger
    print(f"\n{ledger.table()}\n{dict(ledger.ends)}")


class Shared(NamedTuple):
    """The session's broker, which other tests need alive."""

    bootstrap_servers: str
    brokers: Sequence[Broker] = ()


@pytest.mark.timeout(240)
def test_sample(kafka: str, namespace: str, tmp_path: Path) -> None:
    """A worker killed inside a transaction, and one stopped past its session and woken."""
    ledger = Ledger()
    with campaign(Shared(kafka), namespace, tmp_path, ledger, seed=1, workers=2, customers=30) as war:
        war.kill_at(Step.outputs_sent)
        war.stop_at(Step.states_sent)
    assert ledger.ends["woke up fenced and left"] == 1


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", [11, 12])
def test_workers_killed_at_every_step(three: Cluster, namespace: str, tmp_path: Path, ledger: Ledger, seed: int) -> None:
    with campaign(three, namespace, tmp_path, ledger, seed=seed) as war:
        for step in WORKING:
            war.kill_at(step)
        war.kill_while_committing()
        war.kill_while_committing()
        for step in (Step.recovering, Step.opened):
            war.kill_in_recovery(step)
        for step in (Step.revoked, Step.assigned):
            war.kill_in_rebalance(step)
        for _ in range(3):
            war.kill_at_random()


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", [21, 22])
def test_workers_stopped_past_their_session_and_woken(three: Cluster, namespace: str, tmp_path: Path, ledger: Ledger, seed: int) -> None:
    with campaign(three, namespace, tmp_path, ledger, seed=seed) as war:
        for step in (*WORKING, None, None, None):
            war.stop_at(step)


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", [31, 32, 33])
def test_brokers_lost(three: Cluster, namespace: str, tmp_path: Path, ledger: Ledger, seed: int) -> None:
    with campaign(three, namespace, tmp_path, ledger, seed=seed) as war:
        war.kill_group_coordinator()
        war.kill_transaction_coordinator()
        war.kill_leader()
        war.kill_leader_and_worker()


@pytest.mark.long
@pytest.mark.timeout(900)
def test_two_brokers_of_three_away_for_a_while(three: Cluster, namespace: str, tmp_path: Path, ledger: Ledger) -> None:
    with campaign(three, namespace, tmp_path, ledger, seed=34) as war:
        for _ in range(3):
            war.lose_two()


@pytest.mark.long
@pytest.mark.timeout(900)
def test_rolling_restart_of_workers_and_brokers(three: Cluster, namespace: str, tmp_path: Path, ledger: Ledger) -> None:
    with campaign(three, namespace, tmp_path, ledger, seed=35) as war:
        war.roll_brokers()
        war.roll_workers()


@pytest.mark.long
def test_offsets_are_found_where_leaders_have_moved(three: Cluster, namespace: str) -> None:
    """A client that knew the old leader must look for the new one, or nobody could open a partition for minutes."""
    kafka = KafkaSettings(bootstrap_servers=three.bootstrap_servers, namespace=namespace, partitions=6, replication=3)
    topics = Topics(kafka)
    topics.apply(topics.plan())
    store = Store(customer_processor(kafka.registry(), PACK), kafka.client_config())
    places = [Place(kafka.registry().name("customer-changelog"), number) for number in range(6)]
    nothing = dict.fromkeys(places, 0)
    assert store.ends(places) == nothing
    brokers = Brokers(three)
    lost = brokers.broker(brokers.leader(places[0].topic, 0))
    lost.kill()
    try:
        assert store.ends(places) == nothing
    finally:
        lost.start()
        lost.wait()
        brokers.until_in_step()


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", [61, 62])
def test_what_brokers_confirm_is_there_once(three: Cluster, namespace: str, seed: int) -> None:
    """Without any worker: what a bank's producer is promised while brokers are lost, one at a time and two at once."""
    kafka = KafkaSettings(bootstrap_servers=three.bootstrap_servers, namespace=namespace, partitions=4, replication=3)
    topics = Topics(kafka)
    topics.apply(topics.plan())
    brokers, random = Brokers(three), Random(seed)
    with Load(kafka, 500.0, seed, 100) as load:
        for count in (1, 1, 1, 2, 1, 2):
            time.sleep(random.uniform(0.5, 2.0))
            lost = [brokers.broker(node) for node in random.sample(brokers.nodes, count)]
            for broker in lost:
                broker.kill()
            time.sleep(random.uniform(0.0, 12.0))
            for broker in lost:
                broker.start()
            for broker in lost:
                broker.wait()
            brokers.until_in_step()
        published = load.finish()
    there = held(kafka)
    assert_kept(published, there)
    print(f"{sum(map(len, there.values()))} records confirmed and there once")


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("static", [False, True], ids=["no-fixed-names", "fixed-names"])
def test_workers_come_and_go(three: Cluster, namespace: str, tmp_path: Path, ledger: Ledger, static: bool) -> None:
    with campaign(three, namespace, tmp_path, ledger, seed=41, static=static) as war:
        for _ in range(4):
            war.add()
            war.remove()
        war.roll_workers()
        for _ in range(4):
            war.kill_and_restart()


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", [51, 52, 53])
def test_everything_in_any_order(three: Cluster, namespace: str, tmp_path: Path, ledger: Ledger, seed: int) -> None:
    with campaign(three, namespace, tmp_path, ledger, seed=seed, rate=500.0, customers=100) as war:
        for _ in range(10):
            war.anything()
