"""What ClickHouse or its owner does not allow: one line that says so, nothing lost, nothing let in."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from datetime import date

import pytest
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError, OperationalError

from schemas import journal
from schemas.connection import KafkaSettings
from schemas.telemetry import Telemetry
from sinks.connection import ServerUnfit, connect
from sinks.dead_letters import MemoryDeadLetters
from sinks.errors import SUSPECT_AFTER
from sinks.migrate import Migrator
from sinks.settings import ClickHouseSettings, SinkSettings
from sinks.sink import Sink, SinkStopped
from sinks.source import End, Fetched
from sinks.views.complaints import ClockLine
from tests.sinks.kills.world import Holder
from tests.sinks.memory import NOW, MemorySource, Topics, transaction
from tests.sinks.test_events import repeat_a_large_batch
from tests.sinks.test_sink import QUICK, Faulty

pytestmark = pytest.mark.embedded


@pytest.fixture(scope="module")
def holder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Holder]:
    running = Holder(tmp_path_factory.mktemp("holder") / "data")
    running.start()
    yield running
    running.kill()


def as_user(holder: Holder, user: str, password: str) -> ClickHouseSettings:
    return ClickHouseSettings(url=f"http://127.0.0.1:{holder.port}", user=user, password=password)  # type: ignore[arg-type]


@pytest.mark.parametrize(("user", "password", "says"), [("bi_reader", "", "may only read"), ("nobody", "x", "AUTHENTICATION_FAILED")])
def test_a_user_that_may_not_write_ends_the_sink_in_one_line(holder: Holder, user: str, password: str, says: str) -> None:
    topics = Topics()
    topics.journal(0, [("transaction", transaction(1))])
    with pytest.raises((ServerUnfit, SinkStopped), match=says) as ended:
        Sink(QUICK, as_user(holder, user, password), KafkaSettings(), Telemetry(), source=MemorySource(topics)).run(threading.Event())
    assert "FENGHUO_CLICKHOUSE__USER" in str(ended.value)
    assert "\n" not in str(ended.value)
    assert topics.commits == {}


def test_a_server_that_is_too_old_is_named(holder: Holder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sinks.connection.OLDEST", (99, 1))
    with pytest.raises(ServerUnfit, match=r"ClickHouse \d+\.\S+ is too old: 99\.1 or newer is needed"):
        connect(as_user(holder, "writer", holder.password))


def test_over_http_a_large_batch_is_one_block_too(holder: Holder) -> None:
    settings = as_user(holder, "writer", holder.password).model_copy(update={"database": "large"})
    client = connect(settings)
    for _ in Migrator(client, settings).up():
        pass
    repeat_a_large_batch(client, settings)
    client.close()


class Endless(MemorySource):
    """A topic that always has more; ``given`` counts what was read."""

    given = 0

    def poll(self, timeout: float) -> list[Fetched | End]:
        if self.paused:
            threading.Event().wait(min(timeout, 0.01))
            return []
        chunk = b"\n".join(journal.line("transaction", n, n, b'{"event_id":"e"}') for n in range(200))
        found: list[Fetched | End] = [Fetched(("journal", 0), self.given + n, NOW, None, chunk, []) for n in range(10)]
        self.given += 10
        return found


def test_with_clickhouse_away_a_sink_reads_no_more_and_stays_a_member(clickhouse: ClickHouseSettings, client: Client) -> None:
    """An hour of retries, made short: what it holds is bounded from the first failure on, however long the outage."""
    backlog = 20_000
    topics = Topics()
    topics.put("journal", 0, b"")
    source = Endless(topics)
    stop = threading.Event()
    held: list[int] = []

    class Away(Faulty):
        def stored(self, *_: object) -> object:
            self.inserts += 1
            held.append(source.given)
            if self.inserts == 40:
                stop.set()
            raise OperationalError("no answer")

    settings = SinkSettings(batch_rows=5_000, batch_seconds=0.01, backlog_rows=backlog, retry_seconds=0.01, drain_seconds=0.2)
    away = Away(client, {})
    sink = Sink(settings, clickhouse, KafkaSettings(), Telemetry(), away, source=source)  # type: ignore[arg-type]
    monitored = sink.live()
    assert not sink.run(stop)
    assert monitored
    assert len(held) >= 40
    assert source.given * 200 <= backlog + 10 * 200, "no more is read than the bound and one poll"
    assert len(set(held[1:])) == 1, "after the first failure nothing more was read"
    assert topics.commits == {}


@pytest.mark.parametrize(("days", "warns"), [(15, False), (10, True)])
def test_a_policy_pack_changed_after_the_last_migration_is_said_and_rows_flow(
    days: int, warns: bool, clickhouse: ClickHouseSettings, client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    def limits(ordinary: int) -> tuple[ClockLine, ...]:
        return (ClockLine(date(2026, 1, 1), ordinary, 60, 30, False, False, (), (), "a rule's"),)

    for _ in Migrator(client, clickhouse, limits(15)).up():
        pass
    topics = Topics()
    topics.journal(0, [("transaction", transaction(1))])
    sink = Sink(QUICK, clickhouse, KafkaSettings(), Telemetry(), client, source=MemorySource(topics), complaint_clock=limits(days))
    assert sink.run(threading.Event(), until_drained=True)
    said = [record.getMessage() for record in caplog.records if "v_complaints judges by other limits" in record.getMessage()]
    assert len(said) == warns
    assert all(line.endswith("fenghuo migrate up") for line in said)
    assert client.command(f"SELECT count() FROM {clickhouse.database}.transactions") == 1


class Choking(Faulty):
    """ClickHouse that ends in a code of outages: at a row that it reads (``poison``), at whatever it is to store, or at everything."""

    def __init__(self, client: Client, code: int, ill: str, times: int = 10**9) -> None:
        super().__init__(client, {})
        self.code, self.ill, self.left = code, ill, times

    def stored(self, table: str, data: bytes, store: Callable[[], object]) -> object:
        stores = not table.startswith("FUNCTION") and "sink_ranges" not in table
        reads = "journal_records" not in table  # a record is stored unread
        if {"row": reads and b"poison" in data, "disk": stores, "server": True}[self.ill] and self.left > 0:
            self.left -= 1
            raise DatabaseError("std::exception", code=self.code)
        return store()


_SOON = SinkSettings(batch_seconds=0.01, drain_seconds=2, retry_seconds=0.002)


@pytest.mark.parametrize("code", [pytest.param(3, marks=pytest.mark.long), 1001])
def test_a_row_that_ends_in_the_code_of_an_outage_becomes_a_dead_letter(code: int, clickhouse: ClickHouseSettings, client: Client) -> None:
    topics = Topics()
    topics.journal(0, [("transaction", transaction(n, merchant={"id": "poison"}) if n in (7, 40) else transaction(n)) for n in range(50)])
    letters = MemoryDeadLetters()
    choking = Choking(client, code, "row")
    assert Sink(_SOON, clickhouse, KafkaSettings(), Telemetry(), choking, source=MemorySource(topics), dead_letters=letters).run(  # type: ignore[arg-type]
        threading.Event(), until_drained=True
    )
    assert client.query(f"SELECT count(), uniqExact(event_id) FROM {clickhouse.database}.transactions").result_rows == [(48, 48)]
    assert [(one.why.reason, json.loads(one.value)["event_id"]) for one in letters.refused] == [(f"clickhouse_{code}", "t7"), (f"clickhouse_{code}", "t40")]


@pytest.mark.parametrize(
    ("code", "ill"),
    [(1001, "disk"), (241, "row"), *(pytest.param(*more, marks=pytest.mark.long) for more in ((1001, "server"), (243, "disk"), (242, "disk"), (3, "server")))],
)
def test_an_outage_of_any_length_costs_no_row(code: int, ill: str, clickhouse: ClickHouseSettings, client: Client) -> None:
    topics = Topics()
    topics.journal(0, [("transaction", transaction(n, merchant={"id": "poison"})) for n in range(50)])
    letters = MemoryDeadLetters()
    choking = Choking(client, code, ill, times=5 * SUSPECT_AFTER)
    assert Sink(_SOON, clickhouse, KafkaSettings(), Telemetry(), choking, source=MemorySource(topics), dead_letters=letters).run(  # type: ignore[arg-type]
        threading.Event(), until_drained=True
    )
    assert choking.left == 0
    assert letters.refused == []
    assert client.query(f"SELECT count(), uniqExact(event_id) FROM {clickhouse.database}.transactions").result_rows == [(50, 50)]
