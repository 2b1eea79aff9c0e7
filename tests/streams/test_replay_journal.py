"""Journal files replayed: every entry once, in however many portions they are read."""

from __future__ import annotations

from pathlib import Path

import pytest

from alerting.pack import load_pack
from deploy.inputs import to_records
from deploy.simulator import Parameters, Simulation
from schemas.topics import load_registry
from streams.replay import replay, replay_journal


@pytest.mark.parametrize(("portion", "partitions", "customers"), [(1, 2, 4), (7, 2, 4), (100_000, 2, 4), (100_000, 12, 20)])
def test_portions_change_nothing(tmp_path: Path, portion: int, partitions: int, customers: int) -> None:
    """Partitions come by number, also where journal-10 stands before journal-2 in the alphabet."""
    registry, pack = load_registry(partitions=partitions), load_pack("bank-cn")
    lines = [line for day in Simulation(Parameters(seed=5, customers=customers, months=2)).days() for line in day]
    made: list[tuple[int, bytes | None]] = []
    for lane, frame in replay(to_records(lines, registry), registry, pack, 1 << 50):
        for output in frame.outputs:
            if output.topic == "journal":
                with (tmp_path / f"journal-{lane.number}.jsonl").open("ab") as file:
                    file.write((output.value or b"") + b"\n")
            else:
                made.append((lane.number, output.value))
    again = [
        (lane.number, output.value)
        for lane, frame in replay_journal(tmp_path.iterdir(), registry, pack, portion)
        for output in frame.outputs
        if output.topic != "journal"
    ]
    assert made
    assert again == made
