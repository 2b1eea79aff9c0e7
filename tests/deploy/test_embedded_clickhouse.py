"""clickhouse-connect over HTTP against the embedded ClickHouse: unchanged, exact, and unable to reach outside the database."""

from __future__ import annotations

import datetime
import gzip
import http.client
import random
import socket
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
import zlib
from collections.abc import Iterator
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import Any

import clickhouse_connect
import lz4.frame
import pyarrow
import pytest
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError, DatabaseError, StreamFailureError

from deploy.embedded.clickhouse import READER, WRITER, EmbeddedClickHouse
from deploy.errors import UserError

pytestmark = pytest.mark.embedded


@pytest.fixture(scope="module")
def clickhouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedClickHouse]:
    with EmbeddedClickHouse(tmp_path_factory.mktemp("clickhouse")) as running:
        writer = connect(running, WRITER)
        writer.command("CREATE DATABASE bank")
        writer.command("CREATE TABLE bank.events (id UInt64, name String, amount Decimal(18, 2), at DateTime64(3, 'UTC')) ENGINE = MergeTree ORDER BY id")
        moment = datetime.datetime(2026, 7, 20, 8, 0, tzinfo=datetime.UTC)
        writer.insert("bank.events", [[n, f"名字 {n}", Decimal("12.50"), moment] for n in range(1000)], column_names=["id", "name", "amount", "at"])
        writer.close()
        yield running


def connect(clickhouse: EmbeddedClickHouse, user: str = READER, **options: Any) -> Client:
    password = clickhouse.writer_password if user == WRITER else ""
    return clickhouse_connect.get_client(host="127.0.0.1", port=clickhouse.port, username=user, password=password, **options)


@pytest.fixture
def reader(clickhouse: EmbeddedClickHouse) -> Iterator[Client]:
    with connect(clickhouse) as client:
        yield client


@pytest.fixture(params=["over HTTP", "in-process"])
def either(request: pytest.FixtureRequest, clickhouse: EmbeddedClickHouse) -> Iterator[Client]:
    """The same list of tests through the front and without it: the client's own behaviour is the reference."""
    opened = connect(clickhouse) if request.param == "over HTTP" else clickhouse_connect.get_client(interface="chdb", path=str(clickhouse.path))
    with opened as client:
        yield client


@pytest.fixture
def writer(clickhouse: EmbeddedClickHouse) -> Iterator[Client]:
    with connect(clickhouse, WRITER) as client:
        yield client


def test_a_client_without_credentials_reads(clickhouse: EmbeddedClickHouse) -> None:
    with clickhouse_connect.get_client(host="127.0.0.1", port=clickhouse.port) as client:
        assert client.command("SELECT count() FROM bank.events") == 1000
        assert client.ping()


def test_rows_keep_their_types(either: Client) -> None:
    moment = datetime.datetime(2026, 7, 20, 8, 0, tzinfo=datetime.UTC)  # the client returns UTC as a naive clock
    result = either.query("SELECT * FROM bank.events ORDER BY id LIMIT 2")
    assert result.column_names == ("id", "name", "amount", "at")
    assert result.result_rows[1] == (1, "名字 1", Decimal("12.50"), moment.replace(tzinfo=None))


def test_parameters_are_bound_by_the_engine(either: Client) -> None:
    sql = "SELECT count() FROM bank.events WHERE name = {name:String} AND id IN {ids:Array(UInt64)}"
    assert either.query(sql, parameters={"name": "名字 7", "ids": [6, 7]}).first_row == (1,)
    assert either.query("SELECT {text:String}", parameters={"text": "it's a \\ and a\ttab"}).first_row == ("it's a \\ and a\ttab",)


def test_parameters_may_come_as_a_form(clickhouse: EmbeddedClickHouse) -> None:
    with connect(clickhouse, form_encode_query_params=True) as client:
        assert client.query("SELECT {n:UInt8} + 1, {s:String}", parameters={"n": 4, "s": "名字"}).first_row == (5, "名字")


def test_data_frames_and_arrow(either: Client) -> None:
    frame = either.query_df("SELECT id, name FROM bank.events ORDER BY id")
    assert (len(frame), frame["name"][5]) == (1000, "名字 5")
    table = either.query_arrow("SELECT id, name FROM bank.events ORDER BY id")
    assert table.num_rows == 1000


def test_a_result_without_rows(either: Client) -> None:
    assert either.query("SELECT id FROM bank.events WHERE id > 5000").result_rows == []
    assert either.query("SELECT id, name FROM bank.events LIMIT 0").column_names == ("id", "name")


def test_a_million_rows_stream(either: Client) -> None:
    with either.query_row_block_stream("SELECT number, toString(number) FROM numbers(1000000)") as stream:
        assert sum(len(block) for block in stream) == 1_000_000


def test_a_stream_left_early_frees_its_connection(either: Client) -> None:
    with either.query_row_block_stream("SELECT number FROM numbers(10000000)") as stream:
        next(iter(stream))
    assert either.command("SELECT 1") == 1


def test_an_error_comes_with_its_code(either: Client) -> None:
    with pytest.raises(DatabaseError) as caught:
        either.query("SELECT * FROM bank.nowhere")
    assert caught.value.code == 60
    with pytest.raises(DatabaseError) as caught:
        either.query("SELECT FROM WHERE")
    assert caught.value.code == 62


def test_an_error_midway_is_an_error_not_a_short_answer(either: Client) -> None:
    with pytest.raises((StreamFailureError, DatabaseError), match="throwIf"):
        assert either.query("SELECT throwIf(number = 900000), number FROM numbers(1000000)").result_rows


@pytest.mark.parametrize("compress", [True, False])
@pytest.mark.parametrize("columns", [1, 9, 10, 13, 32])
def test_inserts_whose_first_byte_looks_like_white_space(clickhouse: EmbeddedClickHouse, compress: bool, columns: int) -> None:
    names = [f"c{n}" for n in range(columns)]
    with connect(clickhouse, WRITER, compress=compress) as client:
        client.command("DROP TABLE IF EXISTS bank.wide")
        client.command(f"CREATE TABLE bank.wide ({', '.join(f'{name} UInt32' for name in names)}) ENGINE = MergeTree ORDER BY tuple()")
        summary = client.insert("bank.wide", [[row] * columns for row in range(500)], column_names=names)
        assert summary.written_rows == 500
        assert client.query("SELECT count(), sum(c0) FROM bank.wide").first_row == (500, sum(range(500)))


def test_raw_inserts_with_settings_and_a_deduplication_token(writer: Client) -> None:
    writer.command("CREATE TABLE bank.tokens (id UInt64, s String) ENGINE = MergeTree ORDER BY id SETTINGS non_replicated_deduplication_window = 100")
    for _ in range(2):
        writer.raw_insert(
            "bank.tokens", ["id", "s"], b'{"id":1,"s":"FORMAT"}\n', fmt="JSONEachRow", settings={"insert_deduplication_token": "a", "insert_deduplicate": 1}
        )
    assert writer.command("SELECT count() FROM bank.tokens") == 1
    writer.command("INSERT INTO bank.tokens VALUES (2, 'x FORMAT y'), (3, 'z')")
    writer.command("INSERT INTO bank.tokens SELECT number + 10, 'n' FROM numbers(5)")
    assert writer.command("SELECT count() FROM bank.tokens") == 8
    with pytest.raises(DatabaseError) as caught:
        writer.raw_insert("bank.tokens", ["id"], b'{"id":"not a number"}\n', fmt="JSONEachRow")
    assert caught.value.code == 27


def test_an_insert_may_select_from_the_rows_that_come_with_it(writer: Client) -> None:
    writer.command(
        "CREATE TABLE bank.chosen (id UInt64, s LowCardinality(String)) ENGINE = MergeTree ORDER BY id SETTINGS non_replicated_deduplication_window = 100"
    )
    chosen = "bank.chosen (id, s) SELECT `e.id` + 1, upper(`e.s`) FROM input /* ( */ ('`e.id` UInt64, `e.s` String')"
    settings = {"insert_deduplication_token": "a", "input_format_import_nested_json": 1}
    for _ in range(2):
        writer.raw_insert(chosen, None, b'{"e":{"id":1,"s":"input("}}\n{"e":{"id":2,"s":"FORMAT"}}\n', fmt="JSONEachRow", settings=settings)
    assert writer.query("SELECT id, s FROM bank.chosen ORDER BY id").result_rows == [(2, "INPUT("), (3, "FORMAT")]
    outward = (
        ("bank.chosen SELECT 1, line FROM file('/etc/passwd', 'LineAsString')", "reaches outside"),
        (
            "bank.chosen SELECT id, s FROM input('id UInt64, s String') WHERE s IN (SELECT * FROM url('http://127.0.0.1/', 'CSV', 'a String'))",
            "reaches outside",
        ),
    )
    for statement, says in outward:
        with pytest.raises(DatabaseError, match=says):
            writer.raw_insert(statement, None, b'{"id":1,"s":"x"}\n', fmt="JSONEachRow")
    with pytest.raises(DatabaseError, match="reaches outside"):
        writer.query("SELECT * FROM input('id UInt64')")
    assert writer.command("SELECT count() FROM bank.chosen") == 2


def test_a_setting_holds_for_its_request_with_and_without_a_session(clickhouse: EmbeddedClickHouse) -> None:
    asked = "SELECT getSetting('max_block_size'), getSetting('session_timezone')"
    for options in ({"autogenerate_session_id": False}, {"session_id": "kept"}):
        with connect(clickhouse, WRITER, **options) as client:
            before = client.query(asked).first_row
            assert client.query(asked, settings={"max_block_size": 77, "session_timezone": "Asia/Shanghai"}).first_row == (77, "Asia/Shanghai")
            assert client.query(asked).first_row == before
            with pytest.raises(DatabaseError):
                client.query("SELECT 1", settings={"max_block_size": "many"})
            assert client.query(asked).first_row == before


def test_an_arrow_stream_is_stored_though_a_function_has_its_name_too(writer: Client) -> None:
    writer.command("CREATE TABLE bank.arrows (id UInt8) ENGINE = Memory")
    batch = pyarrow.record_batch({"id": pyarrow.array([1, 2], pyarrow.uint8())})
    data = pyarrow.BufferOutputStream()
    with pyarrow.ipc.new_stream(data, batch.schema) as out:
        out.write_batch(batch)
    writer.raw_insert("bank.arrows", ["id"], data.getvalue().to_pybytes(), fmt="ArrowStream")
    assert writer.query("SELECT id FROM bank.arrows ORDER BY id").result_rows == [(1,), (2,)]
    for statement in ("INSERT INTO bank.arrows SELECT * FROM ArrowStream('x')", "SELECT * FROM ArrowStream('x') FORMAT ArrowStream"):
        with pytest.raises(DatabaseError, match="reaches outside"):
            writer.query(statement)


def test_an_insert_may_state_settings_of_its_own_and_name_a_table_after_them(writer: Client) -> None:
    writer.command("CREATE TABLE bank.settings (format UInt64) ENGINE = MergeTree ORDER BY format")
    writer.raw_insert("bank.settings", ["format"], b'{"format":1}\n', fmt="JSONEachRow")
    writer.command('INSERT INTO bank.settings (format) SETTINGS async_insert = 0 FORMAT JSONEachRow\n{"format":2}')
    writer.command('INSERT INTO bank.settings FORMAT JSONEachRow {"format":3}')
    assert writer.query("SELECT groupArray(format) FROM (SELECT format FROM bank.settings ORDER BY format)").first_row == ([1, 2, 3],)
    writer.command("DROP TABLE bank.settings")


def test_a_session_keeps_temporary_tables_and_a_request_keeps_its_settings_to_itself(clickhouse: EmbeddedClickHouse) -> None:
    with connect(clickhouse, WRITER, session_id="s1") as client:
        client.command("CREATE TEMPORARY TABLE mine (a UInt8)")
        client.command("INSERT INTO mine VALUES (1), (2)")
        assert client.command("SELECT count() FROM mine") == 2
        assert client.command("SELECT getSetting('max_threads')", settings={"max_threads": 3}) == 3
        assert client.query("SELECT changed FROM system.settings WHERE name = 'max_threads'").first_row == (0,)
    with connect(clickhouse, WRITER, session_id="s2") as other, pytest.raises(DatabaseError):
        other.command("SELECT count() FROM mine")


def test_the_database_of_a_client_holds(clickhouse: EmbeddedClickHouse) -> None:
    with connect(clickhouse, database="bank") as client:
        assert client.command("SELECT count() FROM events") == 1000


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO bank.events (id) VALUES (1)",
        "CREATE TABLE bank.x (a UInt8) ENGINE = Memory",
        "DROP TABLE bank.events",
        "TRUNCATE TABLE bank.events",
        "ALTER TABLE bank.events DELETE WHERE 1",
        "KILL QUERY WHERE 1",
        "SET readonly = 0",
        "SELECT 1 SETTINGS readonly = 0",
        "SYSTEM SHUTDOWN",
    ],
)
def test_a_reader_changes_nothing(reader: Client, sql: str) -> None:
    with pytest.raises(DatabaseError) as caught:
        reader.command(sql)
    assert caught.value.code == 164
    assert reader.command("SELECT count() FROM bank.events") == 1000


OUTWARD = [
    "SELECT * FROM file('/etc/hostname', 'LineAsString')",
    "SELECT file('/etc/hostname')",
    "SELECT `file`('/etc/hostname')",
    "SELECT \"file\"('/etc/hostname')",
    r"SELECT `fi\x6ce`('/etc/hostname')",
    "SELECT * APPLY(file) FROM (SELECT '/etc/hostname' AS x)",
    "SELECT arrayMap(file, ['/etc/hostname'])",
    "DESCRIBE TABLE file('/etc/hostname', 'RawBLOB')",
    "SELECT $$'$$, file('/etc/hostname'), $$'$$",
    "SELECT '\\'', file('/etc/hostname')",
    "SELECT 1 /* ' */, file('/etc/hostname') -- '",
    "SELECT ‘ ’ , file('/etc/hostname')",
    "SELECT * FROM url('http://127.0.0.1:1/', 'CSV')",
    "SELECT * FROM s3('http://127.0.0.1:1/a/b', 'CSV')",
    "SELECT * FROM remote('127.0.0.2', system.one)",
    "SELECT * FROM executable('x', 'TSV', 'a Int8')",
    "SELECT * FROM python('os')",
    "SELECT * FROM eval('SELECT 1')",
    "SELECT aiGenerate('x')",
    "SELECT 1 INTO OUTFILE '/tmp/fenghuo-must-not-exist'",
    "SELECT 1 INTO /* */ OUTFILE '/tmp/fenghuo-must-not-exist'",
    "SELECT 1; SELECT file('/etc/hostname')",
    "SYSTEM KILL",
    "SYSTEM /* */ SHUTDOWN",
    "system suspend for 1 second",
    "DETACH DATABASE default",
    "DROP DATABASE IF EXISTS `default` SYNC",
]


@pytest.mark.parametrize("sql", OUTWARD)
@pytest.mark.parametrize("user", [READER, WRITER])
def test_nobody_reaches_outside_over_http(clickhouse: EmbeddedClickHouse, user: str, sql: str) -> None:
    with connect(clickhouse, user) as client:
        for ask in (client.command, lambda text: client.raw_query(text)):
            with pytest.raises(DatabaseError) as caught:
                ask(sql)
            assert caught.value.code in (62, 164, 497)
    assert not Path("/tmp/fenghuo-must-not-exist").exists()


@pytest.mark.parametrize("path", ["'/etc/hostname'", '"/etc/hostname"', "`/etc/hostname`"])
def test_a_path_is_no_table(reader: Client, path: str) -> None:
    with pytest.raises(DatabaseError):
        reader.command(f"SELECT * FROM {path}")


def test_an_identifier_parameter_cannot_smuggle_a_function(reader: Client) -> None:
    assert reader.query("SELECT {c:Identifier} FROM bank.events LIMIT 1", parameters={"c": "id"}).first_row == (0,)
    with pytest.raises(DatabaseError) as caught:
        reader.query("SELECT arrayMap({f:Identifier}, ['/etc/hostname'])", parameters={"f": "file"})
    assert caught.value.code == 497


def test_names_inside_texts_and_comments_are_only_names(reader: Client) -> None:
    assert reader.query("SELECT 'file(1); url(2) INTO OUTFILE' AS t /* file( */").first_row == ("file(1); url(2) INTO OUTFILE",)


@pytest.mark.parametrize(("user", "password"), [(WRITER, "wrong"), ("root", ""), (READER, "x")])
def test_wrong_credentials_are_refused(clickhouse: EmbeddedClickHouse, user: str, password: str) -> None:
    with pytest.raises(ClickHouseError, match="516"):
        clickhouse_connect.get_client(host="127.0.0.1", port=clickhouse.port, username=user, password=password)


def test_a_page_under_another_name_cannot_reach_the_front(clickhouse: EmbeddedClickHouse) -> None:
    request = urllib.request.Request(clickhouse.http_url + "/?query=SELECT%201", headers={"Host": "evil.example"})
    with pytest.raises(urllib.error.HTTPError, match="400"):
        urllib.request.urlopen(request, timeout=5)


def test_get_only_reads(clickhouse: EmbeddedClickHouse) -> None:
    assert urllib.request.urlopen(clickhouse.http_url + "/?query=SELECT%201", timeout=5).read() == b"1\n"
    assert urllib.request.urlopen(clickhouse.http_url + "/ping", timeout=5).read() == b"Ok.\n"
    request = urllib.request.Request(
        clickhouse.http_url + "/?query=DROP%20TABLE%20bank.events", headers={"X-ClickHouse-User": WRITER, "X-ClickHouse-Key": clickhouse.writer_password}
    )
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(request, timeout=5)


def _bomb(encoding: str) -> bytes:
    zeros = bytes(1 << 20)
    return {"gzip": gzip.compress, "deflate": zlib.compress, "lz4": lz4.frame.compress}[encoding](zeros)


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "lz4"])
def test_a_small_body_cannot_unpack_to_a_large_one(clickhouse: EmbeddedClickHouse, encoding: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deploy.embedded.front.request.MOST_BODY_BYTES", 1 << 19)
    bomb = _bomb(encoding)
    assert len(bomb) < 1 << 14
    for body, headers in ((bomb, {"Content-Encoding": encoding}), (bytes(1 << 20), {})):
        with pytest.raises(urllib.error.HTTPError, match="413"):
            urllib.request.urlopen(urllib.request.Request(clickhouse.http_url, body, headers), timeout=5)
    with pytest.raises(urllib.error.HTTPError) as cut:
        urllib.request.urlopen(urllib.request.Request(clickhouse.http_url, bomb[: len(bomb) // 2], {"Content-Encoding": encoding}), timeout=5)
    assert b"the body is not " in cut.value.read()


@pytest.mark.parametrize("seconds", ["nan", "inf", "-1", "soon"])
def test_a_session_lasts_a_number_of_seconds(clickhouse: EmbeddedClickHouse, seconds: str) -> None:
    with pytest.raises(urllib.error.HTTPError, match="400"):
        urllib.request.urlopen(f"{clickhouse.http_url}/?query=SELECT%201&session_id=a&session_timeout={seconds}", timeout=5)


def test_a_form_that_is_not_text_is_refused(clickhouse: EmbeddedClickHouse) -> None:
    body = b'--x\r\nContent-Disposition: form-data; name="query"\r\n\r\n\xff\xfe\r\n--x--'
    with pytest.raises(urllib.error.HTTPError, match="400"):
        urllib.request.urlopen(urllib.request.Request(clickhouse.http_url, body, {"Content-Type": "multipart/form-data; boundary=x"}), timeout=5)


def test_the_owner_writes_in_process_beside_its_readers(clickhouse: EmbeddedClickHouse, reader: Client) -> None:
    with clickhouse_connect.get_client(interface="chdb", path=str(clickhouse.path)) as inside:
        inside.command("CREATE TABLE bank.inside (a UInt8) ENGINE = MergeTree ORDER BY a")
        inside.insert("bank.inside", [[1], [2]], column_names=["a"])
        inside.command("CREATE TABLE bank.pages (url String) ENGINE = MergeTree ORDER BY url")
    assert reader.query("SELECT pages.url FROM bank.pages").result_rows == [], "a qualified column may be named like a table function"
    assert reader.command("SELECT sum(a) FROM bank.inside") == 3


def test_two_processes_cannot_share_a_folder(clickhouse: EmbeddedClickHouse) -> None:
    with pytest.raises(UserError, match="in use by another process"):
        EmbeddedClickHouse(clickhouse.path.parent).start()


RUN = """
import pathlib, sys
from deploy.embedded.clickhouse import EmbeddedClickHouse
import clickhouse_connect
with EmbeddedClickHouse(pathlib.Path(sys.argv[1]), fresh=sys.argv[2] == "fresh") as running:
    client = clickhouse_connect.get_client(interface="chdb", path=str(running.path))
    client.command("CREATE TABLE IF NOT EXISTS t (a UInt8) ENGINE = MergeTree ORDER BY a")
    client.command("INSERT INTO t VALUES (1)")
    print(client.command("SELECT count() FROM t"))
    client.close()
"""


def test_a_fresh_start_empties_only_what_is_ours(tmp_path: Path) -> None:
    def run(how: str) -> str:
        return subprocess.run([sys.executable, "-c", RUN, str(tmp_path), how], capture_output=True, text=True, timeout=60, check=False).stdout.strip()

    assert [run("fresh"), run("kept"), run("fresh")] == ["1", "2", "1"]
    (tmp_path / "other" / "clickhouse").mkdir(parents=True)
    (tmp_path / "other" / "clickhouse" / "precious").touch()
    with pytest.raises(UserError, match="holds something that fenghuo did not make"):
        EmbeddedClickHouse(tmp_path / "other").start()
    assert (tmp_path / "other" / "clickhouse" / "precious").exists()


def test_a_stray_configuration_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "users.xml").touch()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match="would read this as its configuration"):
        EmbeddedClickHouse(tmp_path / "data").start()


def test_requests_of_one_session_take_turns(clickhouse: EmbeddedClickHouse) -> None:
    with connect(clickhouse, session_id="shared") as first, connect(clickhouse, session_id="shared") as second:
        with first.query_row_block_stream("SELECT number FROM numbers(100000000)") as stream:
            next(iter(stream))
            with pytest.raises(DatabaseError) as caught:
                second.command("SELECT 1")
            assert caught.value.code == 373
        assert second.command("SELECT 1") == 1


def test_a_query_over_its_limit_ends_with_a_code_and_the_next_one_is_answered(clickhouse: EmbeddedClickHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deploy.embedded.front.app.LONGEST_QUERY_SECONDS", 1)
    with connect(clickhouse) as client:
        for sql in ("SELECT sum(sipHash64(number)) FROM numbers(1000000000000)", "SELECT number FROM numbers(1000000000000) WHERE sipHash64(number) = 1"):
            with pytest.raises(ClickHouseError, match="TIMEOUT_EXCEEDED"):
                client.query(sql)
        with pytest.raises(DatabaseError) as caught:
            client.command("SELECT 1 SETTINGS max_execution_time = 1000")
        assert caught.value.code == 164
        assert client.command("SELECT count() FROM bank.events") == 1000


@pytest.mark.parametrize("user", [READER, WRITER])
def test_two_statements_are_refused_whatever_stands_between_them(clickhouse: EmbeddedClickHouse, user: str) -> None:
    with connect(clickhouse, user) as client:
        for sql in ("SELECT 1; DROP TABLE bank.events", "SELECT 1 -- ; DROP\n; DROP TABLE bank.events", "SELECT '\\'';' ; DROP TABLE bank.events"):
            with pytest.raises(DatabaseError) as caught:
                client.raw_query(sql)
            assert caught.value.code == 62
        assert client.raw_query("SELECT length('\\'; DROP TABLE bank.events --')") == b"28\n", "one text, though it does not look it"
        assert client.command("SELECT count() FROM bank.events") == 1000


HOLD = """
import pathlib, sys, time
from deploy.embedded.clickhouse import EmbeddedClickHouse
with EmbeddedClickHouse(pathlib.Path(sys.argv[1])) as running:
    print(running.port, flush=True)
    time.sleep(600)
"""


def test_no_request_ends_the_front(tmp_path: Path) -> None:
    """In a process of its own, since what ends it would end the tests."""
    chance = random.Random(11)
    odd = ["SELECT", "(", ")", "'", "`", '"', "\\", "/*", "*/", "--", "#", "$$", ";", "\x00", "FORMAT Native", "{a:Identifier}", "numbers(10)", "名", "1e999"]
    pieces = OUTWARD + odd
    names = ["query", "database", "session_id", "session_timeout", "default_format", "max_threads", "compress", "param_a", "wait_end_of_query", "readonly", "'"]
    with subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        try:
            for _ in range(300):
                chosen = {chance.choice(names): " ".join(chance.sample(pieces, chance.randrange(4))) for _ in range(3)}
                body = chance.randbytes(chance.randrange(80)) if chance.random() < 0.5 else " ".join(chance.sample(pieces, 3)).encode()
                headers = {"Content-Encoding": chance.choice(["lz4", "gzip", "br", "identity"])} if chance.random() < 0.3 else {}
                if chance.random() < 0.2:
                    headers["Content-Type"] = "multipart/form-data; boundary=" + chance.choice(["x", "", "名".encode().hex()])
                ask = urllib.request.Request(f"http://127.0.0.1:{port}/?{urllib.parse.urlencode(chosen)}", body, headers)
                with suppress(urllib.error.HTTPError, http.client.HTTPException):
                    urllib.request.urlopen(ask, timeout=20).read()
                assert process.poll() is None
            for _ in range(50):
                with socket.create_connection(("127.0.0.1", port), 5) as raw:
                    raw.sendall(chance.randbytes(200) if chance.random() < 0.5 else b"POST / HTTP/1.1\r\nContent-Length: 999999\r\n\r\nSELECT")
            assert urllib.request.urlopen(f"http://127.0.0.1:{port}/?query=SELECT%201", timeout=20).read() == b"1\n"
        finally:
            process.kill()
