"""A simulated bank with every planted story and dirt upstream: every value of every snapshot is what its definition says."""

from __future__ import annotations

from pathlib import Path

from deploy.simulator import STORIES, Parameters, Simulation
from schemas.metrics import KEYS, Subject
from tests.recompute.ground import read_snapshots
from tests.recompute.run import recomputed_differences, replay_into


def test_every_value_of_every_snapshot(tmp_path: Path) -> None:
    bank = Simulation(Parameters(seed=20_261, customers=60, months=9, dirt=0.02))
    replay_into(tmp_path, (line for day in bank.days() for line in day), "bank-cn")
    assert len(bank.labels) >= len(STORIES)
    snapshots, values, found = recomputed_differences(tmp_path, "bank-cn")
    assert snapshots > 3000
    assert values > 300_000
    assert found.is_empty(), found
    seen = {key for place in tmp_path.iterdir() if place.is_dir() for key in read_snapshots(place / "metrics.jsonl").values["key"].unique()}
    never = {key for key, metric in KEYS.items() if metric.subject is Subject.CUSTOMER} - seen
    assert never <= {"flow.unconverted.count.365d", "cash.near_threshold.count.1d", "cash.near_threshold.amount.1d"}
