"""The fast way of an event into ClickHouse and the careful one give the same row, whatever the contract lets through."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from schemas import journal
from schemas.codec import decode
from schemas.events import EventKind
from sinks.events import EventLines, EventRow, Events, EventText, lines_of
from sinks.lines import split
from sinks.loads import send
from sinks.settings import ClickHouseSettings
from sinks.tables import EVENT_TABLES, declared_tables
from tests.sinks.memory import Topics, transaction
from tests.sinks.test_sink import drain, original

pytestmark = pytest.mark.embedded
TABLES = {table.name: table for table in declared_tables("Asia/Shanghai")}

text = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), min_size=1, max_size=12)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(st.characters(codec="utf-8"), max_size=8),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=4), inner, max_size=2),
    max_leaves=4,
)
moment = st.builds(
    lambda year, month, day, clock, fraction, zone: f"{year:04}-{month:02}-{day:02}T{clock}{fraction}{zone}",
    st.integers(1901, 2198),
    st.integers(1, 12),
    st.integers(1, 28),
    st.sampled_from(["00:00:00", "23:59:59", "12:30:07"]),
    st.sampled_from(["", ".5", ".0004", ".999999", ".1234567", ".999999999", ".000"]),
    st.sampled_from(["Z", "+08:00", "-11:30", "+00:00"]),
)
day = st.dates().filter(lambda one: 1901 <= one.year < 2199).map(str)
amount = st.builds(lambda whole, part: f"{whole}{part}", st.integers(0, 10**15 - 1), st.sampled_from(["", ".0", ".25", ".99"]))
signed = st.builds(lambda sign, one: sign + one, st.sampled_from(["", "-"]), amount)
number = st.floats(0, 1e6) | st.integers(0, 10**6)


def event(own: dict[str, st.SearchStrategy[Any]], maybe: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[dict[str, Any]]:
    """Required fields, optional ones that may be null or missing, and fields that nobody knows, in any order."""
    envelope = {"event_id": text, "customer_id": text, "occurred_at": moment, "source": text}
    optional = {name: st.none() | values for name, values in maybe.items()} | {"schema_version": st.integers(1, 1000), "_raw": anything, "_position": anything}
    fields = st.fixed_dictionaries(envelope | own, optional=optional | {"novel": anything, "business_day": anything})
    return fields.flatmap(lambda made: st.permutations(list(made.items())).map(dict))


def nested(own: dict[str, st.SearchStrategy[Any]], maybe: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(own, optional={name: st.none() | values for name, values in maybe.items()} | {"novel": anything})


EVENTS: dict[EventKind, st.SearchStrategy[dict[str, Any]]] = {
    "transaction": event(
        {
            "account_id": text,
            "amount": amount,
            "currency": st.just("CNY"),
            "direction": st.sampled_from(["in", "out"]),
            "kind": st.sampled_from(["transfer", "salary"]),
        },
        {
            "balance_after": signed,
            "instalment": st.integers(1, 2000),
            "description": st.text(st.characters(codec="utf-8"), max_size=30),
            "counterparty": nested({}, {"account": text, "bank": text, "country": st.just("DE")}),
            "merchant": nested({"id": text}, {"category": text}),
        },
    ),
    "complaint": event(
        {"case_id": text, "step": st.sampled_from(["received", "answered"])},
        {"people": st.integers(1, 500), "complex": st.booleans(), "at_fault": st.booleans(), "narrative": text},
    ),
    "interaction": event(
        {"kind": st.sampled_from(["call", "visit"]), "currency": st.just("CNY")},
        {"wait_seconds": number, "handling_seconds": number, "topic": text, "cost": amount},
    ),
    "customer": event({"change": st.just("recorded")}, {"birth_date": day, "joined_on": day, "display_name": text, "marketing_consent": st.booleans()}),
    "feedback": event({"alert_id": text, "action": st.just("acknowledged"), "actor": text}, {"until": moment}),
}
spelled: dict[str, Callable[[Any], bytes]] = {
    "compact": lambda value: json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode(),
    "ascii": lambda value: json.dumps(value).encode(),
    "pretty": lambda value: json.dumps(value, indent=1, ensure_ascii=False).encode(),
}


@pytest.mark.parametrize("kind", EVENTS)
def test_both_ways_store_the_same_rows(kind: EventKind, clickhouse: ClickHouseSettings, client: Client) -> None:
    table = TABLES[EVENT_TABLES[kind]]
    all_columns = (*table.given, "business_day")
    columns = ", ".join(f"`{name}`" for name in all_columns)
    names = [f"{clickhouse.database}.{table.name}_{way}" for way in ("fast", "careful")]
    for name in names:
        client.command(f"CREATE TABLE IF NOT EXISTS {name} AS {clickhouse.database}.{table.name} ENGINE = Memory")

    tried, refused = list[int](), list[int]()

    @settings(max_examples=12, deadline=None, database=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate])
    @given(st.lists(st.tuples(EVENTS[kind], st.sampled_from(sorted(spelled))), min_size=1, max_size=6))
    def check(made: list[tuple[dict[str, Any], str]]) -> None:
        tried.append(len(made))
        events, lines = EventLines(3), list[bytes]()
        for number, (fields, spelling) in enumerate(made):
            value = spelled[spelling](fields)
            decode(kind, str(fields["customer_id"]).encode(), value)  # what the contract refuses is in no journal
            trace = "00-4bf9-00f0-01" if number % 5 == 4 else None
            lines.append(journal.line(kind, number, number + 7, value, trace))
            [line] = lines_of(lines[-1])
            events.add(line)
        at_once = split([b"\n".join(lines)])
        assert (at_once is None) == any(b'"raw":' in line[:60] for line in lines)
        taken: Events = events if at_once is None else EventText(3, at_once[kind])
        assert taken.rows() == events.rows()
        try:
            send(client, names[0], taken.load(table), len(lines), {})
        except DatabaseError:  # as the sink does: the whole batch goes the careful way
            refused.append(len(lines))
            return
        for row in events.rows():
            try:
                client.raw_insert(names[1], table.given, row, fmt="JSONEachRow")
            except DatabaseError:
                client.raw_insert(names[1], table.given, EventRow(table.name, row).canonical(), fmt="JSONEachRow")
        fast, slow = (client.query(f"SELECT {columns} FROM {name} ORDER BY _position").result_rows for name in names)
        for name in names:
            client.command(f"TRUNCATE TABLE {name}")
        differences = [(name, a, b) for one, other in zip(fast, slow, strict=True) for name, a, b in zip(all_columns, one, other, strict=True) if a != b]
        assert differences == []

    check()
    assert len(refused) < len(tried) / 2


ODD = [
    b'{"event_id":"t0","event_id":"t0",',  # a field twice
    b'{"novel":NaN,',
]


@pytest.mark.parametrize("head", ODD)
def test_a_batch_with_an_event_that_only_the_careful_way_reads_goes_that_way_whole(head: bytes, clickhouse: ClickHouseSettings, client: Client) -> None:
    values = [json.dumps(transaction(number)).encode() for number in range(1, 9)]
    values[3] = head + values[3][1:]
    topics = Topics()
    topics.journal(0, [("transaction", value) for value in values])
    events = EventLines(0)
    for line in lines_of(topics.records["journal", 0][0].value or b""):
        events.add(line)
    table = TABLES["transactions"]
    target = f"{clickhouse.database}.{table.name}"
    with pytest.raises(DatabaseError):
        send(client, target, events.load(table), len(events), {})
    assert client.query(f"SELECT count() FROM {target}").result_rows == [(0,)]
    assert drain(topics, clickhouse, client).refused == []
    assert client.query(f"SELECT count(), uniqExact(_position) FROM {target}").result_rows == [(8, 8)]
    assert [original(client, clickhouse, 0, number) for number in range(8)] == values


def test_a_null_where_a_default_stands_and_a_missing_field_are_the_default(clickhouse: ClickHouseSettings, client: Client) -> None:
    topics = Topics()
    topics.journal(0, [("transaction", transaction(1)), ("transaction", transaction(2, counterparty=None, merchant={"id": "m", "category": None}))])
    drain(topics, clickhouse, client)
    columns = "status, channel, product_line, schema_version, counterparty.account, merchant.category, balance_after"
    got = client.query(f"SELECT {columns} FROM {clickhouse.database}.transactions")
    assert got.result_rows == [("posted", "other", "deposit", 1, "", "", None)] * 2


def test_a_batch_of_more_rows_than_clickhouse_reads_at_once_is_one_block_under_its_token(clickhouse: ClickHouseSettings, client: Client) -> None:
    repeat_a_large_batch(client, clickhouse)


def repeat_a_large_batch(client: Client, clickhouse: ClickHouseSettings) -> None:
    """One block is one part a month: a token that stood for a part of the rows would let the others in twice."""
    count, table = 70_000, TABLES["transactions"]
    values = [json.dumps(transaction(number, occurred_at="2026-03-01T00:00:00Z")).encode() for number in range(count)]
    text = split([b"\n".join(journal.line("transaction", number, number, value) for number, value in enumerate(values))])
    assert text is not None
    load, target = EventText(0, text["transaction"]).load(table), f"{clickhouse.database}.{table.name}"
    client.command(f"SYSTEM STOP MERGES {target}")
    for _ in range(2):
        send(client, target, load, count, {"insert_deduplication_token": "of-the-batch"})
        assert client.query(f"SELECT count(), uniqExact(event_id), uniqExact(_part) FROM {target}").result_rows == [(count, count, 1)]
    send(client, target, load, count, {"insert_deduplication_token": "of-another"})
    assert client.query(f"SELECT count(), uniqExact(_part) FROM {target}").result_rows == [(2 * count, 2)]
    client.command(f"SYSTEM START MERGES {target}")
