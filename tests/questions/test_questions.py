"""Every answer of docs/questions.md, computed a second time by other means: on real data where it is, on a simulated bank always."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import date
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client

from alerting.pack import load_pack
from deploy.complaint_limits import clock_lines
from deploy.importers import IMPORTERS
from deploy.inputs import InputLine, InputWriter, read_inputs
from deploy.simulator import Parameters, Simulation
from schemas.connection import KafkaSettings
from schemas.telemetry import Telemetry
from schemas.topics import load_registry
from sinks.connection import connect
from sinks.dead_letters import MemoryDeadLetters
from sinks.migrate import Migrator
from sinks.settings import ClickHouseSettings, SinkSettings
from sinks.sink import Sink
from streams.replay import replay
from tests.questions import independent as again
from tests.questions.hard_cases import hard_cases
from tests.questions.page import NAMES, Row, printed, statement, table
from tests.sinks.memory import MemorySource, Topics

pytestmark = pytest.mark.embedded
_DATA = Path(os.environ.get("FENGHUO_DATA") or Path(__file__).parents[2] / ".." / "shared" / "data")
_RECEIVED_AT = 1 << 50
_ALL = {"LIMIT 10": "LIMIT 99"}


def ask(client: Client, name: str, replaced: dict[str, str]) -> tuple[list[str], list[Row]]:
    """The page's statement, with other literals."""
    sql = statement(name)
    for old, new in replaced.items():
        sql = sql.replace(old, new)
    answer = client.query(sql)
    return list(answer.column_names), [tuple(row) for row in answer.result_rows]


def snapshot_days(client: Client, day: str) -> dict[str, date]:
    """Which day each customer's snapshot is of: the one thing that the second computation is told."""
    return dict(client.query(f"SELECT customer_id, business_day FROM fenghuo.v_customers_as_of(day = '{day}')").result_rows)


def same(name: str, found: list[Row], expected: list[Row]) -> None:
    """Equal, row by row and in order; shares and means to the last printed digit."""
    assert found, f"{name}: no answer"
    assert [[_plain(value) for value in row] for row in found] == [[_plain(value) for value in row] for row in expected], name


def _plain(value: Any) -> Any:
    return "nan" if isinstance(value, float) and value != value else value


# -- a small simulated bank: the core and the sink in this process ---------------------------------------------------------------------


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Client, list[InputLine]]]:
    """A simulated bank of a quarter, and the hard cases among its customers, in ClickHouse."""
    folder = tmp_path_factory.mktemp("bank")
    sources = {"bank": [line for day in Simulation(Parameters(seed=5, customers=40, months=3)).days() for line in day], "hard": hard_cases()}
    for name, lines in sources.items():
        with InputWriter(folder / f"{name}.jsonl") as written:
            written.write(lines)
    settings = ClickHouseSettings(url=f"chdb://{folder / 'clickhouse'}")
    pack, registry, topics = load_pack("bank-cn"), load_registry(), Topics()
    for lane, frame in replay(read_inputs([folder / f"{name}.jsonl" for name in sources], registry), registry, pack, _RECEIVED_AT):
        for output in frame.outputs:
            topics.put(output.topic, lane.number, output.value, output.key, output.headers)
    assert not {"dead-letters", "late-events"} & {short for short, _ in topics.records}
    client = connect(settings)
    for _ in Migrator(client, settings, clock_lines(pack)).up():
        pass
    sink = Sink(SinkSettings(), settings, KafkaSettings(), Telemetry(), client, source=MemorySource(topics), dead_letters=MemoryDeadLetters())
    assert sink.run(threading.Event(), until_drained=True)
    yield client, [*sources["bank"], *sources["hard"]]
    client.close()


def test_the_same_statements_answer_for_a_simulated_bank(small: tuple[Client, list[InputLine]]) -> None:
    client, lines = small
    bank = again.Bank.of(lines, "Asia/Shanghai")
    first, day, until = "2025-01-01", "2025-03-31", date(2025, 3, 31)
    now = client.query("SELECT toUnixTimestamp64Milli(as_of) / 1000 FROM fenghuo.v_clock").result_rows[0][0]
    days = snapshot_days(client, day)

    drained = ask(client, "balance attrition", {"1994-03-31": day, **_ALL})[1]
    same("balance attrition", drained, again.balance_attrition(bank, days, until, 99))
    assert sum(row[4] for row in drained) >= 1
    cases = ask(client, "complaints in time", {"2016-01-01": first, "2016-12-31": day})[1]
    same("complaints in time", cases, again.complaints_in_time(bank, date(2025, 1, 1), until, now, 15, 30, 30))
    calls = ask(client, "abandonment by hour", {"call-centre": "outlet-hard", "1999-01-01": first, "1999-04-30": day})[1]
    same("abandonment by hour", calls, again.abandonment_by_hour(bank, "outlet-hard", date(2025, 1, 1), until))
    silent = ask(client, "silent wealthy customers", {"1994-03-31": day, **_ALL})[1]
    same("silent wealthy customers", silent, again.silent_wealthy(bank, days, until, 20_000, 30, 99))
    assert {row[0] for row in silent} >= {"silent", "declined"}
    overdue = ask(client, "overdue by bucket", {"1994-03-31": day})[1]
    same("overdue by bucket", overdue, again.overdue_by_bucket(bank, until))
    assert [row[0] for row in overdue] == ["1-30", "31-60", "61-90", "91-180", ">180"]
    busiest = ask(client, "busiest outlets", {"1994-01-01": first, "1994-03-31": day, "CZK": "CNY", **_ALL})[1]
    same("busiest outlets", busiest, again.busiest_outlets(bank, date(2025, 1, 1), until, "CNY", 99))


def test_a_case_is_in_time_to_the_second(small: tuple[Client, list[InputLine]]) -> None:
    client, _ = small
    judged = dict(client.query("SELECT case_id, in_time FROM fenghuo.v_complaints WHERE customer_id = 'complains'").result_rows)
    assert judged == {
        "last-moment": True,
        "a-second-late": False,
        "complex": True,
        "extended": True,
        "withdrawn": True,
        "forgotten": False,
        "fresh": None,
        "classified-later": False,
        "reopened-without-its-extension": False,
        "received-unknown": True,
    }


# -- real data, through broker, workers and sink ---------------------------------------------------------------------------------------


def _data(name: str) -> Path:
    if not (_DATA / name).is_dir():
        pytest.skip(f"no real data at {_DATA / name} (set FENGHUO_DATA)")
    return _DATA / name


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_the_printed_answers_are_those_of_real_data(tmp_path: Path) -> None:
    folders = {"berka": _data("berka"), "complaints": _data("complaints"), "call-centre": _data("callcenter")}
    program = [sys.executable, "-c", "from deploy.cli import main; main()"]
    settings = ClickHouseSettings(url=f"chdb://{tmp_path / 'clickhouse'}", business_timezone="Europe/Prague")
    environ = os.environ | {"FENGHUO_CLICKHOUSE__URL": settings.url, "FENGHUO_CLICKHOUSE__BUSINESS_TIMEZONE": settings.business_timezone}
    for name, folder in folders.items():
        subprocess.run([*program, "import", name, str(folder), "--out", f"{tmp_path}/{name}.jsonl"], env=environ, check=True, capture_output=True)
    files = [f"{tmp_path}/{name}.jsonl" for name in folders]
    subprocess.run([*program, "run", *files, "--out", f"{tmp_path}/out", "--pack", "bank-cz", "--workers", "2"], env=environ, check=True)
    client = connect(settings)
    try:
        hold_to_the_page(client, {name: IMPORTERS[name]([folder]).lines() for name, folder in folders.items()})
    finally:
        client.close()


def hold_to_the_page(client: Client, imported: dict[str, Iterator[InputLine]]) -> None:
    """Page, statement and second computation agree, question by question."""
    bank = again.Bank.of(chain(*imported.values()), "Europe/Prague")
    until = date(1994, 3, 31)
    now = client.query("SELECT toUnixTimestamp64Milli(as_of) / 1000 FROM fenghuo.v_clock").result_rows[0][0]
    days = snapshot_days(client, "1994-03-31")
    expected = {
        "balance attrition": again.balance_attrition(bank, days, until, 10),
        "complaints in time": again.complaints_in_time(bank, date(2016, 1, 1), date(2016, 12, 31), now, 15, 30, 30),
        "abandonment by hour": again.abandonment_by_hour(bank, "call-centre", date(1999, 1, 1), date(1999, 4, 30)),
        "silent wealthy customers": again.silent_wealthy(bank, days, until, 20_000, 30, 10),
        "overdue by bucket": again.overdue_by_bucket(bank, until),
        "busiest outlets": again.busiest_outlets(bank, date(1994, 1, 1), until, "CZK", 10),
    }
    for name in NAMES:
        columns, rows = ask(client, name, {})
        same(name, rows, expected[name])
        assert printed(name) == table(columns, rows), name
