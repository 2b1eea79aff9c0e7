"""``fenghuo backfill`` from a broker's journal: only while the sink is away and has stored everything."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from confluent_kafka import Consumer

from deploy.inputs import InputWriter
from tests.questions.hard_cases import hard_cases

pytestmark = [pytest.mark.kafka, pytest.mark.embedded, pytest.mark.long, pytest.mark.timeout(900)]


def test_a_table_is_filled_from_the_journal_topic(kafka: str, namespace: str, tmp_path: Path) -> None:
    environ = os.environ | {
        "FENGHUO_KAFKA__BOOTSTRAP_SERVERS": kafka,
        "FENGHUO_KAFKA__NAMESPACE": namespace,
        "FENGHUO_CLICKHOUSE__URL": f"chdb://{tmp_path / 'clickhouse'}",
    }

    def fenghuo(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", "from deploy.cli import main; main()", *arguments]
        return subprocess.run(command, env=environ, capture_output=True, text=True, timeout=300, check=False)

    with InputWriter(tmp_path / "hard.jsonl") as written:
        written.write(hard_cases())
    ran = fenghuo("run", str(tmp_path / "hard.jsonl"), "--out", str(tmp_path / "out"))
    assert ran.returncode == 0, ran.stderr

    for table in ("transactions", "customer_metrics", "alerts"):
        done = fenghuo("backfill", table, "--json")
        assert done.returncode == 0, done.stderr
        report = json.loads(done.stdout)
        assert report["swapped"]
        assert all(one["rows"] == one["new_rows"] > 0 and not one["differing"] for one in report["tables"])
    audit = fenghuo("audit")
    assert audit.returncode == 0, audit.stderr

    member = Consumer({"bootstrap.servers": kafka, "group.id": f"{namespace}-clickhouse", "enable.auto.commit": False})
    try:
        member.subscribe([f"{namespace}.journal"])
        deadline = time.monotonic() + 30
        while not member.assignment() and time.monotonic() < deadline:
            member.poll(0.2)
        refused = fenghuo("backfill", "transactions")
    finally:
        member.close()
    assert refused.returncode == 2
    assert "the sink runs: group" in refused.stderr
