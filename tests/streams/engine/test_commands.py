"""``fenghuo worker`` and ``fenghuo clock`` as an operator meets them: probes, a short log, a clean end on SIGTERM."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.real_kafka.cluster import free_port
from deploy.topic_plan import Topics
from schemas.connection import KafkaSettings

pytestmark = pytest.mark.kafka

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def environ(kafka: str, namespace: str) -> dict[str, str]:
    settings = {"FENGHUO_KAFKA__BOOTSTRAP_SERVERS": kafka, "FENGHUO_KAFKA__NAMESPACE": namespace, "FENGHUO_KAFKA__PARTITIONS": "2"}
    return {name: value for name, value in os.environ.items() if not name.startswith("FENGHUO_")} | settings


@pytest.fixture
def topics(kafka: str, namespace: str) -> None:
    topics = Topics(KafkaSettings(bootstrap_servers=kafka, namespace=namespace, partitions=2))
    topics.apply(topics.plan())


@pytest.fixture
def started() -> Iterator[list[subprocess.Popen[str]]]:
    processes: list[subprocess.Popen[str]] = []
    yield processes
    for process in processes:
        process.kill()


def start(started: list[subprocess.Popen[str]], environ: dict[str, str], port: int, *arguments: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", "from deploy.cli import main; main()", *arguments],
        env=environ | {"FENGHUO_PROBES__PORT": str(port)},
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
    )
    started.append(process)
    return process


def get(port: int, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
    except OSError:
        return 0, ""


def wait_until_ready(port: int) -> None:
    deadline = time.monotonic() + 40
    while get(port, "/readyz")[0] != 200:
        assert time.monotonic() < deadline, get(port, "/readyz")
        time.sleep(0.1)


def end(process: subprocess.Popen[str]) -> list[dict[str, str]]:
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 0, errors
    return [json.loads(line) for line in errors.splitlines()]


@pytest.mark.usefixtures("topics")
def test_worker_and_clock_become_ready_say_little_and_end_cleanly(started: list[subprocess.Popen[str]], environ: dict[str, str]) -> None:
    ports = free_port(), free_port()
    worker = start(started, environ, ports[0], "worker")
    clock = start(started, environ, ports[1], "clock", "--interval", "0.2")
    for port in ports:
        wait_until_ready(port)
        assert get(port, "/livez")[0] == 200
    deadline = time.monotonic() + 20
    while 'crm_events_settled_total{kind="tick",outcome="applied"}' not in get(ports[0], "/metrics")[1]:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert len(end(clock)) <= 6
    lines = end(worker)
    assert len(lines) <= 12
    assert lines[-1]["message"] == "left the group; everything applied is committed"


def test_a_worker_without_topics_refuses_in_one_line(started: list[subprocess.Popen[str]], environ: dict[str, str]) -> None:
    process = start(started, environ, free_port(), "worker")
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 2
    [line] = [json.loads(line) for line in errors.splitlines() if '"error"' in line]
    assert "does not exist" in line["message"]
    assert "fenghuo topics apply" in line["message"]
