"""Who may do what in ClickHouse, as statements: for dashboards, for a branch's own dashboards, for the sink, for operators.

Applied by a migration where the server keeps users that SQL can make. Every statement may run twice. Views are read with the
reader's rights, so readers may read the tables, but not what a person wrote or what came in byte for byte: names are masked by
the upstream systems, free text and original records are not.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

#: Columns that no reader of dashboards needs, and that may hold a person's words or data.
WITHHELD: Final[dict[str, tuple[str, ...]]] = {
    "transactions": ("_raw", "description", "counterparty"),
    "complaints": ("_raw", "narrative"),
    "interactions": ("_raw", "topic"),
    "customers": ("_raw", "reason", "birth_date"),
    "feedback": ("_raw",),
    "alerts": ("_raw",),
    "alerts_latest": ("_raw",),
    "dead_letters": ("key_base64", "value_base64", "headers_base64"),
    "late_events": ("key_base64", "value_base64", "headers_base64"),
    "journal_records": ("lines",),
}
_OUTLET: Final = dict.fromkeys(("transactions", "complaints", "interactions", "customers"), "outlet_id") | dict.fromkeys(
    ("alerts", "alerts_latest"), "subject.outlet_id"
)
_READERS: Final = ("bi_reader", "bi_branch_reader")


@dataclass(frozen=True, slots=True)
class Grant:
    """One statement, and a name to write down that it ran."""

    name: str
    sql: str


def declared_roles(database: str) -> Iterator[Grant]:
    """Roles, grants and row policies, in order. ``bi_reader`` is made by the numbered files, with its limits."""
    limits = "readonly = 1 READONLY, max_execution_time = 60 CHANGEABLE_IN_READONLY, max_memory_usage = 4000000000 READONLY"
    yield Grant("role bi_branch_reader", f"CREATE ROLE IF NOT EXISTS bi_branch_reader SETTINGS {limits}")
    yield Grant("role bi_branch_reader reads", f"GRANT SELECT ON {database}.* TO bi_branch_reader")
    for reader in _READERS:
        for table, columns in WITHHELD.items():
            listed = ", ".join(f"`{column}`" for column in columns)
            yield Grant(f"role {reader} without {table}", f"REVOKE SELECT({listed}) ON {database}.{table} FROM {reader}")
    yield from _branch_policies(database)
    yield Grant("role sink_writer", "CREATE ROLE IF NOT EXISTS sink_writer")
    yield Grant("role sink_writer writes", f"GRANT SELECT, INSERT ON {database}.* TO sink_writer")
    yield Grant("role sink_writer tries", "GRANT CREATE TEMPORARY TABLE ON *.* TO sink_writer")  # to read rows into null(), see sinks/unreadable.py
    yield Grant("role operator", "CREATE ROLE IF NOT EXISTS operator")
    yield Grant("role operator changes", f"GRANT SELECT, INSERT, ALTER, CREATE, DROP, TRUNCATE, OPTIMIZE ON {database}.* TO operator")


def _branch_policies(database: str) -> Iterator[Grant]:
    """A branch's reader sees the rows of the outlets that ``reader_outlets`` names for it, and the customers of those outlets."""
    outlets = f"(SELECT outlet_id FROM {database}.reader_outlets WHERE reader = currentUser())"
    rows = {table: f"{column} IN {outlets}" for table, column in _OUTLET.items()}
    theirs = f"(SELECT customer_id FROM {database}.customers WHERE outlet_id IN {outlets})"
    rows |= dict.fromkeys(("customer_metrics", "customer_metrics_latest", "feedback"), f"customer_id IN {theirs}")
    rows |= dict.fromkeys(("dead_letters", "late_events", "journal_records"), "0")  # nobody's outlet
    for table, condition in rows.items():
        yield Grant(
            f"policy {table} by outlet",
            f"CREATE ROW POLICY OR REPLACE by_outlet ON {database}.{table} FOR SELECT USING {condition} AS RESTRICTIVE TO bi_branch_reader",
        )
        yield Grant(f"policy {table} for all", f"CREATE ROW POLICY OR REPLACE every_row ON {database}.{table} FOR SELECT USING 1 TO ALL")
