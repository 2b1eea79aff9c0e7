"""The demo as a user starts it: a summary at the end, and nothing left behind whichever way it ends."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from deploy.embedded.broker import find_binary
from deploy.errors import UserError

pytestmark = [pytest.mark.embedded, pytest.mark.timeout(180)]


@pytest.fixture(autouse=True)
def _broker() -> None:
    try:
        find_binary()
    except UserError as none:
        pytest.skip(str(none))


def start(tmp_path: Path, *arguments: str) -> subprocess.Popen[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("FENGHUO_")}
    program = [sys.executable, "-c", "from deploy.cli import main; main()", "demo", "--customers", "40", "--months", "3", *arguments]
    environment = clean | {"FENGHUO_EMBEDDED__DATA_DIR": str(tmp_path / "data"), "PYTHONUNBUFFERED": "1"}
    return subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment, start_new_session=True)


def test_it_ends_with_a_summary_that_adds_up(tmp_path: Path) -> None:
    demo = start(tmp_path, "--exit-when-done", "--json")
    out, _ = demo.communicate(timeout=170)
    assert demo.returncode == 0, out
    summary = json.loads(out.splitlines()[-1])
    assert summary["audit_clean"]
    assert sum(summary["outcomes"].values()) == summary["events"]
    rows = summary["clickhouse"]
    assert rows["event_rows"] == rows["distinct_events"] == summary["outcomes"]["applied"]
    assert rows["alert_revisions"] == rows["distinct_alert_revisions"] == summary["alert_revisions"]
    assert rows["alerts"] == summary["alerts"] > 0
    assert summary["stories_missed"] == []
    assert summary["stories_found"]


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_it_ends_everything_it_started(tmp_path: Path, how: signal.Signals) -> None:
    demo = start(tmp_path)
    assert demo.stdout is not None
    line = ""
    while "✓ broker" not in line:
        line = demo.stdout.readline()
        assert line, "ended before its servers were up"
    ports = [int(port) for port in re.findall(r"127\.0\.0\.1:(\d+)", line)]
    assert len(ports) == 2
    time.sleep(2)  # somewhere between loading and the worker's first events
    demo.send_signal(how)
    out, _ = demo.communicate(timeout=60)
    assert demo.returncode == 1, out
    assert "stopped before its end" in out
    assert not any(_listens(port) for port in ports)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
