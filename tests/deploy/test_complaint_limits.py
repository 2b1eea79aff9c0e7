"""The limit of a complaint in ClickHouse is the one that the rules judge by: any calendar, any version."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from clickhouse_connect.driver.client import Client

from alerting.complaint_clock import ClockVersion, ComplaintClock
from alerting.pack import load_pack
from deploy.complaint_limits import clock_lines
from schemas.localtime import to_date, to_day
from sinks.connection import connect
from sinks.migrate import Migrator
from sinks.settings import ClickHouseSettings

pytestmark = pytest.mark.embedded
_HOLIDAYS = frozenset(to_day(date(2024, 10, day)) for day in (1, 2, 3, 4, 7))
_WORKDAYS = frozenset((to_day(date(2024, 9, 29)), to_day(date(2024, 10, 12))))
_NATURAL = ClockVersion(7_305, 15, 30, 30, "natural", "same-day", "an old rule's")
_WORKING = replace(_NATURAL, effective=19_600, calendar="working", count_from="next-day", holidays=_HOLIDAYS, workdays=_WORKDAYS)
CLOCK = ComplaintClock((_WORKING, _NATURAL))
#: Days received: before every version, around the change of version, before and within the holidays, on weekends.
_DAYS = (7_000, 19_599, 19_600, *range(19_975, 20_005))


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    folder: Path = tmp_path_factory.mktemp("limits")
    settings = ClickHouseSettings(url=f"chdb://{folder}")
    made = connect(settings)
    pack = replace(load_pack("bank-cn"), complaint_clock=CLOCK)
    for _ in Migrator(made, settings, clock_lines(pack)).up():
        pass
    rows = []
    for day in _DAYS:
        for complex_case in (False, True):
            for extended in (False, True):
                case, at = f"{day}-{complex_case:d}-{extended:d}", f"{to_date(day)} 03:00:00"
                rows.append(f"('c', '{at}', 'desk', '{case}-r', '{case}', 'received', {complex_case}, 0, {2 * len(rows)})")
                if extended:
                    rows.append(f"('c', '{at}', 'desk', '{case}-e', '{case}', 'extended', NULL, 0, {2 * len(rows) + 1})")
    columns = "customer_id, occurred_at, source, event_id, case_id, step, complex, _partition, _position"
    made.command(f"INSERT INTO fenghuo.complaints ({columns}) VALUES {', '.join(rows)}")
    yield made
    made.close()


def test_due_days_are_those_of_the_rules(client: Client) -> None:
    found = client.query("SELECT case_id, toUInt32(toDate32(toTimeZone(due_at, 'Asia/Shanghai'))), limit_days FROM fenghuo.v_complaints").result_rows
    assert len(found) == 4 * len(_DAYS)
    for case, due, limit in found:
        day, complex_case, extended = (int(part) for part in case.split("-"))
        assert due == CLOCK.due_day(day, bool(complex_case), bool(extended)), case
        assert limit == due - day


def test_a_database_without_a_pack_has_no_limits(tmp_path: Path, client: Client) -> None:
    settings = ClickHouseSettings(url=f"chdb://{tmp_path}", database="without_a_pack")
    for _ in Migrator(client, settings).up():
        pass
    client.command("INSERT INTO without_a_pack.complaints SELECT * FROM fenghuo.complaints WHERE step = 'received' LIMIT 1")
    assert client.query("SELECT due_at, in_time, limit_used, limit_days FROM without_a_pack.v_complaints").result_rows == [(None, None, None, None)]
