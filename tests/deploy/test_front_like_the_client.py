"""What clickhouse-connect offers, asked twice: through the front, and in-process, where no front stands between. The answers are the same."""

from __future__ import annotations

import datetime
import math
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from decimal import Decimal
from pathlib import Path
from typing import Any

import clickhouse_connect
import pandas
import pyarrow
import pytest
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError, DatabaseError
from clickhouse_connect.driver.external import ExternalData

from deploy.embedded.clickhouse import READER, WRITER, EmbeddedClickHouse

pytestmark = pytest.mark.embedded

_TYPES = """SELECT toInt8(-1) AS a, toUInt64(18446744073709551615) AS b, toInt128(-170141183460469231731687303715884105728) AS c,
    toUInt256(7) AS d, toFloat32(0.5) AS e, -1e300 AS f, toDecimal32(1.25, 2) AS g, toDecimal128('-12345678901234567890.1234', 4) AS h,
    true AS i, 'a\\0b\\'c 名字 \\\\ \\t\\n' AS j, toFixedString('ab', 4) AS k, toDate('2026-02-28') AS l, toDate32('1925-02-28') AS m,
    toDateTime('2026-02-28 23:59:59', 'Asia/Shanghai') AS n, toDateTime64('2026-02-28 23:59:59.123', 3, 'UTC') AS o,
    toUUID('61f0c404-5cb3-11e7-907b-a6006ad3dba0') AS p, toIPv4('10.0.0.1') AS q, CAST('b', 'Enum8(\\'a\\' = 1, \\'b\\' = 2)') AS r,
    [[1, 2], []] AS s, map('k', toNullable(1), 'l', NULL) AS t, CAST((1, 'x'), 'Tuple(n UInt8, s String)') AS u,
    CAST(NULL, 'Nullable(Decimal(9, 2))') AS v, CAST('low', 'LowCardinality(Nullable(String))') AS w, CAST(NULL, 'LowCardinality(Nullable(String))') AS x"""
_ROWS = "SELECT number AS n, concat('名 ', toString(number)) AS s, if(number % 3 = 0, NULL, number / 4) AS f FROM numbers(100000)"
_MOMENT = datetime.datetime(2026, 7, 20, 8, 0, tzinfo=datetime.UTC)


def _result(result: Any) -> Any:
    return result.column_names, [kind.name for kind in result.column_types], list(result.result_rows)


def _streamed(stream: Any, count: Callable[[Any], int]) -> int:
    with stream as parts:
        return sum(count(part) for part in parts)


#: Each is asked of both clients.
READS: dict[str, Callable[[Client], Any]] = {
    "a command answers with a value": lambda c: (c.command("SELECT 42"), c.command("SELECT 'x y'"), c.command("SELECT 1.5")),
    "a command answers with several": lambda c: c.command("SELECT 1, 'two'"),
    "every type": lambda c: _result(c.query(_TYPES)),
    "no rows": lambda c: _result(c.query(f"{_ROWS} WHERE n > 1000000")),
    "columns of no rows": lambda c: c.query(f"SELECT * FROM ({_ROWS}) LIMIT 0").column_names,
    "columns instead of rows": lambda c: c.query("SELECT number, number * 2 FROM numbers(3)", column_oriented=True).result_columns,
    "first row, first item, named results": lambda c: (
        c.query("SELECT 1 AS a, 2 AS b").first_row,
        c.query("SELECT 1 AS a, 2 AS b").first_item,
        list(c.query("SELECT 1 AS a, 2 AS b").named_results()),
    ),
    "parameters bound by the server": lambda c: _result(
        c.query(
            "SELECT {s:String}, {n:Nullable(String)}, {d:Date}, {t:DateTime64(3)}, {a:Array(String)}, {i:Int64}, {x:Decimal(18, 2)}",
            parameters={
                "s": "o'clock \\ -- /* */ ; \t\n {x}",
                "n": None,
                "d": datetime.date(2026, 2, 28),
                "t": _MOMENT.replace(tzinfo=None),
                "a": ["a'b", "c"],
                "i": -5,
                "x": Decimal("1.25"),
            },
        )
    ),
    "parameters put in by the client": lambda c: _result(c.query("SELECT %(s)s, %(n)s, %(l)s", parameters={"s": "it's", "n": 5, "l": ["a", "b"]})),
    "a column's name as parameter": lambda c: c.query("SELECT {c:Identifier} FROM (SELECT 7 AS seven)", parameters={"c": "seven"}).first_row,
    "formats of columns": lambda c: _result(c.query("SELECT toUUID('61f0c404-5cb3-11e7-907b-a6006ad3dba0') AS u", query_formats={"UUID": "string"})),
    "a reader's own time zone": lambda c: _result(c.query("SELECT toDateTime64('2026-02-28 23:59:59.123', 3, 'UTC') AS o", query_tz="Europe/Prague")),
    "settings of one query": lambda c: c.command("SELECT getSetting('max_block_size')", settings={"max_block_size": 1234}),
    "comments and a closing semicolon": lambda c: c.query("SELECT /* ; ' */ 1 -- ' ;\n + 1;").first_row,
    "a query that starts with WITH": lambda c: c.query("WITH 1 AS a SELECT a + 1").first_row,
    "several ways of looking": lambda c: (
        c.query("SHOW DATABASES LIKE 'bank'").result_rows,
        [row[:2] for row in c.query("DESCRIBE TABLE bank.events").result_rows],
        c.command("EXISTS TABLE bank.events"),
    ),
    "a data frame": lambda c: c.query_df(_ROWS).to_dict("list"),
    "data frames as a stream": lambda c: _streamed(c.query_df_stream(_ROWS), len),
    "an Arrow table": lambda c: c.query_arrow(_ROWS).to_pydict(),
    "Arrow batches as a stream": lambda c: _streamed(c.query_arrow_stream(_ROWS), lambda batch: int(batch.num_rows)),
    "a numpy array": lambda c: c.query_np("SELECT number FROM numbers(10)").tolist(),
    "numpy arrays as a stream": lambda c: _streamed(c.query_np_stream("SELECT number FROM numbers(100000)"), len),
    "rows as a stream": lambda c: _streamed(c.query_rows_stream(_ROWS), lambda row: int(row[0])),
    "blocks of rows as a stream": lambda c: _streamed(c.query_row_block_stream(_ROWS), len),
    "blocks of columns as a stream": lambda c: _streamed(c.query_column_block_stream(_ROWS), lambda block: len(block[0])),
    "raw bytes": lambda c: [c.raw_query("SELECT number AS n, 'x' AS s FROM numbers(3)", fmt=fmt) for fmt in ("CSVWithNames", "JSONEachRow", "TSV", "Values")],
    "raw bytes as a stream": lambda c: c.raw_stream("SELECT number FROM numbers(1000)", fmt="CSV").read(),
    "a context used again": lambda c: [
        c.query(context=context, parameters={"n": n}).first_row
        for context in [c.create_query_context("SELECT {n:UInt8} + 1", parameters={"n": 0})]
        for n in (1, 2)
    ],
    "version and zone": lambda c: (c.server_version, str(c.server_tz), c.ping()),
}


@pytest.fixture(scope="module")
def clickhouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedClickHouse]:
    with EmbeddedClickHouse(tmp_path_factory.mktemp("clickhouse")) as running:
        with _over_http(running, WRITER) as writer:
            writer.command("CREATE DATABASE bank")
            writer.command(
                "CREATE TABLE bank.events (id UInt64, name String, amount Nullable(Decimal(18, 2)), at DateTime64(3, 'UTC')) ENGINE = MergeTree ORDER BY id"
            )
        yield running


def _over_http(clickhouse: EmbeddedClickHouse, user: str, **options: Any) -> Client:
    password = clickhouse.writer_password if user == WRITER else ""
    return clickhouse_connect.get_client(host="127.0.0.1", port=clickhouse.port, username=user, password=password, **options)


@pytest.fixture
def both(clickhouse: EmbeddedClickHouse) -> Iterator[tuple[Client, Client]]:
    """Over HTTP, and in-process on the same folder."""
    with _over_http(clickhouse, WRITER) as front, clickhouse_connect.get_client(interface="chdb", path=str(clickhouse.path)) as inside:
        yield front, inside


def _same(one: Any, other: Any) -> bool:
    """Equal, where not-a-number equals itself."""
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(_same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, float) and isinstance(other, float) and math.isnan(one):
        return math.isnan(other)
    return bool(one == other)


@pytest.mark.parametrize("what", READS)
def test_reading_answers_alike(both: tuple[Client, Client], what: str) -> None:
    front, inside = (READS[what](client) for client in both)
    assert front, what
    assert _same(front, inside)


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM bank.nowhere",
        "SELECT nothing FROM bank.events",
        "SELECT FROM WHERE",
        "SELECT toUInt8('x')",
        "SELECT throwIf(number = 3) FROM numbers(10)",
        "SELECT {a:UInt8}",
        "CREATE TABLE bank.events (a UInt8) ENGINE = Memory",
        "DROP TABLE bank.nowhere",
        "SELECT * FROM bank.events SETTINGS no_such_setting = 1",
    ],
)
def test_errors_have_the_same_number(both: tuple[Client, Client], statement: str) -> None:
    codes = []
    for client in both:
        with pytest.raises(DatabaseError) as refused:
            client.command(statement)
        codes.append(refused.value.code)
    assert codes[0] == codes[1]
    assert codes[0]


@pytest.mark.parametrize(
    "read",
    [
        lambda client, sql: client.query(sql).result_rows,
        lambda client, sql: client.query_df(sql),
        lambda client, sql: client.query_arrow(sql),
        lambda client, sql: _streamed(client.query_row_block_stream(sql), len),
        lambda client, sql: _streamed(client.query_df_stream(sql), len),
    ],
    ids=["rows", "data frame", "Arrow", "stream of rows", "stream of data frames"],
)
def test_an_error_midway_is_an_error_in_every_form(both: tuple[Client, Client], read: Callable[[Client, str], Any]) -> None:
    """The first rows are already on their way when it happens."""
    for client in both:
        with pytest.raises((ClickHouseError, pyarrow.ArrowException), match=r"throwIf|too late"):
            read(client, "SELECT throwIf(number = 900000, 'too late'), number FROM numbers(1000000)")


@pytest.mark.parametrize("form", ["JSON", "Arrow", "CSVWithNames", "Parquet", "Native"])
def test_what_a_session_answers_next_holds_nothing_of_an_answer_that_failed(clickhouse: EmbeddedClickHouse, form: str) -> None:
    with _over_http(clickhouse, READER, session_id=f"after {form}") as client:
        for _ in range(2):
            with suppress(ClickHouseError):  # a streaming format carries its error in the answer's end
                client.raw_query(f"SELECT throwIf(number = 900000), number FROM numbers(1000000) FORMAT {form}")
            assert client.raw_query("SELECT 'next'") == b"next\n"


def _rows_of(client: Client, table: str) -> Any:
    return client.query(f"SELECT * FROM {table} ORDER BY ALL").result_rows


#: Each puts the same two rows into an empty table.
_WRITES: dict[str, Callable[[Client, str], Any]] = {
    "rows": lambda c, t: c.insert(t, [[1, "o'clock", None, _MOMENT], [2, "名字", Decimal("2.50"), _MOMENT]], column_names=["id", "name", "amount", "at"]),
    "columns": lambda c, t: c.insert(
        t, [[1, 2], ["o'clock", "名字"], [None, Decimal("2.50")], [_MOMENT] * 2], column_names=["id", "name", "amount", "at"], column_oriented=True
    ),
    "a data frame": lambda c, t: c.insert_df(
        t, pandas.DataFrame({"id": [1, 2], "name": ["o'clock", "名字"], "amount": [None, Decimal("2.50")], "at": pandas.to_datetime([_MOMENT] * 2)})
    ),
    "an Arrow table": lambda c, t: c.insert_arrow(
        t,
        pyarrow.table(
            {
                "id": pyarrow.array([1, 2], pyarrow.uint64()),
                "name": ["o'clock", "名字"],
                "amount": pyarrow.array([None, Decimal("2.50")], pyarrow.decimal128(18, 2)),
                "at": pyarrow.array([_MOMENT] * 2, pyarrow.timestamp("ms", "UTC")),
            }
        ),
    ),
    "raw CSV": lambda c, t: c.raw_insert(
        t, ["id", "name", "amount", "at"], "1,o'clock,\\N,2026-07-20 08:00:00.000\n2,名字,2.50,2026-07-20 08:00:00.000\n".encode(), fmt="CSV"
    ),
    "a statement": lambda c, t: c.command(
        f"INSERT INTO {t} VALUES (1, 'o''clock', NULL, '2026-07-20 08:00:00.000'), (2, '名字', 2.5, '2026-07-20 08:00:00.000')"
    ),
}


@pytest.mark.parametrize("what", _WRITES)
def test_writing_stores_the_same_rows(both: tuple[Client, Client], what: str) -> None:
    stored = []
    for client in both:
        client.command("CREATE OR REPLACE TABLE bank.written AS bank.events ENGINE = MergeTree ORDER BY id")
        _WRITES[what](client, "bank.written")
        stored.append(_rows_of(client, "bank.written"))
    assert stored[0] == stored[1]
    moment = _MOMENT.replace(tzinfo=None)
    assert stored[0] == [(1, "o'clock", None, moment), (2, "名字", Decimal("2.50"), moment)]


def test_a_session_keeps_what_a_connection_keeps(clickhouse: EmbeddedClickHouse) -> None:
    inside = clickhouse_connect.get_client(interface="chdb", path=str(clickhouse.path))
    for client in (_over_http(clickhouse, WRITER, session_id="kept"), inside):
        with client:
            client.command("CREATE TEMPORARY TABLE mine (a UInt8)")
            client.insert("mine", [[1], [2]], column_names=["a"])
            client.command("SET max_block_size = 777")
            assert client.query("SELECT sum(a), getSetting('max_block_size') FROM mine").first_row == (3, 777)


def _asked(clickhouse: EmbeddedClickHouse, url: dict[str, str], headers: dict[str, str]) -> bytes | int:
    request = urllib.request.Request(f"{clickhouse.http_url}/?{urllib.parse.urlencode(url | {'query': 'SELECT currentDatabase()'})}", headers=headers)
    try:
        answer: bytes = urllib.request.urlopen(request, timeout=10).read()
    except urllib.error.HTTPError as refused:
        return refused.code if b"AUTHENTICATION_FAILED" in refused.read() else 0
    return answer


@pytest.mark.parametrize("way", ["address", "headers", "basic"])
def test_whoever_states_a_name_must_have_its_password_however_it_is_stated(clickhouse: EmbeddedClickHouse, way: str) -> None:
    def ask(user: str, password: str) -> bytes | int:
        match way:
            case "address":
                return _asked(clickhouse, {"user": user, "password": password}, {})
            case "headers":
                return _asked(clickhouse, {}, {"X-ClickHouse-User": user, "X-ClickHouse-Key": password})
        return _asked(clickhouse, {}, {"Authorization": "Basic " + b64encode(f"{user}:{password}".encode()).decode()})

    assert ask(WRITER, clickhouse.writer_password) == b"default\n"
    assert ask(READER, "") == b"default\n"
    for user, password in ((WRITER, ""), (WRITER, clickhouse.writer_password + "x"), (WRITER, clickhouse.writer_password[:-1]), ("nobody", ""), ("", "")):
        assert ask(user, password) == 403


def test_a_header_that_is_no_credentials_is_refused(clickhouse: EmbeddedClickHouse) -> None:
    for header in ("Basic", "Basic ****", "Basic " + b64encode(b"\xff:\xfe").decode()):
        assert _asked(clickhouse, {}, {"Authorization": header}) == 403


@pytest.mark.parametrize(
    ("setting", "value"),
    [("readonly", "0"), ("readonly", "2"), ("max_execution_time", "0"), ("max_memory_usage", "7"), ("allow_ddl", "0"), ("max_threads", "7")],
)
def test_a_reader_changes_no_setting_by_any_way(clickhouse: EmbeddedClickHouse, setting: str, value: str) -> None:
    """In the address, in the statement, by SET, in a session that goes on."""
    for query in (
        {setting: value, "query": "SELECT 1"},
        {"query": f"SELECT 1 SETTINGS {setting} = {value}"},
        {"query": f"SET {setting} = {value}", "session_id": setting},
    ):
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(
                urllib.request.Request(f"{clickhouse.http_url}/?{urllib.parse.urlencode(query)}", b"", {"X-ClickHouse-User": READER}), timeout=10
            )
        assert b"READONLY" in refused.value.read()
    still = "SELECT value FROM system.settings WHERE name = 'readonly' AND value = '1'"
    assert urllib.request.urlopen(f"{clickhouse.http_url}/?{urllib.parse.urlencode({'query': still, 'session_id': setting})}", timeout=10).read() == b"1\n"


def test_a_file_beside_the_statement_is_refused(clickhouse: EmbeddedClickHouse) -> None:
    data = ExternalData(data=b"1\n2\n", file_name="numbers.csv", fmt="CSV", structure="a UInt8")
    with _over_http(clickhouse, READER) as client, pytest.raises(DatabaseError) as refused:
        client.query("SELECT * FROM numbers", external_data=data)
    assert refused.value.code == 344


START = """
import pathlib, sys, urllib.request
from deploy.embedded.clickhouse import EmbeddedClickHouse
sys.stdin.readline()
with EmbeddedClickHouse(pathlib.Path(sys.argv[1])) as running:
    print(urllib.request.urlopen(f"{running.http_url}/?query=SELECT%201", timeout=20).read().decode().strip(), running.port, flush=True)
    sys.stdin.readline()
"""


def test_several_that_start_at_once_each_get_a_port(tmp_path: Path) -> None:
    with ExitStack() as running:
        started = [
            running.enter_context(
                subprocess.Popen([sys.executable, "-c", START, str(tmp_path / str(n))], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
            )
            for n in range(4)
        ]
        for one in started:
            assert one.stdin
            one.stdin.write("go\n")
        answers = [one.stdout.readline().split() for one in started if one.stdout]
        for one in started:
            assert one.stdin
            one.stdin.write("end\n")
    assert [answer[0] for answer in answers] == ["1"] * 4
    assert len({answer[1] for answer in answers}) == 4
