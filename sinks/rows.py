"""Kafka records as rows, by table: events of the journal together, everything else one JSON object a row, which ClickHouse parses itself."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Protocol

import msgspec

from schemas.metrics import KEYS, Subject, Unit
from schemas.outputs import dead_letter
from sinks.columns import metric_column
from sinks.events import EventLines, Events, EventText, lines_of
from sinks.journal_records import JournalRecords, positions
from sinks.lines import split
from sinks.tables import EVENT_TABLES

Rows = dict[str, list[bytes]]
#: The table of the journal's records.
RECORDS: Final = "journal_records"
_quote: Final = msgspec.json.encode
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Record(Protocol):
    """One Kafka record; ``timestamp`` is the broker's, in milliseconds since 1970."""

    @property
    def offset(self) -> int: ...
    @property
    def timestamp(self) -> int: ...
    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...
    @property
    def headers(self) -> Sequence[tuple[str, bytes | None]]: ...


def rows_of(short: str, partition: int, records: Sequence[Record], malformed: list[Record]) -> Mapping[str, list[bytes] | Events]:
    """The rows of records of one topic partition, by table. A record that is not in its topic's format goes to ``malformed``, whole."""
    if short == "journal":
        common = split([record.value or b"" for record in records])
        if common is None:
            return _line_by_line(partition, records, malformed)
        whole = JournalRecords(partition)
        for record in records:
            value = record.value or b""
            if (ends := positions(value)) is None:
                return _line_by_line(partition, records, malformed)
            whole.add(record.offset, value, *ends)
        return {**{EVENT_TABLES[kind]: EventText(partition, text) for kind, text in common.items()}, RECORDS: whole}
    return _outputs(short, partition, records, malformed)


def json_rows(short: str, partition: int, records: Sequence[Record], malformed: list[Record]) -> Rows:
    """The same, every row as a JSON object."""
    if short == "journal":
        return {table: events.rows() for table, events in _line_by_line(partition, records, malformed).items()}
    return _outputs(short, partition, records, malformed)


def _outputs(short: str, partition: int, records: Sequence[Record], malformed: list[Record]) -> Rows:
    rows: Rows = {}
    newest: dict[bytes | None, bytes] = {}
    make = _MAKERS[short]
    for record in records:
        before = {table: len(made) for table, made in rows.items()}
        try:
            make(rows, partition, record)
        except (ValueError, KeyError, AttributeError, TypeError):  # msgspec's errors are ValueErrors
            for table, made in rows.items():
                del made[before.get(table, 0) :]
            malformed.append(record)
            continue
        if short == "customer-metrics":
            newest[record.key] = rows["customer_metrics"][-1]
    if newest:
        rows["customer_metrics_latest"] = list(newest.values())
    return {table: made for table, made in rows.items() if made}


def rows_in(short: str, record: Record) -> int:
    """How many events a record holds, cheaply: their positions follow each other. One for anything but a journal record."""
    value = record.value or b""
    if short != "journal":
        return 1
    first, last = positions(value) or (0, value.count(b"\n"))
    return max(1, last - first + 1)


def _line_by_line(partition: int, records: Sequence[Record], malformed: list[Record]) -> dict[str, Events]:
    events: dict[str, EventLines] = {}
    whole = JournalRecords(partition)
    for record in records:
        try:
            lines = lines_of(record.value or b"")
        except ValueError:  # msgspec's errors are ValueErrors
            malformed.append(record)
            continue
        if lines:
            whole.add(record.offset, record.value or b"", lines[0].position, lines[-1].position)
        for line in lines:
            table = EVENT_TABLES[line.kind]
            if table not in events:
                events[table] = EventLines(partition)
            events[table].add(line)
    return {**events, **({RECORDS: whole} if len(whole) else {})}


_output_offset: Final = re.compile(rb'"_partition":\d+,"_offset":(\d+)').findall


def offset_of(row: bytes) -> int:
    """Offset of the metrics or alerts record that a row was made from."""
    return int(_output_offset(row)[-1])


# -- metrics and alerts: a JSON object a record ---------------------------------------------------------------------------------


class _Snapshot(msgspec.Struct):
    customer_id: str
    as_of: str
    business_day: str
    revision: int
    position: int
    currency: str
    metrics: dict[str, msgspec.Raw]


_snapshot: Final = msgspec.json.Decoder(_Snapshot).decode
_COLUMNS: Final = {key: b',"%b":' % metric_column(key).encode() for key, metric in KEYS.items() if metric.subject is Subject.CUSTOMER}
_INSTANTS: Final = frozenset(key for key, metric in KEYS.items() if metric.unit is Unit.INSTANT)


def _metrics(rows: Rows, partition: int, record: Record) -> None:
    snapshot = _snapshot(record.value or b"")
    head = {name: getattr(snapshot, name) for name in ("customer_id", "as_of", "business_day", "revision", "position", "currency")}
    parts = [_quote({"_partition": partition, "_offset": record.offset, **head})[:-1]]
    unknown = {}
    for key, raw in snapshot.metrics.items():
        column = _COLUMNS.get(key)
        if column is None:
            unknown[key] = raw
        else:
            parts += (column, _instant(int(bytes(raw))) if key in _INSTANTS else bytes(raw))
    if unknown:
        parts += (b',"_unknown":', _quote(_quote(unknown).decode()))
    rows.setdefault("customer_metrics", []).append(b"".join((*parts, b"}")))


def _instant(milliseconds: int) -> bytes:
    return _quote((_EPOCH + timedelta(milliseconds=milliseconds)).isoformat(timespec="milliseconds"))


def _alerts(rows: Rows, partition: int, record: Record) -> None:
    value = (record.value or b"").strip()
    msgspec.json.decode(value, type=dict[str, msgspec.Raw])
    row = b'%b,"_partition":%d,"_offset":%d,"_raw":%b}' % (value[:-1].replace(b"\n", b" "), partition, record.offset, _quote(value.decode()))
    rows.setdefault("alerts", []).append(row)
    rows.setdefault("alerts_latest", []).append(row)


# -- dead letters and late events: any bytes ------------------------------------------------------------------------------------


def _set_aside(table: str, rows: Rows, partition: int, record: Record) -> None:
    ours = {name.removeprefix(dead_letter.PREFIX): value for name, value in record.headers if name.startswith(dead_letter.PREFIX)}
    own = [{"name": name, "value": _base64(value)} for name, value in record.headers if not name.startswith(dead_letter.PREFIX)]
    row: dict[str, Any] = {
        "topic": _text(ours, "topic"),
        "partition": _number(ours, "partition"),
        "offset": _number(ours, "offset"),
        "stage": _text(ours, "stage"),
        "reason": _text(ours, "reason"),
        "message": _text(ours, "message"),
        "field": _text(ours, "field"),
        "exception": _text(ours, "exception.class.name"),
        "set_aside_at": (_EPOCH + timedelta(milliseconds=record.timestamp)).isoformat(timespec="milliseconds"),
        "key_base64": _base64(record.key),
        "value_base64": _base64(record.value),
        "headers_base64": own,
        "_partition": partition,
        "_offset": record.offset,
    }
    rows.setdefault(table, []).append(_quote(row))


def _text(ours: dict[str, bytes | None], name: str) -> str:
    return (ours.get(name) or b"").decode("utf-8", "replace")


def _number(ours: dict[str, bytes | None], name: str) -> int:
    text = _text(ours, name)
    return int(text) if text.isascii() and text.isdigit() else 0


def _base64(value: bytes | None) -> str | None:
    return None if value is None else base64.b64encode(value).decode()


def _dead_letters(rows: Rows, partition: int, record: Record) -> None:
    _set_aside("dead_letters", rows, partition, record)


def _late_events(rows: Rows, partition: int, record: Record) -> None:
    _set_aside("late_events", rows, partition, record)


_MAKERS: Final = {"customer-metrics": _metrics, "alerts": _alerts, "dead-letters": _dead_letters, "late-events": _late_events}
#: Topics that the sink reads, by their short names.
TOPICS: Final = ("journal", *_MAKERS)
