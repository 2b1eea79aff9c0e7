"""What is made ready ahead of time is exactly what would be made at once, and is taken for no other records."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest
from clickhouse_connect.driver.client import Client

from schemas.connection import KafkaSettings
from schemas.telemetry import Telemetry
from sinks.loads import Load
from sinks.milestones import Milestone
from sinks.prepared import Ahead, Prepared, prepare
from sinks.settings import ClickHouseSettings, SinkSettings
from sinks.sink import Sink
from sinks.source import End, Fetched
from sinks.tables import declared_tables
from tests.sinks.memory import MemorySource, Topics, transaction

TABLES = {table.name: table for table in declared_tables("Asia/Shanghai")}
PLACE = ("journal", 0)


class NeverAtEnd(MemorySource):
    def poll(self, timeout: float) -> list[Fetched | End]:
        return [item for item in super().poll(timeout) if not isinstance(item, End)]


def topics_of(partitions: int, chunks: int, events: int) -> Topics:
    """Each event's number says where it lies."""
    topics = Topics()
    for chunk in range(chunks):
        for partition in range(partitions):
            first = (partition * chunks + chunk) * events
            topics.journal(partition, [("transaction", transaction(number)) for number in range(first, first + events)])
    return topics


def columns(made: Prepared) -> dict[str, tuple[Load, bytes]]:
    return {name: (replace(load, pieces=()), b"".join(load.pieces)) for name, load in made.loads.items()}


def test_just_the_records_begun_are_taken_as_they_were_made() -> None:
    records = topics_of(1, 6, 5).records[PLACE]
    ahead = Ahead(TABLES)
    ahead.start(PLACE, records[:3])
    assert not ahead.free
    of_another = ahead.take(("journal", 1), records[3:])
    assert not ahead.free
    taken = ahead.take(PLACE, records[:3])
    ahead.close()
    assert ahead.free
    for made, place, of in ((taken, PLACE, records[:3]), (of_another, ("journal", 1), records[3:])):
        assert columns(made) == columns(prepare(place, of, TABLES))
        assert len(made.rows["transactions"]) == 15
    assert columns(taken) != columns(of_another)


def test_what_was_begun_of_other_records_is_let_go() -> None:
    records = topics_of(1, 4, 5).records[PLACE]
    ahead = Ahead(TABLES)
    ahead.start(PLACE, records[:3])
    taken = ahead.take(PLACE, records[:2])
    assert columns(taken) == columns(prepare(PLACE, records[:2], TABLES))
    assert ahead.free
    ahead.start(PLACE, records[:3])
    ahead.forget(PLACE)
    assert ahead.free
    ahead.close()


@pytest.mark.embedded
def test_a_sink_that_is_behind_makes_its_batches_ready_ahead_and_stores_each_row_once(clickhouse: ClickHouseSettings, client: Client) -> None:
    topics = topics_of(3, 12, 20)
    settings = SinkSettings(batch_rows=40, batch_seconds=0.01, drain_seconds=2)
    sink = Sink(settings, clickhouse, KafkaSettings(), Telemetry(), client, source=MemorySource(topics))
    threads: set[str] = set()
    sink._observe = lambda _: threads.update(thread.name for thread in threading.enumerate())
    assert sink.run(threading.Event(), until_drained=True)
    assert any(name.startswith("sink-ahead") for name in threads)
    assert not any(thread.name.startswith("sink-ahead") for thread in threading.enumerate())
    misplaced = "sum(_partition != intDiv(toUInt32(substr(event_id, 2)), 240))"
    query = f"SELECT count(), uniqExact(event_id), uniqExact(_partition, _position), {misplaced} FROM {clickhouse.database}.transactions"
    found = client.query(query).result_rows
    assert found == [(720, 720, 720, 0)]
    assert topics.commits == {("journal", partition): 12 for partition in range(3)}


@pytest.mark.embedded
def test_with_as_much_in_hand_as_is_read_the_fullest_partition_goes_though_its_batch_is_not_full(clickhouse: ClickHouseSettings, client: Client) -> None:
    topics = topics_of(6, 12, 20)
    for _ in range(3):
        topics.journal(4, [("transaction", transaction(9_000 + number)) for number in range(20)])
    stop, overdue = threading.Event(), threading.Event()
    overdue_later = threading.Timer(20, lambda: (overdue.set(), stop.set()))
    overdue_later.start()
    stored: list[tuple[int, int]] = []

    def stop_after_the_first(milestone: Milestone) -> None:
        if milestone is Milestone.BATCH_STORED and not stop.is_set():
            stop.set()
            stored.extend(client.query(f"SELECT _partition, count() FROM {clickhouse.database}.transactions GROUP BY 1").result_rows)

    settings = SinkSettings(batch_rows=10_000, batch_seconds=600, backlog_rows=1_000, drain_seconds=5)
    sink = Sink(settings, clickhouse, KafkaSettings(), Telemetry(), client, source=NeverAtEnd(topics, batch=14), observe=stop_after_the_first)
    assert sink.run(stop)
    overdue_later.cancel()
    assert not overdue.is_set()
    assert stored == [(4, 280)]
