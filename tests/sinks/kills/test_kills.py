"""The sink, the broker and ClickHouse killed at every point, answers lost, the disk full, two sinks at once: not a row too many or too few.

A sample runs with every change; the whole suite (``make test-long``) makes more than a hundred faults and prints how many of each kind.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from itertools import cycle
from pathlib import Path

import pytest

from deploy.real_kafka.cluster import Cluster
from sinks.milestones import Milestone
from tests.sinks.kills.world import Holder, Slice, World, bank_outputs, in_turn

pytestmark = [pytest.mark.kafka, pytest.mark.embedded, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def holder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Holder]:
    running = Holder(tmp_path_factory.mktemp("holder") / "data")
    running.start()
    yield running
    running.kill()


@pytest.fixture(scope="module")
def slices() -> list[Slice]:
    return bank_outputs(customers=60, months=5, per_frame=25)


@pytest.fixture
def world(kafka: str, holder: Holder, tmp_path: Path) -> Iterator[World]:
    made = World(kafka, holder, tmp_path)
    yield made
    made.close()


def report(world: World, rows: dict[str, int]) -> None:
    for kind, count in sorted(world.faults.items()):
        print(f"{count:4d}  {kind}")
    exact = f"{sum(rows.values()):,} rows in {len(rows)} tables, every one exact"
    print(f"{sum(world.faults.values()):4d}  faults; {exact}; audit clean: {world.audited()} comparisons")


def test_a_sample_of_faults_changes_nothing(world: World, slices: list[Slice]) -> None:
    parts = in_turn(slices[:96], 8)
    for milestone in Milestone:
        world.publish(next(parts))
        assert world.kill_at(milestone, 1), milestone
    world.publish(next(parts))
    world.proxy.lose(2)
    sink = world.sink()
    eventually(lambda: world.proxy.lost == 2)
    world.faults["answer to an insert lost"] += 2
    world.publish(next(parts))
    world.holder.kill()
    world.faults["ClickHouse killed"] += 1
    world.holder.start()
    assert sink.code is None, sink.tail()
    world.drain()
    report(world, world.assert_exact())


@pytest.mark.long
def test_a_sink_killed_at_every_milestone(world: World, slices: list[Slice]) -> None:
    wanted = [(milestone, times) for times in (1, 2, 1, 3, 1, 1) for milestone in Milestone]
    for (milestone, times), part in zip(wanted, in_turn(slices, len(wanted)), strict=False):
        world.publish(part)
        world.kill_at(milestone, times)
    world.drain()
    assert world.faults.total() >= 25
    report(world, world.assert_exact())


@pytest.mark.long
def test_clickhouse_killed_while_rows_flow(world: World, slices: list[Slice]) -> None:
    chance = random.Random(5)
    sink = world.sink()
    for part in in_turn(slices, 25):
        world.publish(part)
        time.sleep(chance.random() * 0.4)
        world.holder.kill()
        world.faults["ClickHouse killed"] += 1
        world.holder.start()
        assert sink.code is None, sink.tail()
    world.drain()
    report(world, world.assert_exact())


@pytest.mark.long
def test_answers_to_inserts_lost(world: World, slices: list[Slice]) -> None:
    sink = world.sink()
    for part in in_turn(slices, 20):
        lost = world.proxy.lost
        world.proxy.lose(2)
        world.publish(part)
        eventually(lambda lost=lost: world.proxy.lost == lost + 2)  # type: ignore[misc]
    world.faults["answer to an insert lost"] = world.proxy.lost
    assert sink.code is None, sink.tail()
    world.drain()
    report(world, world.assert_exact())


@pytest.mark.long
def test_the_broker_killed_while_rows_flow(kafka: str, holder: Holder, tmp_path: Path, slices: list[Slice]) -> None:  # noqa: ARG001  (kafka: skips where there is none)
    chance = random.Random(6)
    with Cluster() as cluster:
        world, [broker] = World(cluster.bootstrap_servers, holder, tmp_path), cluster.brokers
        sink = world.sink()
        for part in in_turn(slices, 12):
            world.publish(part)
            time.sleep(chance.random() * 0.5)
            broker.kill()
            world.faults["broker killed"] += 1
            broker.start()
            broker.wait()
            assert sink.code is None, sink.tail()
        world.drain()
        report(world, world.assert_exact())
        world.close()


@pytest.mark.long
def test_two_sinks_at_once(world: World, slices: list[Slice]) -> None:
    """Sinks join, leave and freeze past their session: a frozen one wakes up in the middle of an insert that its successor has repeated."""
    chance = random.Random(7)
    parts = in_turn(slices, 16)
    sinks = [world.sink()]
    for number, part in enumerate(parts):
        world.publish(part)
        time.sleep(chance.random())
        if number % 4 == 3:
            frozen = sinks[-1]
            frozen.send(signal.SIGSTOP)
            world.faults["sink frozen past its session"] += 1
            sinks.append(world.sink())
            time.sleep(2.5)
            frozen.send(signal.SIGCONT)
        elif len(sinks) > 1 and chance.random() < 0.4:
            sinks.pop(0).send(signal.SIGTERM)
            world.faults["sink left"] += 1
        else:
            sinks.append(world.sink())
            world.faults["sink joined"] += 1
    world.drain()
    report(world, world.assert_exact())


@pytest.mark.long
def test_a_full_disk(kafka: str, tmp_path: Path, slices: list[Slice]) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    if os.geteuid() or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=400m", "tmpfs", str(disk)], capture_output=True, check=False).returncode:
        pytest.skip("a small disk is a tmpfs, which only root may mount")
    holder = Holder(disk / "data")
    try:
        holder.start()
        world = World(kafka, holder, tmp_path)
        sink = world.sink()
        for part, left in zip(in_turn(slices, 10), cycle([0, 1_200_000, 2_200_000, 3_300_000]), strict=False):
            filler = disk / "filler"
            with filler.open("wb") as file:
                while (free := shutil.disk_usage(disk).free - left) > 0:
                    file.write(bytes(min(free, 1 << 20)))
                    file.flush()
            world.publish(part)
            eventually(lambda: "busy (243)" in sink.log.read_text())
            world.faults["disk full"] += 1
            time.sleep(0.5)
            filler.unlink()
            assert sink.code is None, sink.tail()
        world.drain()
        report(world, world.assert_exact())
        world.close()
    finally:
        holder.kill()
        subprocess.run(["umount", "-l", str(disk)], check=True)


def eventually(true: Callable[[], bool], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it never came to that"
        time.sleep(0.05)
