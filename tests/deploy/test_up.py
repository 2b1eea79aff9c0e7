"""``fenghuo up`` gives a working stack to other processes and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import clickhouse_connect
import pytest
from confluent_kafka.admin import AdminClient

from deploy.embedded.ports import is_free
from deploy.settings import load_settings
from sinks.connection import connect

pytestmark = pytest.mark.embedded


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_other_processes_find_topics_and_tables_with_what_it_prints(tmp_path: Path, ending: signal.Signals) -> None:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("FENGHUO_")} | {"PYTHONUNBUFFERED": "1"}
    program = [sys.executable, "-c", "from deploy.cli import main; main()", "up"]
    process = subprocess.Popen(program, cwd=tmp_path, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line.strip())
        if line.startswith("Ctrl-C"):
            break
    exported = dict(line.removeprefix("export ").split("=", 1) for line in lines if line.startswith("export "))
    settings = load_settings(exported)

    topics = AdminClient(settings.kafka.client_config()).list_topics(timeout=10).topics
    assert {topic.name for topic in settings.kafka.registry().topics} <= set(topics)
    writer = connect(settings.clickhouse)
    writer.command("CREATE TABLE default.probe (a UInt8) ENGINE = MergeTree ORDER BY a")
    writer.close()
    port = int(settings.clickhouse.url.rpartition(":")[2])
    with clickhouse_connect.get_client(host="127.0.0.1", port=port, username="bi_reader") as reader:
        assert reader.command(f"SELECT count() > 0 FROM system.tables WHERE database = '{settings.clickhouse.database}'") == 1
    assert Path(exported["FENGHUO_CLICKHOUSE__PASSWORD_FILE"]).stat().st_mode & 0o077 == 0

    process.send_signal(ending)
    rest = process.stdout.read()
    assert process.wait(20) == 0, rest
    assert "Traceback" not in rest
    assert is_free(port)
    assert is_free(int(settings.kafka.bootstrap_servers.rpartition(":")[2]))
