"""The tables as they should be: one per event kind from the journal, the journal itself, metrics and alerts (history and latest), what was set aside.

The numbered migrations create them with their keys; every other column comes from here, compared with the server's on each
``fenghuo migrate up``. Every row carries where it came from: the partition, and the journal position or topic offset. The original
JSON of an event is in the journal's record, of anything else in the row.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from schemas.events import MODELS, EventKind
from schemas.outputs import Alert
from sinks.columns import INSTANT, Column, metric_columns, model_columns

#: The table of each kind of event.
EVENT_TABLES: Final[dict[EventKind, str]] = {
    "transaction": "transactions",
    "complaint": "complaints",
    "interaction": "interactions",
    "customer": "customers",
    "tick": "ticks",
    "feedback": "feedback",
}


@dataclass(frozen=True, slots=True)
class Table:
    """One table. ``identity`` names the columns that tell two rows apart; ``latest`` tables keep the newest row of each."""

    name: str
    comment: str
    columns: tuple[Column, ...]
    identity: tuple[str, ...]
    latest: bool = False

    @property
    def given(self) -> tuple[str, ...]:
        """Columns that an insert names; ClickHouse computes the others."""
        return tuple(column.name for column in self.columns if column.given)


def business_day(zone: str, instant: str = "occurred_at") -> str:
    """The local day of an instant, as SQL."""
    return f"toDate32(toTimeZone({instant}, '{zone}'))"


def declared_tables(zone: str) -> tuple[Table, ...]:
    """All tables that the sink fills, for a bank whose day starts at midnight in ``zone``."""
    day = Column("business_day", "Date32", business_day(zone), comment=f"Local day of occurred_at in {zone}", given=False)
    events = tuple(
        Table(
            name,
            f"Applied {name} events, one row each, from the journal",
            (*_commented(model_columns(MODELS[kind])), day, *_from_journal(), _RAW_BEFORE, _INGESTED),
            ("_partition", "_position"),
        )
        for kind, name in EVENT_TABLES.items()
    )
    snapshot = (*_SNAPSHOT, *metric_columns(), *_FROM_TOPIC, _UNKNOWN, _INGESTED)
    set_aside, coordinates = (*_SET_ASIDE, *_FROM_TOPIC, _INGESTED), ("_partition", "_offset")
    alert = (*_commented(model_columns(Alert)), day, *_FROM_TOPIC, *_ORIGIN)
    return (
        *events,
        Table("customer_metrics", "Every snapshot of every customer's metrics; money in minor units of currency", snapshot, ("customer_id", "revision")),
        Table("customer_metrics_latest", "The newest snapshot of each customer: read it through v_customers_latest", snapshot, ("customer_id",), latest=True),
        Table("alerts", "Every revision of every alert", alert, ("alert_id", "revision")),
        Table("alerts_latest", "The newest revision of each alert: read it through v_alerts_latest", alert, ("alert_id",), latest=True),
        Table("dead_letters", "Records that could not be applied, byte for byte, and why", set_aside, coordinates),
        Table("late_events", "Valid events that came after their day had left the horizon, byte for byte", set_aside, coordinates),
        Table("journal_records", "The journal as it came, one row a record: the original JSON of every event", _RECORD, coordinates),
    )


_INGESTED: Final = Column("_ingested_at", INSTANT, "now64(3, 'UTC')", comment="When the sink inserted the row", given=False)
_ORIGIN: Final = (Column("_raw", "String", codec="ZSTD(1)", comment="The original JSON, with fields that have no column"), _INGESTED)
_RAW_BEFORE: Final = Column(
    "_raw", "String", codec="ZSTD(1)", comment="The original JSON, where an earlier version stored the row; else empty: see v_original", given=False
)
_UNKNOWN: Final = Column("_unknown", "String", comment="Metrics that this version's dictionary does not have, as JSON")
_FROM_TOPIC: Final = (
    Column("_partition", "UInt32", comment="Partition of the topic"),
    Column("_offset", "UInt64", comment="Offset in the topic"),
)


def _from_journal() -> tuple[Column, ...]:
    return (
        Column("_partition", "UInt32", comment="Partition of the journal, and of the input topic"),
        Column("_position", "UInt64", comment="Entry in the journal's partition, counted from 0: what an alert's evidence refers to"),
        Column("_offset", "UInt64", comment="Offset in the input topic"),
        Column("_trace", "String", comment="W3C traceparent, where the record had one"),
    )


_SNAPSHOT: Final = (
    Column("customer_id", "String"),
    Column("as_of", INSTANT, comment="The metrics hold at this instant"),
    Column("business_day", "Date32", comment="Local day of as_of in the policy pack's zone"),
    Column("revision", "UInt64", comment="Rises by one with each snapshot of the customer"),
    Column("currency", "LowCardinality(String)", comment="Reporting currency; money is in its minor units"),
    Column("position", "UInt64", comment="Journal entries of the partition that the snapshot rests on"),
)
_SET_ASIDE: Final = (
    Column("topic", "LowCardinality(String)", comment="Input topic of the record"),
    Column("partition", "UInt32", comment="Partition of the record in that topic"),
    Column("offset", "UInt64", comment="Offset of the record in that topic"),
    Column("stage", "LowCardinality(String)", comment="Step that set it aside"),
    Column("reason", "LowCardinality(String)", comment="Stable code"),
    Column("message", "String", comment="What was wrong; holds no value of the record"),
    Column("field", "LowCardinality(String)", comment="Path of the offending field, if one"),
    Column("exception", "LowCardinality(String)", comment="Exception class, if a processor failed"),
    Column("set_aside_at", INSTANT, comment="When it was set aside, by the broker's clock"),
    Column("key_base64", "Nullable(String)", comment="The record's key"),
    Column("value_base64", "Nullable(String)", codec="ZSTD(1)", comment="The record's value"),
    Column("value_bytes", "UInt64", "intDiv(length(ifNull(value_base64, '')) * 3, 4)", comment="Size of the value, to two bytes", given=False),
    Column("headers_base64", "Array(Tuple(name String, value Nullable(String)))", comment="The record's own headers, in order"),
)

_RECORD: Final = (
    Column("first_position", "UInt64", comment="Journal position of the first event in it; those behind follow without a gap"),
    Column("last_position", "UInt64", comment="Journal position of the last event in it"),
    Column("lines", "String", codec="ZSTD(1)", comment="The record, byte for byte: a line an event, with the event's original JSON"),
    *_FROM_TOPIC,
    _INGESTED,
)

_COMMENTS: Final = {
    "event_id": "Unique per source for ever",
    "occurred_at": "When it happened, UTC",
    "source": "Upstream system",
    "amount": "In the transaction's own currency; direction tells which way",
    "value_at_stake": "Minor units of currency",
}


def _commented(columns: tuple[Column, ...]) -> tuple[Column, ...]:
    return tuple(Column(c.name, c.type, c.default, c.codec, _COMMENTS.get(c.name, c.comment), c.given) for c in columns)
