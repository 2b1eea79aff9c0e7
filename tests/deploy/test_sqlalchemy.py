"""SQLAlchemy's dialect of clickhouse-connect, as Superset and notebooks use it, against the embedded ClickHouse: what the plain client sees."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from decimal import Decimal
from typing import Any

import clickhouse_connect
import pandas
import pytest
from clickhouse_connect.driver.client import Client

from deploy.embedded.clickhouse import READER, WRITER, EmbeddedClickHouse

sqlalchemy = pytest.importorskip("sqlalchemy", reason="comes with the dev environment of requirements-dev.lock")
pytestmark = pytest.mark.embedded


@pytest.fixture(scope="module")
def clickhouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedClickHouse]:
    with EmbeddedClickHouse(tmp_path_factory.mktemp("clickhouse")) as running:
        with clickhouse_connect.get_client(host="127.0.0.1", port=running.port, username=WRITER, password=running.writer_password) as writer:
            writer.command("CREATE DATABASE bank")
            writer.command(
                "CREATE TABLE bank.events (id UInt64, name String, note Nullable(String), kind LowCardinality(String), amount Decimal(18, 2),"
                " at DateTime64(3, 'UTC')) ENGINE = MergeTree ORDER BY id COMMENT 'What happened'"
            )
            writer.command(
                "INSERT INTO bank.events SELECT number, concat('名字 ', toString(number)), NULL, ['card', 'cash'][1 + number % 2], 12.5,"
                " toDateTime64('2026-07-20 08:00:00', 3, 'UTC') + number FROM numbers(1000)"
            )
            writer.command("CREATE VIEW bank.v_events AS SELECT id, name, kind, at, amount * 2 AS twice FROM bank.events")
            writer.command("CREATE VIEW bank.v_as_of AS SELECT count() AS n FROM bank.events WHERE toDate32(at) <= {day:Date32}")
        yield running


@pytest.fixture(scope="module")
def client(clickhouse: EmbeddedClickHouse) -> Iterator[Client]:
    with clickhouse_connect.get_client(host="127.0.0.1", port=clickhouse.port, username=READER, database="bank") as reader:
        yield reader


def engine(clickhouse: EmbeddedClickHouse, user: str = READER) -> Any:
    password = f":{clickhouse.writer_password}" if user == WRITER else ""
    return sqlalchemy.create_engine(f"clickhousedb://{user}{password}@127.0.0.1:{clickhouse.port}/bank", pool_pre_ping=True)


@pytest.fixture(scope="module")
def reading(clickhouse: EmbeddedClickHouse) -> Iterator[Any]:
    made = engine(clickhouse)
    yield made
    made.dispose()


def test_a_text_query_takes_parameters_and_answers_as_the_client_does(reading: Any, client: Client) -> None:
    with reading.connect() as connection:
        asked = sqlalchemy.text("SELECT id, name, note, amount, at FROM events WHERE id < :most AND name != :odd AND name LIKE '%名%' ORDER BY id")
        rows = connection.execute(asked, {"most": 3, "odd": "o'clock -- \\ %s"}).fetchall()
        assert connection.exec_driver_sql("SELECT name FROM events WHERE id = {n:UInt64}", {"n": 7}).scalar() == "名字 7"
        assert connection.execute(sqlalchemy.text("SELECT n FROM v_as_of(day = '2026-07-20')")).scalar() == 1000
    assert [tuple(row) for row in rows] == client.query("SELECT id, name, note, amount, at FROM events WHERE id < 3 ORDER BY id").result_rows
    assert rows[0] == (0, "名字 0", None, Decimal("12.50"), datetime(2026, 7, 20, 8))  # noqa: DTZ001  UTC as a naive clock, as the client has it


def test_tables_and_views_are_reflected(reading: Any) -> None:
    seen = sqlalchemy.inspect(reading)
    assert {"bank", "system"} <= set(seen.get_schema_names())
    assert seen.get_view_names() == ["v_as_of", "v_events"]
    assert seen.has_table("events", schema="bank")
    assert not seen.has_table("nothing")
    assert seen.get_table_comment("events") == {"text": "What happened"}
    columns = {column["name"]: (str(column["type"]), column["nullable"]) for column in seen.get_columns("events")}
    assert columns["note"] == ("Nullable(String)", True)
    assert columns["amount"] == ("Decimal(18, 2)", False)
    assert columns["at"] == ("DateTime64(3, 'UTC')", False)


def test_a_select_on_a_reflected_view_answers_as_sql_does(reading: Any, client: Client) -> None:
    view = sqlalchemy.Table("v_events", sqlalchemy.MetaData(), autoload_with=reading)
    func = sqlalchemy.func
    grouped = (
        sqlalchemy.select(view.c.kind, func.count().label("n"), func.sum(view.c.twice).label("total"), func.max(view.c.at))
        .where(view.c.id.in_([1, 2, 3]), view.c.name.like("%名字%"), view.c.at >= datetime(2026, 7, 20, 8))  # noqa: DTZ001
        .group_by(view.c.kind)
        .order_by(view.c.kind)
    )
    with reading.connect() as connection:
        rows = [tuple(row) for row in connection.execute(grouped)]
        ranked = sqlalchemy.select(view.c.id, func.row_number().over(order_by=view.c.id).label("rank")).cte("ranked")
        best = connection.execute(sqlalchemy.select(func.sum(ranked.c.rank)).where(ranked.c.id < 4)).scalar()
    assert best == 10
    sql = "SELECT kind, count(), sum(twice), max(at) FROM v_events WHERE id IN (1, 2, 3) GROUP BY kind ORDER BY kind"
    assert rows == [tuple(row) for row in client.query(sql).result_rows]


def test_data_frames_are_those_of_the_client(reading: Any, client: Client) -> None:
    asked = "SELECT id, name, at FROM v_events ORDER BY id"
    frame = pandas.read_sql(sqlalchemy.text(asked), reading)
    pandas.testing.assert_frame_equal(frame, client.query_df(asked), check_dtype=False)
    assert [frame[name].dtype.kind for name in ("id", "at")] == ["i", "M"]
    assert [len(part) for part in pandas.read_sql("SELECT id FROM events", reading, chunksize=300)] == [300, 300, 300, 100]


def test_eight_threads_share_an_engine(reading: Any) -> None:
    def ask(number: int) -> int:
        with reading.connect() as connection:
            return int(connection.execute(sqlalchemy.text("SELECT :n + count() FROM events"), {"n": number}).scalar())

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(ask, range(40))) == [1000 + number for number in range(40)]


def test_errors_keep_their_code_and_a_reader_only_reads(reading: Any, clickhouse: EmbeddedClickHouse) -> None:
    with reading.connect() as connection:
        for statement, code in (("SELECT nothing FROM events", 47), ("INSERT INTO events (id) VALUES (1)", 164), ("SELECT * FROM file('/etc/passwd')", 497)):
            with pytest.raises(sqlalchemy.exc.DBAPIError) as refused:
                connection.execute(sqlalchemy.text(statement))
            assert refused.value.orig.code == code
        assert connection.execute(sqlalchemy.text("SELECT count() FROM events")).scalar() == 1000
    writing = engine(clickhouse, WRITER)
    with writing.begin() as connection:
        connection.execute(sqlalchemy.text("CREATE TABLE made (id UInt64, name String) ENGINE = MergeTree ORDER BY id"))
        made = sqlalchemy.Table("made", sqlalchemy.MetaData(), autoload_with=writing)
        connection.execute(made.insert(), [{"id": 1, "name": "o'clock"}, {"id": 2, "name": "名字"}])
        assert connection.execute(sqlalchemy.select(made.c.name).order_by(made.c.id)).scalars().all() == ["o'clock", "名字"]
        connection.execute(sqlalchemy.text("DROP TABLE made"))
    writing.dispose()
