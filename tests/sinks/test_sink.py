"""The sink on real ClickHouse, reading topics from memory: what comes in is there once, whatever is interrupted."""

from __future__ import annotations

import base64
import json
import re
import threading
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError, OperationalError

from schemas.connection import KafkaSettings
from schemas.telemetry import Telemetry
from sinks.dead_letters import MemoryDeadLetters
from sinks.range_store import ClickHouseRanges
from sinks.ranges import Range
from sinks.settings import ClickHouseSettings, SinkSettings
from sinks.sink import Sink, SinkStopped
from tests.sinks.memory import MemorySource, Topics, transaction

pytestmark = pytest.mark.embedded
QUICK = SinkSettings(batch_seconds=0.01, drain_seconds=2, retry_seconds=0.2)


class Killed(BaseException):
    """SIGKILL, as far as a thread can tell."""


class Faulty:
    """A client whose inserts fail by plan: before the rows are stored, or after, with the answer lost."""

    def __init__(self, client: Client, faults: dict[int, tuple[str, BaseException]]) -> None:
        self._client = client
        self._faults = faults
        self.inserts = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def raw_insert(self, table: str, columns: Any, data: bytes, **options: Any) -> Any:
        return self.stored(table, data, lambda: self._client.raw_insert(table, columns, data, **options))

    def command(self, statement: str, *arguments: Any, **options: Any) -> Any:
        """Inserts into a ClickHouse of this process are statements that read a file."""
        if not statement.startswith("INSERT INTO"):
            return self._client.command(statement, *arguments, **options)
        [file] = re.findall(r"FROM (?:file\(|INFILE )'([^']+)'", statement)
        return self.stored(statement.split()[2], Path(file).read_bytes(), lambda: self._client.command(statement, *arguments, **options))

    def stored(self, table: str, data: bytes, store: Callable[[], Any]) -> Any:  # noqa: ARG002
        self.inserts += 1
        when, error = self._faults.get(self.inserts, ("", None))
        if error is not None and when == "before":
            raise error
        done = store()
        if error is not None:
            raise error
        return done


def sink(topics: Topics, clickhouse: ClickHouseSettings, client: Any, settings: SinkSettings = QUICK, source: MemorySource | None = None) -> Sink:
    made = Sink(settings, clickhouse, KafkaSettings(), Telemetry(), client, source=source or MemorySource(topics), dead_letters=MemoryDeadLetters())
    return made


def drain(topics: Topics, clickhouse: ClickHouseSettings, client: Any, settings: SinkSettings = QUICK) -> MemoryDeadLetters:
    one = sink(topics, clickhouse, client, settings)
    assert one.run(threading.Event(), until_drained=True)
    letters = one._dead_letters
    assert isinstance(letters, MemoryDeadLetters)
    return letters


def rows(client: Client, query: str) -> list[Any]:
    return [tuple(row) for row in client.query(query, query_tz="UTC", tz_mode="aware").result_rows]


def original(client: Client, clickhouse: ClickHouseSettings, partition: int, position: int) -> bytes:
    """The JSON of an event as it came."""
    [(text,)] = rows(client, f"SELECT original FROM {clickhouse.database}.v_original(partition = {partition}, position = {position})")
    return str(text).encode()


def test_the_rest_of_what_had_piled_up_waits_for_nothing(clickhouse: ClickHouseSettings, client: Client) -> None:
    topics = Topics()
    for chunk in range(7):
        topics.journal(0, [("transaction", transaction(chunk * 20 + n)) for n in range(20)])
    drain(topics, clickhouse, client, QUICK.model_copy(update={"batch_rows": 100, "batch_seconds": 600.0}))
    assert rows(client, f"SELECT count() FROM {clickhouse.database}.transactions") == [(140,)]


def test_every_kind_lands_in_its_table_with_typed_columns(clickhouse: ClickHouseSettings, client: Client) -> None:
    topics = Topics()
    base = {"customer_id": "c1", "source": "desk", "occurred_at": "2026-03-01T00:30:00.123456+08:00"}
    topics.journal(
        0,
        [
            ("transaction", transaction(1, merchant={"id": "m1", "new": [1]}, balance_after="-10.5", occurred_at="2026-02-28T16:30:00Z", novel={"x": None})),
            ("complaint", {**base, "event_id": "k1", "case_id": "TS-1", "step": "received", "people": 3, "complex": True}),
            ("interaction", {**base, "event_id": "i1", "kind": "call", "wait_seconds": 12.5}),
            ("customer", {**base, "event_id": "p1", "change": "recorded", "display_name": "张*伟", "birth_date": "1931-05-06"}),
            ("tick", {"event_id": "k", "source": "clock", "occurred_at": "2026-03-01T00:00:00Z", "partition": 0}),
            ("feedback", {**base, "event_id": "f1", "alert_id": "a", "action": "acknowledged", "actor": "rm"}),
        ],
    )
    drain(topics, clickhouse, client)
    d = clickhouse.database
    assert rows(
        client, f"SELECT amount, currency, status, merchant.id, balance_after, business_day, occurred_at, _partition, _position FROM {d}.transactions"
    ) == [(Decimal("1.25"), "CNY", "posted", "m1", Decimal("-10.5"), date(2026, 3, 1), datetime(2026, 2, 28, 16, 30, tzinfo=UTC), 0, 0)]
    assert json.loads(original(client, clickhouse, 0, 0))["novel"] == {"x": None}
    assert rows(client, f"SELECT case_id, step, people, complex, at_fault, business_day FROM {d}.complaints") == [
        ("TS-1", "received", 3, True, None, date(2026, 3, 1))
    ]
    assert rows(client, f"SELECT kind, channel, outcome, wait_seconds, handling_seconds, occurred_at FROM {d}.interactions") == [
        ("call", "other", "none", 12.5, None, datetime(2026, 2, 28, 16, 30, 0, 123000, tzinfo=UTC))
    ]
    assert rows(client, f"SELECT display_name, birth_date FROM {d}.customers") == [("张*伟", date(1931, 5, 6))]
    assert rows(client, f"SELECT count() FROM {d}.ticks") == [(1,)]
    assert rows(client, f"SELECT alert_id, until FROM {d}.feedback") == [("a", None)]
    assert rows(client, f"SELECT count(), countIf(event_kind = 'complaint') FROM {d}.v_events") == [(5, 1)]


def test_what_pydantic_takes_and_clickhouse_does_not_is_written_from_the_model(clickhouse: ClickHouseSettings, client: Client) -> None:
    topics = Topics()
    twice = json.dumps(transaction(2))[:-1].encode() + b',"customer_id":"c9"}'
    nan = json.dumps(transaction(3))[:-1].encode() + b',"novel":NaN}'
    ours = json.dumps(transaction(4))[:-1].encode() + b',"_raw":"x","_position":99}'
    pretty = json.dumps(transaction(5), indent=1).encode()
    null = json.dumps(transaction(6, counterparty={"account": "x", "bank": None}, description=None)).encode()
    topics.journal(0, [("transaction", value) for value in (twice, nan, ours, pretty, null)])
    letters = drain(topics, clickhouse, client)
    assert letters.refused == []
    got = rows(client, f"SELECT event_id, customer_id, _position FROM {clickhouse.database}.transactions ORDER BY event_id")
    assert got == [("t2", "c9", 0), ("t3", "c3", 1), ("t4", "c4", 2), ("t5", "c5", 3), ("t6", "c6", 4)]
    assert [original(client, clickhouse, 0, number) for number in range(5)] == [twice, nan, ours, pretty, null]


def test_a_row_that_clickhouse_refuses_becomes_a_dead_letter_and_the_rest_goes_in(clickhouse: ClickHouseSettings, client: Client) -> None:
    topics = Topics()
    table = f"{clickhouse.database}.transactions"
    client.command(f"ALTER TABLE {table} ADD CONSTRAINT small CHECK amount < 5000")
    try:
        topics.journal(1, [("transaction", transaction(n, amount="9999.00" if n == 617 else "1.00")) for n in range(1000)])
        letters = drain(topics, clickhouse, client)
    finally:
        client.command(f"ALTER TABLE {table} DROP CONSTRAINT small")
    assert rows(client, f"SELECT count(), uniqExact(event_id) FROM {table}") == [(999, 999)]
    [refused] = letters.refused
    assert json.loads(refused.value)["event_id"] == "t617"
    assert (refused.key, refused.partition, refused.why.topic, refused.why.offset, refused.why.stage) == (b"c1", 1, "crm.transactions", 617, "insert")
    assert refused.why.reason == "clickhouse_469"
    assert "9999" not in refused.why.message
    assert topics.commits == {("journal", 1): 1}


def test_too_many_refused_rows_stop_the_sink_and_commit_nothing(clickhouse: ClickHouseSettings, client: Client) -> None:
    topics = Topics()
    table = f"{clickhouse.database}.transactions"
    client.command(f"ALTER TABLE {table} ADD CONSTRAINT none CHECK amount < 0")
    try:
        topics.journal(0, [("transaction", transaction(n)) for n in range(20)])
        with pytest.raises(SinkStopped, match="more than 3 rows"):
            drain(topics, clickhouse, client, QUICK.model_copy(update={"refused_rows": 3}))
    finally:
        client.command(f"ALTER TABLE {table} DROP CONSTRAINT none")
    assert topics.commits == {}
    drain(topics, clickhouse, client)
    assert rows(client, f"SELECT count() FROM {table}") == [(20,)]


def test_junk_in_one_of_our_own_topics_costs_one_record(clickhouse: ClickHouseSettings, client: Client) -> None:
    topics = Topics()
    for value in (b"junk", None, b"{}", b"[1]", b"\xff"):
        topics.put("customer-metrics", 0, value, b"c1")
    topics.put("journal", 0, b'{"kind":"nothing","position":0,"offset":0,"event":{}}')
    topics.journal(0, [("transaction", transaction(1))])
    letters = drain(topics, clickhouse, client)
    assert [one.why.reason for one in letters.refused] == ["malformed"] * 6
    assert rows(client, f"SELECT count() FROM {clickhouse.database}.transactions") == [(1,)]


def test_dead_letters_keep_their_bytes(clickhouse: ClickHouseSettings, client: Client) -> None:
    topics = Topics()
    big = bytes(range(256)) * 40_960  # 10 MB of every byte
    topics.dead_letter(2, 41, big)
    topics.dead_letter(2, 42, None, "tombstone")
    topics.dead_letter(2, 42, None, "tombstone")  # put there twice by a crash
    topics.put("late-events", 2, b"{}", b"k")
    drain(topics, clickhouse, client)
    got = rows(client, f"SELECT offset, reason, value_base64, key_base64, headers_base64, message FROM {clickhouse.database}.dead_letters ORDER BY offset")
    assert [(row[0], row[1]) for row in got] == [(41, "not_json"), (42, "tombstone"), (42, "tombstone")]
    assert rows(client, f"SELECT offset FROM {clickhouse.database}.v_dead_letters ORDER BY offset") == [(41,), (42,)]
    assert base64.b64decode(got[0][2]) == big
    assert got[1][2] is None
    assert base64.b64decode(got[0][3]) == b"c1"
    assert [header["name"] for header in got[0][4]] == ["traceparent"]
    assert rows(client, f"SELECT count() FROM {clickhouse.database}.late_events") == [(1,)]


@pytest.mark.parametrize("insert", range(1, 7))
@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_at_any_insert_the_next_sink_makes_it_exact(clickhouse: ClickHouseSettings, client: Client, insert: int, when: str) -> None:
    topics = Topics()
    for chunk in range(3):
        events = [("transaction", transaction(chunk * 50 + n)) for n in range(50)]
        events += [
            ("interaction", {"event_id": f"i{chunk}{n}", "customer_id": "c1", "source": "s", "occurred_at": "2026-01-01T00:00:00Z", "kind": "call"})
            for n in range(9)
        ]
        topics.journal(0, events)  # type: ignore[arg-type]
    settings = QUICK.model_copy(update={"batch_rows": 60})
    with pytest.raises(Killed):
        drain(topics, clickhouse, Faulty(client, {insert: (when, Killed())}), settings)
    topics.journal(0, [("transaction", transaction(1000))])  # the next one finds more in hand, and is set otherwise
    drain(topics, clickhouse, client)
    d = clickhouse.database
    assert rows(client, f"SELECT count(), uniqExact(event_id) FROM {d}.transactions") == [(151, 151)]
    assert rows(client, f"SELECT count(), uniqExact(event_id) FROM {d}.interactions") == [(27, 27)]


def test_killed_before_the_commit_changes_nothing(clickhouse: ClickHouseSettings, client: Client) -> None:
    topics = Topics()
    topics.journal(0, [("transaction", transaction(n)) for n in range(40)])
    source = MemorySource(topics)
    source.commit = lambda _: (_ for _ in ()).throw(Killed())  # type: ignore[method-assign,assignment]
    with pytest.raises(Killed):
        sink(topics, clickhouse, client, source=source).run(threading.Event(), until_drained=True)
    drain(topics, clickhouse, client)
    assert rows(client, f"SELECT count(), uniqExact(event_id) FROM {clickhouse.database}.transactions") == [(40, 40)]


def test_clickhouse_away_is_waited_for_with_reading_paused(clickhouse: ClickHouseSettings, client: Client) -> None:
    topics = Topics()
    topics.journal(0, [("transaction", transaction(n)) for n in range(10)])
    away = {1: ("before", OperationalError("no answer")), 2: ("after", DatabaseError("x", code=210)), 3: ("before", DatabaseError("x", code=252))}
    source = MemorySource(topics)
    one = sink(topics, clickhouse, Faulty(client, away), source=source)  # type: ignore[arg-type]
    seen: list[str] = []
    pause = source.pause

    def paused() -> None:
        pause()
        seen.append(one.waiting_for()[0])
        assert topics.commits == {}

    source.pause = paused  # type: ignore[method-assign]
    assert one.run(threading.Event(), until_drained=True)
    assert {"clickhouse: connection", "clickhouse: 210", "clickhouse: 252"} <= set(seen)
    assert one.waiting_for() == ["kafka: partitions"]
    assert rows(client, f"SELECT count(), uniqExact(event_id) FROM {clickhouse.database}.transactions") == [(10, 10)]


def test_stopped_while_clickhouse_is_away_says_that_it_left_rows(clickhouse: ClickHouseSettings, client: Client) -> None:
    topics = Topics()
    topics.journal(0, [("transaction", transaction(n)) for n in range(10)])
    gone = Faulty(client, {n: ("before", OperationalError("no answer")) for n in range(1, 1000)})
    stop = threading.Event()
    threading.Timer(0.3, stop.set).start()
    assert not sink(topics, clickhouse, gone, QUICK.model_copy(update={"drain_seconds": 0.5})).run(stop)
    assert topics.commits == {}


def test_an_altered_table_stops_the_sink_in_one_line(clickhouse: ClickHouseSettings, client: Client) -> None:
    topics = Topics()
    topics.journal(0, [("transaction", transaction(1))])
    table = f"{clickhouse.database}.transactions"
    client.command(f"ALTER TABLE {table} DROP COLUMN description")
    try:
        with pytest.raises(SinkStopped, match="fenghuo migrate up"):
            drain(topics, clickhouse, client)
    finally:
        client.command(f"ALTER TABLE {table} ADD COLUMN description String AFTER reverses")


def test_two_sinks_at_once_go_on_with_the_range_of_the_first(clickhouse: ClickHouseSettings, client: Client) -> None:
    """One lost its partition without noticing: it holds more records than the new owner had, and writes the same ranges."""
    topics = Topics()
    topics.journal(0, [("transaction", transaction(n)) for n in range(10)])
    topics.journal(0, [("transaction", transaction(n)) for n in range(10, 20)])
    ranges = ClickHouseRanges(client, clickhouse.database, {"crm.journal": "i1"})
    assert ranges.claim("crm.journal", 0, Range(0, 0)) == Range(0, 0)  # the new owner, with one record in hand
    assert ranges.claim("crm.journal", 0, Range(0, 1)) == Range(0, 0)  # the undead one, with both
    drain(topics, clickhouse, client)
    undead = MemorySource(topics)
    topics.commits.clear()
    undead.refuse_commits = True
    stop = threading.Event()
    threading.Timer(0.5, stop.set).start()
    sink(topics, clickhouse, client, QUICK.model_copy(update={"drain_seconds": 0.2}), undead).run(stop)
    assert rows(client, f"SELECT count(), uniqExact(event_id) FROM {clickhouse.database}.transactions") == [(20, 20)]


def test_a_topic_made_anew_starts_anew(clickhouse: ClickHouseSettings, client: Client) -> None:
    for incarnation, number in (("i1", 1), ("i2", 2)):
        topics = Topics()
        topics.journal(0, [("transaction", transaction(number))])
        source = MemorySource(topics)
        source.incarnations = lambda incarnation=incarnation: {"journal": incarnation}  # type: ignore[method-assign,misc]
        assert sink(topics, clickhouse, client, source=source).run(threading.Event(), until_drained=True)
    assert rows(client, f"SELECT count() FROM {clickhouse.database}.transactions") == [(2,)]
