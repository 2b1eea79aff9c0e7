"""Runs one statement on a connection: settings for this request only, rows in, or an answer that streams out."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from tempfile import NamedTemporaryFile
from typing import Any

from deploy.embedded.front.errors import NOT_ENOUGH_SPACE, SYNTAX_ERROR, FrontError
from deploy.embedded.front.statement import Statement

#: Formats whose blocks can simply follow each other; any other is made whole before it is sent.
STREAMING = frozenset({"native", "tabseparated", "tsv", "csv", "rowbinary", "jsoneachrow"})
DEFAULT_FORMAT = "TabSeparated"

_SETTING = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass
class Answer:
    """``chunks`` ends by raising FrontError where the engine fails midway. ``close`` must be called once all is over."""

    chunks: Iterator[bytes]
    format: str | None
    summary: dict[str, str]
    close: Callable[[], None]


def execute(
    connection: Any,
    statement: Statement,
    parameters: Mapping[str, str],
    settings: Mapping[str, str],
    database: str | None,
    default_format: str | None,
    *,
    kept: bool,
) -> Answer:
    """Start the statement; errors that come before the first row are raised here. ``kept``: the connection serves further requests. Raises FrontError."""
    with ExitStack() as started:
        if kept:
            started.enter_context(_for_this_request(connection, settings, database))
        else:
            _prepare(connection, settings, database)
        answer = _start(connection, statement, parameters, default_format)
        answer.close = _both(answer.close, started.pop_all().close)
        return answer


def _start(connection: Any, statement: Statement, parameters: Mapping[str, str], default_format: str | None) -> Answer:
    try:
        if statement.inserts_data:
            return _insert(connection, statement)
        name = statement.format or default_format or DEFAULT_FORMAT
        if statement.kind in ("SELECT", "WITH", "FROM") and name.lower() in STREAMING:
            return _stream(connection, statement.sql, name, parameters)
        result = connection.query(statement.sql, name, params=dict(parameters))
        body = result.bytes() or b""
        summary = {"read_rows": str(result.rows_read()), "read_bytes": str(result.bytes_read()), "elapsed_ns": str(int(result.elapsed() * 1e9))}
        if statement.kind == "INSERT":
            summary |= {"written_rows": summary["read_rows"], "written_bytes": summary["read_bytes"]}
        return Answer(iter((body,)), name if statement.answers else None, summary, lambda: None)
    except FrontError:
        raise
    except Exception as error:  # the engine raises RuntimeError, its subclasses and, for odd arguments, others
        _drop_rest(connection)
        raise FrontError.from_engine(error) from None


def _insert(connection: Any, statement: Statement) -> Answer:
    """Rows go in from a file: chDB's streaming insert reports success on a full disk, though nothing is stored."""
    try:
        with NamedTemporaryFile(prefix="fenghuo-insert-") as file:
            file.write(statement.data or b"")
            file.flush()
            result = connection.query(statement.with_data_from(file.name), DEFAULT_FORMAT)
    except OSError as error:
        raise FrontError.refused(NOT_ENOUGH_SPACE, f"rows cannot be kept while they are inserted: {error.strerror}. (NOT_ENOUGH_SPACE)") from None
    summary = {"written_rows": str(result.rows_read()), "written_bytes": str(result.bytes_read()), "elapsed_ns": str(int(result.elapsed() * 1e9))}
    return Answer(iter(()), None, summary, lambda: None)


def _stream(connection: Any, sql: str, name: str, parameters: Mapping[str, str]) -> Answer:
    result = connection.send_query(sql, name, params=dict(parameters))
    first = result.fetch()

    def chunks() -> Iterator[bytes]:
        chunk = first
        while chunk is not None:
            yield chunk.bytes()
            try:
                chunk = result.fetch()
            except Exception as error:
                raise FrontError.from_engine(error) from None

    return Answer(chunks(), name, {}, result.close)


def _prepare(connection: Any, settings: Mapping[str, str], database: str | None) -> None:
    """Settings and database for all that comes on this connection: each statement of a client brings some twenty settings."""
    if database:
        _run(connection, f"USE {_identifier(database)}")
    _set(connection, {name: _literal(value) for name, value in settings.items()})


@contextmanager
def _for_this_request(connection: Any, settings: Mapping[str, str], database: str | None) -> Iterator[None]:
    """Settings and database hold for one request, even on the connection of a session."""
    before = _settings_now(connection, settings) if settings else {}
    with ExitStack() as undo:
        if database:
            home = _text(connection, "SELECT currentDatabase()")
            undo.callback(_run, connection, f"USE {_identifier(home)}")
        undo.callback(_set, connection, {name: "DEFAULT" if value is None else _literal(value) for name, value in before.items()})
        _prepare(connection, settings, database)
        yield


def _set(connection: Any, values: Mapping[str, str]) -> None:
    for name in values:
        if not _SETTING.fullmatch(name):
            raise FrontError.refused(SYNTAX_ERROR, "a setting's name is a word. (SYNTAX_ERROR)")
    if values:
        _run(connection, "SET " + ", ".join(f"{name} = {value}" for name, value in values.items()))


def _settings_now(connection: Any, settings: Mapping[str, str]) -> dict[str, str | None]:
    """Value of each setting, None where it is at its default and so is to be restored."""
    for name in settings:
        if not _SETTING.fullmatch(name):
            raise FrontError.refused(SYNTAX_ERROR, "a setting's name is a word. (SYNTAX_ERROR)")
    names = ", ".join(_literal(name) for name in settings)
    rows = connection.query(f"SELECT name, value, changed FROM system.settings WHERE name IN ({names})", "JSONEachRow").bytes() or b""
    found = {row["name"]: row["value"] if row["changed"] else None for row in map(json.loads, rows.splitlines())}
    return {name: found[name] for name in settings if name in found}


def _drop_rest(connection: Any) -> None:
    """After an error midway the engine puts what it had made of that answer before the connection's next one: let it be this one, which nobody reads."""
    with suppress(RuntimeError):  # where not even this can be answered, the statement's own error is the one to tell
        connection.query("SELECT 1", DEFAULT_FORMAT)


def _run(connection: Any, sql: str) -> None:
    try:
        connection.query(sql, DEFAULT_FORMAT)
    except Exception as error:
        raise FrontError.from_engine(error) from None


def _text(connection: Any, sql: str) -> str:
    answer: bytes = connection.query(sql, "TabSeparatedRaw").bytes()
    return answer.decode().rstrip("\n")


def _literal(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _identifier(name: str) -> str:
    escaped = name.replace("\\", "\\\\").replace("`", "\\`")
    return f"`{escaped}`"


def _both(first: Callable[[], None], second: Callable[[], None]) -> Callable[[], None]:
    def close() -> None:
        try:
            first()
        finally:
            second()

    return close
