"""Three workers and a sink on a real Kafka, killed with SIGKILL in the middle of their work: the same result as if nothing had happened."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from alerting.pack import load_pack
from deploy.inputs import InputWriter, read_inputs
from deploy.output_files import OutputFiles
from deploy.pipeline.audit import audit
from deploy.pipeline.children import Child, Children
from deploy.pipeline.collecting import collect
from deploy.pipeline.servers import Servers, open_servers
from deploy.publish_inputs import InputPublisher
from deploy.running import SETTLED
from deploy.simulator import Parameters, Simulation
from schemas.topics import load_registry
from sinks.connection import connect
from streams.replay import replay

PACK = load_pack("bank-cn")
WORKERS, KILLS = 3, 2


@pytest.fixture
def servers(kafka: str, namespace: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Servers]:
    monkeypatch.setenv("FENGHUO_KAFKA__BOOTSTRAP_SERVERS", kafka)
    monkeypatch.setenv("FENGHUO_KAFKA__NAMESPACE", namespace)
    monkeypatch.setenv("FENGHUO_WORKER__FRAME_EVENTS", "200")  # many transactions, so that a kill finds one open
    with open_servers(PACK, None, tmp_path / "servers") as opened:
        yield opened


@pytest.mark.kafka
@pytest.mark.embedded
@pytest.mark.timeout(300)
def test_killed_workers_change_nothing(servers: Servers, tmp_path: Path) -> None:
    bank = tmp_path / "bank.jsonl"
    with InputWriter(bank) as out:
        for lines in Simulation(Parameters(seed=53, customers=80, months=6, dirt=0.005)).days():
            out.write(lines)
    registry = servers.settings.kafka.registry()
    publisher = InputPublisher(servers.settings.kafka, registry, None)
    publisher.publish(read_inputs([bank], registry))
    records = publisher.finish()

    with Children() as children:
        fleet = [children.add(servers.child(f"worker {number}", "worker", "--until-drained")) for number in range(WORKERS)]
        settled_by_the_dead = 0
        for kill in range(KILLS):
            victim = _busy(fleet, records * (kill + 1) // (KILLS + 2) - settled_by_the_dead)
            settled_by_the_dead += victim.counted(*SETTLED).total()
            victim.kill()
            fleet.remove(victim)
            children.forget(victim)
            fleet.append(children.add(servers.child(f"replacement {kill}", "worker", "--until-drained")))
        children.wait_until_done(fleet, lambda: None)
        first = children.add(servers.child("sink", "sink", "--until-drained"))
        _until_rows_are_in(servers, first)
        first.kill()
        children.forget(first)
        sink = children.add(servers.child("sink again", "sink", "--until-drained"))
        children.wait_until_done([sink], lambda: None)

    with OutputFiles(tmp_path / "run", PACK, journal=True) as run:
        collect(servers.settings.kafka, run, journal=True)
        summary = run.finish()
    with OutputFiles(tmp_path / "replay", PACK, journal=True) as undisturbed:
        for lane, frame in replay(read_inputs([bank], registry), load_registry(servers.settings.kafka.namespace), PACK, int(time.time() * 1000)):
            for output in frame.outputs:
                undisturbed.write(lane.number, output)
            undisturbed.account(lane.number, lane.record)
        undisturbed.finish()
    assert summary["alerts"] > 0
    assert sum(sum(counts.values()) for counts in summary["records"].values()) == records
    for file in sorted((tmp_path / "replay").iterdir()):
        assert (tmp_path / "run" / file.name).read_bytes() == file.read_bytes(), f"{file.name} differs"
    checked = audit(servers)
    assert checked.clean, checked.text


def _until_rows_are_in(servers: Servers, sink: Child) -> None:
    client = connect(servers.settings.clickhouse)
    while not client.command(f"SELECT count() FROM {servers.settings.clickhouse.database}.transactions"):
        assert sink.code is None, "the sink was done before it could be killed"
        time.sleep(0.01)


def _busy(fleet: list[Child], wanted: int) -> Child:
    """The worker that has settled most, once all together have settled as much as wanted and have more to do."""
    while True:
        settled = {child: child.counted(*SETTLED).total() for child in fleet}
        if sum(settled.values()) >= wanted:
            return max((child for child in fleet if child.code is None), key=lambda child: settled[child])
        assert any(child.code is None for child in fleet), "the workers were done before one could be killed"
        time.sleep(0.05)
