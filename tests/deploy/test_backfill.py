"""``fenghuo backfill`` on real ClickHouse with a real journal: what is filled, what stops the swap, what is left untouched."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client

from alerting.pack import load_pack
from deploy import backfilling
from deploy.complaint_limits import clock_lines
from deploy.errors import Failed, UserError
from deploy.inputs import InputWriter, read_inputs
from deploy.output_files import OutputFiles
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
from tests.questions.hard_cases import hard_cases
from tests.sinks.memory import MemorySource, Topics

pytestmark = pytest.mark.embedded


class Stored:
    """A small bank in ClickHouse, and the journal that it came from."""

    def __init__(self, folder: Path) -> None:
        self.settings = ClickHouseSettings(url=f"chdb://{folder / 'clickhouse'}")
        self.client: Client = connect(self.settings)
        self.migrate()
        self.journals = self._live(folder)

    def migrate(self) -> None:
        for _ in Migrator(self.client, self.settings, clock_lines(load_pack("bank-cn"))).up():
            pass

    def _live(self, folder: Path) -> list[Path]:
        pack, registry, topics = load_pack("bank-cn"), load_registry(), Topics()
        with InputWriter(folder / "bank.jsonl") as bank, InputWriter(folder / "hard.jsonl") as hard:
            hard.write(hard_cases())
            for lines in Simulation(Parameters(seed=3, customers=12, months=2)).days():
                bank.write(lines)
        inputs = read_inputs([folder / "bank.jsonl", folder / "hard.jsonl"], registry)
        with OutputFiles(folder / "out", pack, journal=True) as files:
            for lane, frame in replay(inputs, registry, pack, 1 << 50):
                for output in frame.outputs:
                    files.write(lane.number, output)
                    topics.put(output.topic, lane.number, output.value, output.key, output.headers)
        sink = Sink(SinkSettings(), self.settings, KafkaSettings(), Telemetry(), self.client, source=MemorySource(topics), dead_letters=MemoryDeadLetters())
        assert sink.run(threading.Event(), until_drained=True)
        return sorted((folder / "out").glob("journal-*.jsonl"))

    def rows(self, table: str) -> list[Any]:
        columns = "* EXCEPT _ingested_at"
        return list(self.client.query(f"SELECT {columns} FROM fenghuo.{table} ORDER BY ALL").result_rows)

    def tables(self) -> set[str]:
        return {name for (name,) in self.client.query("SELECT name FROM system.tables WHERE database = 'fenghuo' AND name LIKE '%__backfill'").result_rows}

    def forget(self, table: str, column: str) -> None:
        """As if the column were new: it is added, empty, by the next migration."""
        self.client.command(f"ALTER TABLE fenghuo.{table} DROP COLUMN {column}")
        self.migrate()


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stored]:
    made = Stored(tmp_path_factory.mktemp("backfill"))
    yield made
    made.client.close()


@pytest.fixture(autouse=True)
def _here(stored: Stored, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FENGHUO_CLICKHOUSE__URL", stored.settings.url)


def backfill(table: str, *columns: str, journals: list[Path], **options: Any) -> None:
    chosen = {"dry_run": False, "swap": True, "keep_old": False, "restart": False, "as_json": True} | options
    backfilling.backfill(table, list(columns), journals, "bank-cn", **chosen)


def test_a_new_metric_is_filled_over_all_of_the_past(stored: Stored, capsys: pytest.CaptureFixture[str]) -> None:
    def values(table: str) -> list[Any]:
        return list(stored.client.query(f"SELECT customer_id, revision, balance_average_30d FROM fenghuo.{table} ORDER BY ALL").result_rows)

    tables = ("customer_metrics", "customer_metrics_latest")
    before = {table: values(table) for table in tables}
    for table in tables:
        stored.forget(table, "balance_average_30d")
    assert {average for _, _, average in values("customer_metrics")} == {0}
    backfill("customer_metrics", "balance_average_30d", journals=stored.journals)
    report = json.loads(capsys.readouterr().out)
    assert report["swapped"]
    assert [(one["table"], one["rows"], one["new_rows"]) for one in report["tables"]] == [(table, len(before[table]), len(before[table])) for table in tables]
    assert [set(one["differing"]) for one in report["tables"]] == [{"balance_average_30d"}] * 2
    assert {table: values(table) for table in tables} == before
    backfill("customer_metrics", journals=stored.journals)  # once more: nothing differs, offsets included
    assert [one["differing"] for one in json.loads(capsys.readouterr().out)["tables"]] == [{}, {}]
    assert stored.tables() == set()


def test_a_new_column_of_events_is_filled_from_the_journal(stored: Stored, capsys: pytest.CaptureFixture[str]) -> None:
    paid = "SELECT event_id, balance_after FROM fenghuo.transactions ORDER BY event_id"
    before = stored.client.query(paid).result_rows
    stored.forget("transactions", "balance_after")
    backfill("transactions", "balance_after", journals=stored.journals, keep_old=True)
    report = json.loads(capsys.readouterr().out)
    assert report["tables"][0]["differing"] == {"balance_after": sum(balance is not None for _, balance in before)}
    assert stored.client.query(paid).result_rows == before
    assert stored.tables() == {"transactions__backfill"}  # the old rows
    assert stored.client.query("SELECT countIf(balance_after IS NOT NULL) FROM fenghuo.transactions__backfill").result_rows == [(0,)]
    with pytest.raises(UserError, match="transactions__backfill exists"):
        backfill("transactions", journals=stored.journals)
    backfill("transactions", journals=stored.journals, restart=True)
    assert stored.tables() == set()


def test_original_json_that_an_earlier_version_kept_in_the_row_is_not_lost(stored: Stored, capsys: pytest.CaptureFixture[str]) -> None:
    def keep(text: str) -> None:
        chosen = f"_partition = {partition} AND _position = {position} SETTINGS mutations_sync = 1"
        stored.client.command(f"ALTER TABLE fenghuo.transactions UPDATE _raw = {{text:String}} WHERE {chosen}", parameters={"text": text})

    def kept() -> list[Any]:
        return list(stored.client.query("SELECT countIf(_raw != ''), count() FROM fenghuo.transactions").result_rows)

    [(partition, position)] = stored.client.query("SELECT _partition, _position FROM fenghuo.transactions ORDER BY ALL LIMIT 1").result_rows
    [(original,)] = stored.client.query(f"SELECT original FROM fenghuo.v_original(partition = {partition}, position = {position})").result_rows
    assert json.loads(original)["event_id"]
    [(none, rows)] = kept()
    assert none == 0
    keep("another text")
    with pytest.raises(Failed, match=r"transactions\._raw differs in 1 rows"):
        backfill("transactions", journals=stored.journals)
    keep(original)
    capsys.readouterr()
    backfill("transactions", journals=stored.journals, restart=True)
    assert json.loads(capsys.readouterr().out)["tables"][0]["differing"] == {}
    assert kept() == [(rows, rows)]
    stored.client.command("ALTER TABLE fenghuo.transactions UPDATE _raw = '' WHERE 1 SETTINGS mutations_sync = 1")


def test_a_difference_that_nobody_named_stops_the_swap(stored: Stored, capsys: pytest.CaptureFixture[str]) -> None:
    stored.client.command("ALTER TABLE fenghuo.alerts UPDATE score = 1 WHERE revision = 1 SETTINGS mutations_sync = 1")
    before = stored.rows("alerts")
    with pytest.raises(Failed, match=r"alerts\.score differs in \d+ rows; .*alerts is unchanged") as refused:
        backfill("alerts", journals=stored.journals)
    assert "--column" in str(refused.value)
    assert not json.loads(capsys.readouterr().out)["swapped"]
    assert stored.rows("alerts") == before
    backfill("alerts", "score", journals=stored.journals, restart=True)
    assert stored.client.query("SELECT countIf(score = 1) FROM fenghuo.alerts").result_rows == [(0,)]


def test_half_a_journal_replaces_nothing(stored: Stored, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    half = tmp_path / stored.journals[0].name
    lines = stored.journals[0].read_bytes().splitlines(keepends=True)
    half.write_bytes(b"".join(lines[: len(lines) // 2]))
    before = stored.rows("transactions")
    with pytest.raises(Failed, match=r"\d+ rows of transactions are not in the journal any more"):
        backfill("transactions", journals=[half, *stored.journals[1:]])
    assert stored.rows("transactions") == before
    backfill("transactions", journals=stored.journals, dry_run=True)
    last = capsys.readouterr().out.strip().splitlines()[-3:]
    assert '"dry_run": true' in "".join(last)
    assert stored.tables() == {"transactions__backfill"}  # neither filled nor dropped by the dry run
    backfill("transactions", journals=stored.journals, restart=True)


@pytest.mark.parametrize(
    ("table", "columns", "said"),
    [("ticks", [], "no backfill of ticks"), ("alerts", ["nothing"], "alerts has no column nothing"), ("dead_letters", [], "no backfill")],
)
def test_a_wrong_request_is_refused_before_anything_is_done(stored: Stored, table: str, columns: list[str], said: str) -> None:
    with pytest.raises(UserError, match=said):
        backfill(table, *columns, journals=stored.journals)
    assert stored.tables() == set()


def test_a_file_that_is_no_journal_is_named(tmp_path: Path) -> None:
    other = tmp_path / "journal-0.jsonl"
    other.write_text('{"kind":"transaction","oops":1}\n')
    with pytest.raises(UserError, match="a line is no journal line"):
        backfill("transactions", journals=[other], restart=True)
    with pytest.raises(UserError, match="a journal file is named"):
        backfill("transactions", journals=[tmp_path / "x.jsonl"])
