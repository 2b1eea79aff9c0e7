"""Batches of several partitions at once: each row once, and a lane that fails keeps no other from its work."""

from __future__ import annotations

import threading
from typing import Any, cast

import pytest
from clickhouse_connect.driver.client import Client

from schemas.connection import KafkaSettings
from schemas.telemetry import Telemetry
from sinks.dead_letters import MemoryDeadLetters
from sinks.hand import Hand
from sinks.lanes import Lane, Lanes
from sinks.settings import ClickHouseSettings, SinkSettings
from sinks.sink import Sink
from sinks.writer import Delayed, SinkStopped
from tests.sinks.memory import MemorySource, Topics, transaction


def lanes(number: int) -> Lanes:
    return Lanes([Lane(cast(Any, name), cast(Any, None)) for name in range(number)])


def test_work_is_done_at_once_and_each_in_a_lane_of_its_own() -> None:
    hands, met, used = [Hand(("journal", number)) for number in range(3)], threading.Barrier(3, timeout=20), set[tuple[Any, Any]]()

    def work(lane: Lane, hand: Hand) -> None:
        met.wait()
        used.add((lane.writer, hand.place))

    made = lanes(3)
    made.each(work, hands)
    made.close()
    assert used == {(number, ("journal", number)) for number in range(3)}


@pytest.mark.parametrize("failing", [{0}, {1}, {0, 2}, {0, 1, 2}])
def test_who_fails_keeps_no_other_from_its_work_and_what_waiting_does_not_mend_is_raised(failing: set[int]) -> None:
    hands, done = [Hand(("journal", number)) for number in range(3)], []

    def work(_: Lane, hand: Hand) -> None:
        number = hand.place[1]
        if number in failing:
            raise SinkStopped("stop") if number == 2 else Delayed(OSError("away"))
        done.append(number)

    made = lanes(3)
    with pytest.raises(SinkStopped if 2 in failing else Delayed):
        made.each(work, hands)
    made.close()
    assert sorted(done) == sorted({0, 1, 2} - failing)


@pytest.mark.embedded
def test_a_sink_with_lanes_stores_each_row_once(clickhouse: ClickHouseSettings, client: Client) -> None:
    topics = Topics()
    for chunk in range(12):
        for partition in range(5):
            topics.journal(partition, [("transaction", transaction((partition * 12 + chunk) * 20 + number)) for number in range(20)])
    settings = SinkSettings(batch_rows=40, batch_seconds=0.01, drain_seconds=2, lanes=3)
    source, threads = MemorySource(topics), set[str]()
    sink = Sink(settings, clickhouse, KafkaSettings(), Telemetry(), source=source, dead_letters=MemoryDeadLetters())
    sink._observe = lambda _: threads.add(threading.current_thread().name)
    assert sink.run(threading.Event(), until_drained=True)
    assert sum(name.startswith("sink-lane") for name in threads) == 2
    assert not any(thread.name.startswith("sink-lane") for thread in threading.enumerate())
    query = f"SELECT count(), uniqExact(event_id), uniqExact(_partition, _position) FROM {clickhouse.database}.transactions"
    assert client.query(query).result_rows == [(1200, 1200, 1200)]
    assert topics.commits == {("journal", partition): 12 for partition in range(5)}
