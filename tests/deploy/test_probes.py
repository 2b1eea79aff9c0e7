"""The probes answer for the process, not for its dependencies."""

from __future__ import annotations

import json
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest

from deploy.errors import UserError
from deploy.probes import DEFAULT_PORTS, Probes
from deploy.settings import ProbeSettings
from schemas.telemetry import Telemetry


class Process:
    def __init__(self) -> None:
        self.alive = True
        self.wants: list[str] = []

    def live(self) -> bool:
        return self.alive

    def waiting_for(self) -> list[str]:
        return self.wants


@pytest.fixture
def process() -> Process:
    return Process()


@pytest.fixture
def probes(process: Process) -> Iterator[Probes]:
    telemetry = Telemetry()
    telemetry.counter("crm_ticks_total").inc(3)
    with Probes(ProbeSettings(), "clock", process, telemetry) as serving:
        yield serving


def get(probes: Probes, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{probes.port}{path}", timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_metrics_are_prometheus_text(probes: Probes) -> None:
    status, text = get(probes, "/metrics")
    assert status == 200
    assert "\ncrm_ticks_total 3.0\n" in text
    assert "crm_build_info{" in text


def test_ready_lists_what_it_waits_for(probes: Probes, process: Process) -> None:
    assert get(probes, "/readyz") == (200, '{"ready": true, "waiting_for": []}\n')
    process.wants = ["recovery of partitions 1, 2"]
    status, text = get(probes, "/readyz")
    assert (status, json.loads(text)["waiting_for"]) == (503, ["recovery of partitions 1, 2"])
    assert get(probes, "/livez")[0] == 200, "waiting is no reason to be restarted"


def test_live_is_about_the_own_loop(probes: Probes, process: Process) -> None:
    process.alive = False
    assert get(probes, "/livez") == (503, '{"live": false}\n')


def test_version_and_unknown_paths(probes: Probes) -> None:
    assert json.loads(get(probes, "/version")[1])["process"] == "clock"
    assert get(probes, "/etc/passwd")[0] == 404


def test_a_second_process_takes_the_next_port(probes: Probes, process: Process) -> None:
    with Probes(ProbeSettings(), "clock", process, Telemetry()) as second:
        assert second.port > probes.port >= DEFAULT_PORTS["clock"]


def test_a_port_asked_for_is_kept_or_refused(process: Process) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        with pytest.raises(UserError, match=f"probes cannot listen on 127.0.0.1:{port}"):
            Probes(ProbeSettings(port=port), "clock", process, Telemetry()).start()


def test_probes_can_be_switched_off(process: Process) -> None:
    with Probes(ProbeSettings(enabled=False), "clock", process, Telemetry()) as off:
        assert off.port == 0
