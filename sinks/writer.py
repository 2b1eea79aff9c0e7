"""One batch into ClickHouse: one INSERT a table under the range's token, then the rows it refused into the dead letters.

Every insert is safe to repeat: the token makes ClickHouse drop what it has. A batch that fails halfway is written again from
its start with the same rows and tokens.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field

from clickhouse_connect.driver.client import Client
from pydantic import ValidationError

from schemas.outputs import SetAside
from schemas.telemetry import Telemetry
from schemas.topics import Registry
from sinks.dead_letters import DeadLetters, Refused
from sinks.errors import PERHAPS_A_ROW, SUSPECT_AFTER, Fate, code_of, fate_of, summary
from sinks.events import EventRow
from sinks.loads import Load, send
from sinks.milestones import Milestone, Observer, unobserved
from sinks.prepared import Prepared
from sinks.ranges import Range, token
from sinks.rows import Record, offset_of
from sinks.tables import EVENT_TABLES, Table
from sinks.unreadable import unreadable

log = logging.getLogger(__name__)
_EVENTS = frozenset(EVENT_TABLES.values())
_SET_ASIDE = frozenset({"dead_letters", "late_events"})


class SinkStopped(Exception):
    """No row can be stored until a person has looked. One line: what, where, what to do. Nothing is lost: offsets are not committed."""


class Delayed(Exception):
    """ClickHouse is away or busy: the same batch must be written again. ``code`` is bounded."""

    def __init__(self, error: Exception) -> None:
        super().__init__(summary(error))
        self.code = code_of(error)


@dataclass(slots=True)
class Batch:
    """Rows of one range of one topic partition, by table."""

    short: str
    topic: str
    incarnation: str
    partition: int
    offsets: Range
    made: Prepared
    records: list[Record] = field(default_factory=list)
    written: set[str] = field(default_factory=set)
    failures: dict[str, tuple[str, int]] = field(default_factory=dict)  # by table: code, and how often in a row

    def suspect(self, table: str, error: Exception) -> bool:
        """Note that an insert failed; whether it failed so often, and so equally, that a row may be the cause."""
        code = code_of(error)
        before, times = self.failures.get(table, (code, 0))
        self.failures[table] = (code, times + 1 if before == code else 1)
        return code in PERHAPS_A_ROW and self.failures[table][1] >= SUSPECT_AFTER


class Writer:
    """Writes batches. Not for two threads: its client is not."""

    def __init__(
        self,
        client: Client,
        database: str,
        tables: tuple[Table, ...],
        registry: Registry,
        dead_letters: DeadLetters,
        telemetry: Telemetry,
        refused_limit: int,
        observe: Observer = unobserved,
    ) -> None:
        self._client = client
        self._database = database
        self._tables = {table.name: table for table in tables}
        self._registry = registry
        self._dead_letters = dead_letters
        self._telemetry = telemetry
        self._refused_limit = refused_limit
        self._observe = observe

    def write(self, batch: Batch) -> None:
        """Returns when every row is in ClickHouse or a dead letter. Raises Delayed (write it again), SinkStopped."""
        refused = [_malformed(batch, record) for record in batch.made.malformed]
        for name, rows in batch.made.rows.items():
            if name not in batch.written:
                before = len(refused)
                table, name_of_insert = self._tables[name], token(batch.topic, batch.incarnation, batch.partition, batch.offsets, name)
                if isinstance(rows, list):
                    self._insert(batch, table, rows, name_of_insert, refused)
                elif not self._insert_load(batch, table, len(rows), name_of_insert):
                    self._insert(batch, table, rows.rows(), name_of_insert, refused)
                if len(refused) == before:
                    batch.written.add(name)
                self._observe(Milestone.INSERTED)
        if refused:
            self._set_aside(batch, refused)

    def _insert_load(self, batch: Batch, table: Table, rows: int, name: str) -> bool:
        """The fast way. False where the rows must go as JSON objects, under the same token: nothing is stored, or all of it is."""
        try:
            self._send(table, batch.made.loads[table.name], rows, name)
        except Exception as error:
            if fate_of(error) is Fate.RETRY:
                if batch.suspect(table.name, error):
                    return False
                raise Delayed(error) from error
            log.warning("%s.%s refuses a batch: %s; it goes as JSON rows, which is slower", self._database, table.name, summary(error))
            return False
        return True

    def _insert(self, batch: Batch, table: Table, rows: list[bytes], name: str, refused: list[Refused]) -> None:
        try:
            self._send(table, Load(table.given, "JSONEachRow", (b"\n".join(rows),)), len(rows), name)
            return
        except Exception as error:
            fate = fate_of(error)
            if fate is Fate.RETRY:
                if (readable := self._without_unreadable(batch, table, rows, error, refused)) is None:
                    raise Delayed(error) from error
                if readable:
                    self._insert(batch, table, readable, name, refused)
                return
            if fate is Fate.STOP or table.name in _SET_ASIDE:
                raise SinkStopped(
                    f"ClickHouse refuses every row of {self._database}.{table.name}: {summary(error)}; nothing is lost, compare with: fenghuo migrate plan"
                ) from error
            cause = error
        if len(rows) > 1:
            middle = len(rows) // 2
            self._insert(batch, table, rows[:middle], f"{name}/l{middle}", refused)
            self._insert(batch, table, rows[middle:], f"{name}/r{middle}", refused)
        elif table.name in _EVENTS and not name.endswith("/canonical") and (row := _canonical(table.name, rows[0])) is not None:
            self._insert(batch, table, [row], f"{name}/canonical", refused)
        else:
            self._refuse(batch, table, rows[0], cause, refused)

    def _without_unreadable(self, batch: Batch, table: Table, rows: list[bytes], error: Exception, refused: list[Refused]) -> list[bytes] | None:
        """The rows but those that ClickHouse cannot read, which are refused. None where no row is to blame: the server is."""
        if not batch.suspect(table.name, error) or table.name in _SET_ASIDE:
            return None
        try:
            found = unreadable(self._client, table, rows, code_of(error))
        except Exception as answer:
            raise Delayed(answer) from answer
        for position in found:
            self._refuse(batch, table, rows[position], error, refused)
        ill = set(found)
        return [row for position, row in enumerate(rows) if position not in ill] if ill else None

    def _refuse(self, batch: Batch, table: Table, row: bytes, cause: Exception, refused: list[Refused]) -> None:
        refused.append(self._refused(batch, table, row, cause))
        if len(refused) > self._refused_limit:
            raise SinkStopped(
                f"ClickHouse refuses more than {self._refused_limit} rows of {batch.topic} partition {batch.partition} offsets {batch.offsets}"
                f" for {self._database}.{table.name}: {summary(cause)}; that is the schema, not the rows: compare with fenghuo migrate plan"
            ) from cause

    def _send(self, table: Table, load: Load, rows: int, name: str) -> None:
        started = time.monotonic()
        # Rows of one insert never share a key, save in a table of newest rows: to look for that costs as much as all else that a part costs.
        settings = {"insert_deduplication_token": name, "optimize_on_insert": int(table.latest)}
        send(self._client, f"{self._database}.{table.name}", load, rows, settings)
        self._telemetry.histogram("crm_sink_insert_seconds").labels(table.name).observe(time.monotonic() - started)
        self._telemetry.histogram("crm_sink_batch_rows").labels(table.name).observe(rows)
        self._telemetry.counter("crm_sink_rows_total").labels(table.name).inc(rows)

    def _refused(self, batch: Batch, table: Table, row: bytes, error: Exception) -> Refused:
        code = code_of(error)
        if table.name in _EVENTS:
            event = EventRow(table.name, row)
            topic, offset, value = self._registry.inputs[event.kind].name, event.offset, event.value
            key: bytes | None = event.key()
        else:
            topic, offset = batch.topic, offset_of(row)
            record = next(one for one in batch.records if one.offset == offset)
            key, value = record.key, record.value or b""
        why = SetAside(topic, batch.partition, offset, "insert", f"clickhouse_{code}", f"ClickHouse refused the row for {table.name}: {summary(error)}")
        return Refused(key, value, batch.partition, why)

    def _set_aside(self, batch: Batch, refused: list[Refused]) -> None:
        distinct = {(one.why.topic, one.why.offset): one for one in refused}  # a row refused by history and latest alike is one
        self._dead_letters.put(list(distinct.values()))
        for one in distinct.values():
            self._telemetry.counter("crm_dlq_events_total").labels(one.why.topic, "insert", one.why.reason).inc()
            log.warning("dead letter: %s[%d]@%d %s (stored unchanged in %s)", one.why.topic, one.partition, one.why.offset, one.why.message, "dead-letters")
        batch.written.update(batch.made.rows)


def _malformed(batch: Batch, record: Record) -> Refused:
    why = SetAside(batch.topic, batch.partition, record.offset, "insert", "malformed", "the record is not in the format of its topic")
    return Refused(record.key, record.value or b"", batch.partition, why)


def _canonical(table: str, row: bytes) -> bytes | None:
    try:
        return EventRow(table, row).canonical()
    except (ValueError, ValidationError):
        return None
