"""Fetching at a pace: the second request of a burst waits, one after a quiet time does not."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest

from streams.engine import pace as module
from streams.engine.pace import PACE_SECONDS, pace


class _Clock:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        self.slept: list[float] = []
        monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: self.now))
        monkeypatch.setattr(module, "asyncio", SimpleNamespace(sleep=self.sleep, CancelledError=asyncio.CancelledError))

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


async def _fetch(assignment: str, node: int, request: str) -> bool:
    return (assignment, node, request) == ("assignment", node, "request")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> _Clock:
    return _Clock(monkeypatch)


def test_a_request_waits_for_the_one_before_it_and_not_for_another_broker(clock: _Clock) -> None:
    fetcher = SimpleNamespace(_proc_fetch_request=_fetch)
    pace(fetcher)
    fetch = fetcher._proc_fetch_request
    assert asyncio.run(fetch("assignment", 1, "request")) is True
    assert asyncio.run(fetch("assignment", 2, "request")) is True
    assert clock.slept == []
    clock.now += PACE_SECONDS / 4
    assert asyncio.run(fetch("assignment", 1, "request")) is True
    assert clock.slept == [pytest.approx(PACE_SECONDS * 3 / 4)]


def test_a_request_after_a_quiet_time_goes_at_once(clock: _Clock) -> None:
    fetcher = SimpleNamespace(_proc_fetch_request=_fetch)
    pace(fetcher)
    asyncio.run(fetcher._proc_fetch_request("assignment", 1, "request"))
    clock.now += 1.0
    asyncio.run(fetcher._proc_fetch_request("assignment", 1, "request"))
    assert clock.slept == []


def test_a_waiting_request_that_is_cancelled_ends_as_one_that_brought_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PACE_SECONDS", 60.0)
    fetcher = SimpleNamespace(_proc_fetch_request=_fetch)
    pace(fetcher)

    async def cancelled() -> bool:
        await fetcher._proc_fetch_request("assignment", 1, "request")
        waiting = asyncio.create_task(fetcher._proc_fetch_request("assignment", 1, "request"))
        await asyncio.sleep(0)
        waiting.cancel()
        return await waiting

    assert asyncio.run(cancelled()) is False
