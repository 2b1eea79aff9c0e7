"""Brings a database to the declared schema: numbered steps once each, then the declared columns, then the views and their titles, then the grants.

ClickHouse's DDL has no transactions, so each file is one statement that may run twice, and what was done is written down in
ClickHouse. A file that was edited after it ran refuses to start: what the server holds is then no longer what the files say.
"""

from __future__ import annotations

import hashlib
import os
import re
import socket
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from importlib import resources
from typing import Final, Literal

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError

from sinks.columns import Column, literal
from sinks.connection import is_embedded
from sinks.roles import declared_roles
from sinks.settings import ClickHouseSettings
from sinks.tables import declared_tables
from sinks.views import View, declared_views
from sinks.views.complaints import ClockLine, clock_select

Status = Literal["NOT_STARTED", "IN_PROGRESS", "COMPLETED", "SKIPPED"]
#: Inserts whose tokens a table remembers: more than a sink makes in hours, since an outage may lie between insert and retry.
DEDUPLICATION_WINDOW: Final = 10_000
#: The view that holds the limits for answering a complaint. It is the policy pack's, not the program's: no row depends on it.
COMPLAINT_CLOCK: Final = "complaint_clock"
_FILE: Final = re.compile(r"(\d{4})_([a-z0-9_]+)\.sql")
_REQUIRES: Final = re.compile(r"^-- requires: (.+)$", re.MULTILINE)
_SETTING_OF_TABLES: Final = "table setting "
_TABLE_EXISTS: Final = 57


class MigrationRefused(Exception):
    """The database cannot be migrated as it is. One line: what, and what to do."""


@dataclass(frozen=True, slots=True)
class Step:
    """One statement to run. ``name`` is that of the file, table or view; ``skip`` says why it cannot run on this server."""

    name: str
    sql: str
    checksum: str = ""
    skip: str = ""


@dataclass(frozen=True, slots=True)
class Applied:
    """What the server says of a step."""

    name: str
    status: Status
    checksum: str


@dataclass(frozen=True, slots=True)
class Found:
    """What a database holds, read at one moment: steps that ran, columns of tables and views, comments, each by name."""

    applied: Mapping[str, Applied]
    columns: Mapping[str, Mapping[str, Column]]
    comments: Mapping[str, str]


class Migrator:
    """Plans and applies. Reads the server on every call, so that it never acts on what it remembers.

    ``complaint_clock`` is the policy pack's; who does not know it (None) leaves what the database has.
    """

    def __init__(self, client: Client, settings: ClickHouseSettings, complaint_clock: Sequence[ClockLine] | None = None) -> None:
        self._client = client
        self._settings = settings
        self._complaint_clock = complaint_clock
        self._database = settings.database
        self._manages_users: bool | None = None

    def status(self) -> list[Applied]:
        """Every numbered step and view, with what became of it. Raises MigrationRefused."""
        found = self._found()
        steps = [*self._numbered(), *self._views(found)]
        return [found.applied.get(step.name, Applied(step.name, "NOT_STARTED", step.checksum)) for step in steps]

    def pending(self) -> list[Step]:
        """What ``up`` would run, in order. Raises MigrationRefused for an edited file, a database from a newer program, another zone."""
        found = self._found()
        self._refuse_surprises(found)
        return [step for steps in self._parts for step in steps(found)]

    def up(self, break_lock: bool = False) -> Iterator[Step]:
        """Apply what is pending, yielding each step once it is done. May be stopped and run again at any point."""
        self._client.command(f"CREATE DATABASE IF NOT EXISTS {self._database}")
        self._client.command(_JOURNAL.replace("{database}", self._database))
        with self._lock(break_lock or is_embedded(self._settings)):
            self._refuse_surprises(self._found())
            for steps in self._parts:
                for step in steps(self._found()):  # which the part before it has changed
                    self._apply(step)
                    yield step

    @cached_property
    def _declared_views(self) -> tuple[View, ...]:
        return declared_views(self._database, self._settings.business_timezone)

    @property
    def _parts(self) -> tuple[Callable[[Found], Iterable[Step]], ...]:
        """In this order: each rests on what the one before it made."""
        return self._numbered_pending, self._columns, self._views_pending, self._titles, self._roles_pending

    def _apply(self, step: Step) -> None:
        if step.skip:
            self._write_down(step, "SKIPPED")
            return
        if step.checksum:
            self._write_down(step, "IN_PROGRESS")
        self._client.command(step.sql)
        if step.checksum:
            self._write_down(step, "COMPLETED")

    # -- what there is -------------------------------------------------------------------------------------------------------

    def _numbered(self) -> Iterator[Step]:
        folder = resources.files("sinks") / "migrations"
        for file in sorted(folder.iterdir(), key=lambda one: one.name):
            if not _FILE.fullmatch(file.name):
                continue
            text = file.read_text(encoding="utf-8")
            sql = text.replace("{database}", self._database).replace("{window}", str(DEDUPLICATION_WINDOW)).replace("{zone}", self._settings.business_timezone)
            yield Step(file.name.removesuffix(".sql"), sql, _checksum(text))

    def _lacks(self, need: str) -> str:
        """What keeps a file with this need from running on this server; empty if nothing does. Raises ValueError for a need that nobody knows."""
        if need == "users":
            return "" if self._users() else "this ClickHouse keeps no users that SQL can make, or does not let us"
        setting = need.removeprefix(_SETTING_OF_TABLES)
        if setting == need:
            raise ValueError(f"a numbered file requires {need}")
        query = "SELECT count() FROM system.merge_tree_settings WHERE name = {name:String}"
        known = self._client.query(query, parameters={"name": setting}).result_rows[0][0]
        return "" if known else f"this ClickHouse has no setting {setting} of tables"

    def _users(self) -> bool:
        """Whether users and roles can be made by SQL: an embedded ClickHouse cannot."""
        if self._manages_users is None:
            try:
                found = self._client.query("SELECT count() FROM system.user_directories WHERE type != 'users_xml'").result_rows
                self._manages_users = bool(found[0][0])
            except DatabaseError:
                self._manages_users = False
        return self._manages_users

    def _views(self, found: Found) -> Iterator[Step]:
        if self._complaint_clock is not None or COMPLAINT_CLOCK not in found.applied:
            yield self._view(
                COMPLAINT_CLOCK, clock_select(self._complaint_clock or ()), "Limits for answering a complaint, from the policy pack: read v_complaints"
            )
        for view in self._declared_views:
            yield self._view(view.name, view.select, view.comment)

    def _view(self, name: str, select: str, comment: str) -> Step:
        sql = f"CREATE OR REPLACE VIEW {self._database}.{name} AS {select} COMMENT {literal(comment)}"
        return Step(name, sql, _checksum(sql))

    def _numbered_pending(self, found: Found) -> list[Step]:
        pending = [step for step in self._numbered() if found.applied.get(step.name, _NEVER).status not in ("COMPLETED", "SKIPPED")]
        return [replace(step, skip=self._lacks(needs[1])) if (needs := _REQUIRES.search(step.sql)) else step for step in pending]

    def _views_pending(self, found: Found) -> list[Step]:
        return _changed(self._views(found), found)

    def _roles_pending(self, found: Found) -> list[Step]:
        """Grants as declared; nothing where there are no users to grant to."""
        if not self._users():
            return []
        return _changed((Step(grant.name, grant.sql, _checksum(grant.sql)) for grant in declared_roles(self._database)), found)

    def _columns(self, found: Found) -> Iterator[Step]:
        """One ALTER for every table whose columns, defaults or comments are not as declared."""
        for table in declared_tables(self._settings.business_timezone):
            columns = found.columns.get(table.name, {})
            changes = [change for column in table.columns for change in _changes(column, columns.get(column.name))]
            if changes:
                yield Step(table.name, f"ALTER TABLE {self._database}.{table.name} {', '.join(changes)}")
            if found.comments.get(table.name, "") != table.comment:
                yield Step(f"{table.name} (comment)", f"ALTER TABLE {self._database}.{table.name} MODIFY COMMENT {literal(table.comment)}")

    def _titles(self, found: Found) -> Iterator[Step]:
        """The titles of the views' columns as their comments; replacing a view drops them."""
        for view in self._declared_views:
            wanted = {name: view.title(name).comment() for name in view.columns}
            changes = [
                f"COMMENT COLUMN `{name}` {literal(wanted[name])}"
                for name, column in found.columns.get(view.name, {}).items()
                if name in wanted and column.comment != wanted[name]
            ]
            if changes:
                yield Step(f"{view.name} (titles)", f"ALTER TABLE {self._database}.{view.name} {', '.join(changes)}")

    def _found(self) -> Found:
        comments = self._comments()
        return Found(self._applied() if "migrations" in comments else {}, self._actual(), comments)

    def _actual(self) -> dict[str, dict[str, Column]]:
        rows = self._client.query(
            "SELECT table, name, type, default_expression, comment FROM system.columns WHERE database = {database:String}",
            parameters={"database": self._database},
        ).result_rows
        tables: dict[str, dict[str, Column]] = {}
        for table, name, kind, default, comment in rows:
            tables.setdefault(table, {})[name] = Column(name, kind, default, "", comment)
        return tables

    def _comments(self) -> dict[str, str]:
        query = "SELECT name, comment FROM system.tables WHERE database = {database:String}"
        return {str(name): str(comment) for name, comment in self._client.query(query, parameters={"database": self._database}).result_rows}

    def _applied(self) -> dict[str, Applied]:
        rows = self._client.query(f"SELECT name, argMax(status, at), argMax(checksum, at) FROM {self._database}.migrations GROUP BY name").result_rows
        return {name: Applied(name, status, checksum) for name, status, checksum in rows}

    def _refuse_surprises(self, found: Found) -> None:
        known = {step.name: step for step in self._numbered()}
        for name, was in found.applied.items():
            if not _FILE.fullmatch(f"{name}.sql"):
                continue
            if name not in known:
                raise MigrationRefused(f"database {self._database} holds migration {name}, which this program does not know: upgrade the program")
            if was.checksum != known[name].checksum:
                raise MigrationRefused(
                    f"migration {name} was edited after it ran on database {self._database}: restore sinks/migrations/{name}.sql and add a new file"
                )
        zone = found.applied.get(_ZONE)
        if zone is not None and zone.checksum != self._settings.business_timezone:
            raise MigrationRefused(
                f"database {self._database} keeps business days of {zone.checksum}, the settings say {self._settings.business_timezone}:"
                " set clickhouse.business_timezone back, or fill a new database"
            )

    # -- writing down --------------------------------------------------------------------------------------------------------

    def _write_down(self, step: Step, status: Status) -> None:
        rows = [[step.name, status, step.checksum]]
        if _FILE.fullmatch(f"{step.name}.sql") and status == "IN_PROGRESS":
            rows.append([_ZONE, "COMPLETED", self._settings.business_timezone])
        self._client.insert(f"{self._database}.migrations", rows, column_names=["name", "status", "checksum"], column_type_names=["String", "String", "String"])

    @contextmanager
    def _lock(self, take_over: bool) -> Iterator[None]:
        """Creating a table is atomic: who creates it holds the lock."""
        name, holder = f"{self._database}.migration_lock", f"{socket.gethostname()} process {os.getpid()}"
        if take_over:
            self._client.command(f"DROP TABLE IF EXISTS {name} SYNC")
        try:
            self._client.command(f"CREATE TABLE {name} (holder String) ENGINE = Memory COMMENT {literal(holder)}")
        except DatabaseError as error:
            if error.code != _TABLE_EXISTS:
                raise
            raise MigrationRefused(
                f"{self._comments().get('migration_lock') or 'another process'} is migrating database {self._database};"
                " if it is gone: fenghuo migrate up --break-lock"
            ) from error
        try:
            yield
        finally:
            self._client.command(f"DROP TABLE IF EXISTS {name} SYNC")


_NEVER: Final = Applied("", "NOT_STARTED", "")
_ZONE: Final = "business timezone"
_JOURNAL: Final = """
CREATE TABLE IF NOT EXISTS {database}.migrations
(
    name String,
    status LowCardinality(String) COMMENT 'IN_PROGRESS, COMPLETED or SKIPPED',
    checksum String,
    at DateTime64(6, 'UTC') DEFAULT now64(6, 'UTC')
)
ENGINE = MergeTree ORDER BY (name, at)
SETTINGS non_replicated_deduplication_window = 0
COMMENT 'Which steps of the schema ran'
"""


def _changed(steps: Iterable[Step], found: Found) -> list[Step]:
    return [step for step in steps if (was := found.applied.get(step.name, _NEVER)).checksum != step.checksum or was.status != "COMPLETED"]


def _checksum(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _changes(declared: Column, actual: Column | None) -> Iterator[str]:
    if actual is None:
        yield f"ADD COLUMN IF NOT EXISTS {declared.definition()}"
    elif actual.type != declared.type or _plain(actual.default) != _plain(declared.default):
        yield f"MODIFY COLUMN {declared.definition()}"
    elif actual.comment != declared.comment:
        yield f"COMMENT COLUMN `{declared.name}` {literal(declared.comment)}"


def _plain(expression: str) -> str:
    """An expression as ClickHouse may print it: spaces do not count."""
    return "".join(expression.split())
