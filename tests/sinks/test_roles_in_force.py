"""Roles in force: ClickHouse's own access control, a process for each role, on a small bank. What each may and may not, in every view."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from sinks.roles import INTERNAL, WITHHELD, declared_roles
from sinks.views import declared_views
from tests.sinks.acting_roles.configuration import Role, roles_of, write_configuration

pytestmark = pytest.mark.embedded
_DATABASE = "fenghuo"
_FILES = ("0014_role_bi_reader.sql", "0015_grant_bi_reader.sql")
#: The only user of an embedded ClickHouse, who is each role in turn.
_USER = "default"
#: Outlets of the simulated bank and of the hard cases: the one that has most customers, one with an alert.
_OUTLETS = ("outlet-03", "outlet-hard")
_ACCESS_DENIED, _READONLY, _MEMORY_LIMIT = 497, 164, 241
_OPERATORS_OWN = "v_original"
_VIEWS = [
    view.name + {"v_customers_as_of": "(day = '2025-02-28')"}.get(view.name, "")
    for view in declared_views(_DATABASE, "Asia/Shanghai")
    if view.name != _OPERATORS_OWN
]
_READERS = ("bi_reader", "bi_branch_reader")


class Bank:
    """A folder of ClickHouse, and whoever comes to it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        files = [(resources.files("sinks") / "migrations" / name).read_text(encoding="utf-8").replace("{database}", _DATABASE) for name in _FILES]
        self._roles = roles_of([*files, *(grant.sql for grant in declared_roles(_DATABASE))])
        self._roles["security officer"] = Role(grants=["GRANT ALL ON *.* WITH GRANT OPTION"])

    def does(self, role: str, *task: str, statements: list[str] | None = None) -> Any:
        configuration = write_configuration(self._folder / role, self._roles[role])
        url = f"chdb://{self._folder / 'clickhouse'}?config-file={configuration}"
        command = [sys.executable, "-m", "tests.sinks.acting_roles.acting", url, *task]
        lines = "\n".join(json.dumps(one) for one in statements or [])
        settings = os.environ | {"FENGHUO_CLICKHOUSE__URL": url}
        done = subprocess.run(command, input=lines, capture_output=True, text=True, timeout=100, check=False, env=settings)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def asks(self, role: str, *statements: str) -> list[Any]:
        """Rows of each statement, or the number of the error."""
        answers: list[Any] = self.does(role, statements=list(statements))
        return answers

    def fill(self) -> Any:
        return self.does("sink_writer", "fill", str(self._folder))

    def backfill(self) -> Any:
        return self.does("operator", "backfill", str(self._folder))


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Bank:
    """Migrated by the operator, filled by a sink, its view of a branch's customers made by whoever gives rights."""
    made = Bank(tmp_path_factory.mktemp("roles"))
    steps = made.does("operator", "migrate")
    assert {"0001_transactions", "v_customers_latest", "v_dictionary (titles)"} <= set(steps)
    assert made.fill() is True
    views = [grant.sql for grant in declared_roles(_DATABASE) if grant.sql.startswith("CREATE OR REPLACE VIEW")]
    outlets = f"INSERT INTO {_DATABASE}.reader_outlets VALUES {', '.join(f'({_USER!r}, {one!r})' for one in _OUTLETS)}, ('somebody', 'outlet-05')"
    assert made.asks("security officer", *views, outlets) == [[]] * (len(views) + 1)
    return made


def test_who_fills_and_who_migrates_may_do_their_work_and_not_each_others(bank: Bank) -> None:
    assert bank.does("operator", "migrate") == [], "nothing is left to do"
    assert bank.backfill()["swapped"]
    assert bank.does("sink_writer", "sink") == "connected"
    changes = [f"ALTER TABLE {_DATABASE}.customers DROP COLUMN tier", f"DROP TABLE {_DATABASE}.customers", f"TRUNCATE TABLE {_DATABASE}.customers"]
    assert bank.asks("sink_writer", *changes, f"CREATE TABLE {_DATABASE}.mine (a UInt8) ENGINE = Memory") == [_ACCESS_DENIED] * 4
    elsewhere = ["CREATE DATABASE another", "CREATE TABLE default.mine (a UInt8) ENGINE = Memory", "SELECT * FROM url('http://127.0.0.1:1/', 'CSV')"]
    for role in ("operator", "sink_writer"):
        assert bank.asks(role, *elsewhere, "CREATE USER me", f"GRANT SELECT ON {_DATABASE}.* TO {_USER}") == [_ACCESS_DENIED] * 5


@pytest.mark.parametrize("role", _READERS)
def test_a_reader_reads_every_view_and_nothing_that_is_withheld(bank: Bank, role: str) -> None:
    answers = bank.asks(role, *(f"SELECT * FROM {_DATABASE}.{view}" for view in _VIEWS))
    assert [view for view, rows in zip(_VIEWS, answers, strict=True) if isinstance(rows, int)] == []
    withheld = [f"SELECT `{column}` FROM {_DATABASE}.{table} LIMIT 1" for table, columns in WITHHELD.items() for column in columns]
    parts = bank.asks("operator", *(f"DESCRIBE TABLE {_DATABASE}.{table} SETTINGS describe_include_subcolumns = 1" for table in WITHHELD))
    withheld += [
        f"SELECT `{name}` FROM {_DATABASE}.{table} LIMIT 1"
        for (table, columns), rows in zip(WITHHELD.items(), parts, strict=True)
        for name in (row[0] for row in rows)
        if "." in name and name.split(".")[0] in columns
    ]
    everything = [f"SELECT * FROM {_DATABASE}.{table} LIMIT 1" for table in (*WITHHELD, *INTERNAL)]
    by_another_way = [
        f"SELECT count() FROM {_DATABASE}.customers WHERE birth_date < '1950-01-01'",
        f"SELECT count() FROM {_DATABASE}.complaints PREWHERE narrative != ''",
        f"SELECT * FROM (SELECT narrative FROM {_DATABASE}.complaints)",
        f"SELECT * FROM {_DATABASE}.{_OPERATORS_OWN}(partition = 0, position = 0)",
        f"SELECT count() FROM {_DATABASE}.v_complaints AS v JOIN {_DATABASE}.complaints AS c ON c.case_id = v.case_id AND c.narrative != ''",
    ]
    asked = [*withheld, *everything, *by_another_way]
    assert [sql for sql, answer in zip(asked, bank.asks(role, *asked), strict=True) if answer != _ACCESS_DENIED] == []


@pytest.mark.parametrize("role", _READERS)
def test_a_reader_changes_nothing_reaches_nothing_and_keeps_its_limits(bank: Bank, role: str) -> None:
    refused = [
        f"INSERT INTO {_DATABASE}.customers (customer_id) VALUES ('x')",
        f"INSERT INTO {_DATABASE}.reader_outlets VALUES ('{_USER}', 'outlet-05')",
        f"ALTER TABLE {_DATABASE}.customers DELETE WHERE 1",
        f"ALTER TABLE {_DATABASE}.customers MODIFY COLUMN tier String",
        f"DROP TABLE {_DATABASE}.customers",
        f"TRUNCATE TABLE {_DATABASE}.customers",
        f"CREATE TABLE {_DATABASE}.mine (a UInt8) ENGINE = Memory",
        f"CREATE OR REPLACE VIEW {_DATABASE}.v_clock AS SELECT 1",
        "CREATE ROW POLICY OR REPLACE by_outlet ON fenghuo.customers FOR SELECT USING 1 TO ALL",
        "GRANT INSERT ON fenghuo.* TO default",
        "SELECT * FROM url('http://127.0.0.1:1/', 'CSV')",
        "SELECT * FROM file('/etc/hostname', 'LineAsString')",
        "SELECT * FROM remote('127.0.0.2', system.one)",
        f"SYSTEM STOP MERGES {_DATABASE}.customers",
    ]
    answers = dict(zip(refused, bank.asks(role, *refused), strict=True))
    assert {sql: answer for sql, answer in answers.items() if answer not in (_ACCESS_DENIED, _READONLY)} == {}
    settings = ("readonly = 0", "max_memory_usage = 0", "max_execution_time = 0", "max_execution_time = 3600", "max_threads = 1", "allow_ddl = 0")
    assert bank.asks(role, *(f"SET {one}" for one in settings), *(f"SELECT 1 SETTINGS {one}" for one in settings)) == [_READONLY] * 12
    large = "SELECT length(groupArray(number)) FROM numbers(1000000000)"
    names = ("readonly", "max_execution_time", "max_memory_usage")
    limits = f"SELECT {', '.join(f'toUInt64(getSetting({name!r}))' for name in names)}"
    assert bank.asks(role, large, limits) == [_MEMORY_LIMIT, [[1, 60, 4_000_000_000]]]
    assert "may only read" in bank.does(role, "sink"), "a sink that is given a reader's name says so"


def test_a_branch_sees_its_outlets_and_its_customers_in_every_view(bank: Bank) -> None:
    [profiles] = bank.asks("bi_reader", f"SELECT customer_id, outlet_id FROM {_DATABASE}.customers WHERE outlet_id != '' ORDER BY occurred_at")
    at = dict(profiles)
    theirs = {customer for customer, outlet in at.items() if outlet in _OUTLETS}
    assert {"complains", "moves-in"} <= theirs < set(at)
    assert "moves-out" not in theirs
    mine = ", ".join(f"'{customer}'" for customer in sorted(theirs))
    of_customer, of_outlet = f"customer_id IN ({mine})", f"(outlet_id IN {_OUTLETS} OR (outlet_id = '' AND customer_id IN ({mine})))"
    expected = {
        "v_clock": "1",
        "v_dictionary": "1",
        "v_events": f"if(event_kind IN ('transaction', 'interaction'), {of_outlet}, {of_customer})",
        "v_alerts_latest": of_outlet,
        "v_alerts_history": of_outlet,
        "v_complaints": of_customer,
        "v_dead_letters": "0",
        "v_late_events": "0",
    }
    summed = {"v_daily_business": "transactions", "v_daily_contacts": "interactions", "v_outlet_service": "interactions"}
    plain = [view for view in _VIEWS if view not in summed]
    as_branch = bank.asks("bi_branch_reader", *(f"SELECT * EXCEPT {_moving(view)} FROM {_DATABASE}.{view} ORDER BY ALL" for view in plain))
    as_head_office = bank.asks(
        "bi_reader", *(f"SELECT * EXCEPT {_moving(view)} FROM {_DATABASE}.{view} WHERE {expected.get(view, of_customer)} ORDER BY ALL" for view in plain)
    )
    for view, branch, office in zip(plain, as_branch, as_head_office, strict=True):
        assert branch == office, view
    assert {view for view, rows in zip(plain, as_branch, strict=True) if not rows} <= {"v_dead_letters", "v_late_events"}
    for view in summed:
        own, total = (
            bank.asks(role, f"SELECT outlet_id, sum(n) FROM {_DATABASE}.{view} GROUP BY outlet_id ORDER BY outlet_id")[0] for role in reversed(_READERS)
        )
        assert {outlet for outlet, _ in own} <= {"", *_OUTLETS}
        assert [pair for pair in own if pair[0]] == [pair for pair in total if pair[0] in _OUTLETS], "its outlets in full"
    assert bank.asks("bi_branch_reader", f"SELECT * FROM {_DATABASE}.reader_outlets") == [[[_USER, outlet] for outlet in _OUTLETS]], "nor whose the others are"


def _moving(view: str) -> str:
    """A column that no two readings need agree on; every view has an as_of or is constant."""
    return "(definition)" if view == "v_dictionary" else "(as_of)"


@pytest.mark.parametrize("role", _READERS)
def test_names_are_masked_wherever_a_reader_looks(bank: Bank, role: str) -> None:
    sources = {"v_customers_latest": "display_name", "v_alerts_latest": "display_name", "v_alerts_history": "display_name", "customers": "display_name"}
    answers = bank.asks(role, *(f"SELECT DISTINCT {column} FROM {_DATABASE}.{source}" for source, column in sources.items()))
    names = {name for rows in answers for (name,) in rows if name}
    assert names
    assert {name for name in names if "*" not in name} == set()
