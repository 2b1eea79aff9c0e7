"""Who may do what in ClickHouse, as statements: for dashboards, for a branch's own dashboards, for the sink, for operators.

Applied by a migration where the server keeps users that SQL can make. Every statement may run twice. Views are read with the
reader's rights, so readers may read the tables, but not what a person wrote or what came in byte for byte: names are masked by
the upstream systems, free text and original records are not.

A branch's reader sees rows that name one of its outlets; of its own customers also those that name none (a payment by phone), their
metrics and their complaint cases, whole: a case of which only some steps are seen would be judged wrongly. A customer belongs to the
outlet of its profile as it stands.
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
#: A column's parts are columns of their own to ClickHouse: who may not read a tuple could still read its elements, who may not read a text
#: its length. These are the parts of a text or a day, and of columns that are made of several.
_PARTS: Final = ("size", "null")
_OWN_PARTS: Final = {
    "counterparty": ("account", "account.size", "bank", "bank.size", "country"),
    "headers_base64": ("size0", "name", "name.size", "value", "value.null", "value.size"),
}
#: Tables that are no dashboard's business.
INTERNAL: Final = ("sink_ranges", "migrations")
#: Tables whose rows name an outlet and a customer, by these columns.
_AT_OUTLET: Final = dict.fromkeys(("transactions", "interactions"), ("outlet_id", "customer_id")) | dict.fromkeys(
    ("alerts", "alerts_latest"), ("subject.outlet_id", "subject.customer_id")
)
_OF_CUSTOMER: Final = ("customers", "customer_metrics", "customer_metrics_latest", "complaints", "feedback")
_NOBODYS: Final = ("dead_letters", "late_events", "journal_records")
_READERS: Final = ("bi_reader", "bi_branch_reader")
_LIMITS: Final = "readonly = 1 READONLY, max_execution_time = 60 MIN 1 MAX 60 CHANGEABLE_IN_READONLY, max_memory_usage = 4000000000 READONLY"
#: The view of a branch reader's customers: read with nobody's rights, for a policy cannot ask the table that it stands on.
READER_CUSTOMERS: Final = "reader_customers"


@dataclass(frozen=True, slots=True)
class Grant:
    """One statement, and a name to write down that it ran."""

    name: str
    sql: str


def declared_roles(database: str) -> Iterator[Grant]:
    """Roles, grants and row policies, in order. ``bi_reader`` is made by the numbered files, with its limits."""
    yield Grant("role bi_branch_reader", "CREATE ROLE IF NOT EXISTS bi_branch_reader")
    yield Grant("role bi_branch_reader reads", f"GRANT SELECT ON {database}.* TO bi_branch_reader")
    for reader in _READERS:
        yield Grant(f"role {reader} limits", f"ALTER ROLE {reader} SETTINGS {_LIMITS}")
        for table in INTERNAL:
            yield Grant(f"role {reader} without {table}", f"REVOKE SELECT ON {database}.{table} FROM {reader}")
        for table, columns in WITHHELD.items():
            parts = (f"{column}.{part}" for column in columns for part in _OWN_PARTS.get(column, _PARTS))
            listed = ", ".join(f"`{column}`" for column in (*columns, *parts))
            yield Grant(f"role {reader} without {table}", f"REVOKE SELECT({listed}) ON {database}.{table} FROM {reader}")
    yield from _branch_policies(database)
    yield Grant("role sink_writer", "CREATE ROLE IF NOT EXISTS sink_writer")
    yield Grant("role sink_writer writes", f"GRANT SELECT, INSERT ON {database}.* TO sink_writer")
    yield Grant("role sink_writer tries", "GRANT CREATE TEMPORARY TABLE ON *.* TO sink_writer")  # to read rows into null(), see sinks/unreadable.py
    yield Grant("role operator", "CREATE ROLE IF NOT EXISTS operator")
    yield Grant("role operator changes", f"GRANT SELECT, INSERT, ALTER, CREATE, DROP, TRUNCATE, OPTIMIZE ON {database}.* TO operator")
    yield Grant("role operator makes tables", "GRANT TABLE ENGINE ON * TO operator")  # asked for where table_engines_require_grant is set


def _branch_policies(database: str) -> Iterator[Grant]:
    """Row policies of a branch's reader: the outlets that ``reader_outlets`` names for it, and their customers."""
    outlets = f"(SELECT outlet_id FROM {database}.reader_outlets WHERE reader = currentUser())"
    yield Grant(
        f"view {READER_CUSTOMERS}",
        f"CREATE OR REPLACE VIEW {database}.{READER_CUSTOMERS} SQL SECURITY NONE AS SELECT customer_id FROM (SELECT customer_id, argMaxIf(outlet_id,"
        f" (occurred_at, _position), outlet_id != '' AND change IN ('recorded', 'change_approved')) AS outlet FROM {database}.customers GROUP BY customer_id)"
        f" WHERE outlet IN {outlets} COMMENT 'Customers of the outlets of the branch reader who asks'",
    )
    theirs = f"(SELECT customer_id FROM {database}.{READER_CUSTOMERS})"
    rows = {table: f"{outlet} IN {outlets} OR ({outlet} = '' AND {customer} IN {theirs})" for table, (outlet, customer) in _AT_OUTLET.items()}
    rows |= dict.fromkeys(_OF_CUSTOMER, f"customer_id IN {theirs}")
    rows |= dict.fromkeys(_NOBODYS, "0")
    rows["reader_outlets"] = "reader = currentUser()"
    for table, condition in rows.items():
        yield Grant(
            f"policy {table} by outlet",
            f"CREATE ROW POLICY OR REPLACE by_outlet ON {database}.{table} FOR SELECT USING {condition} AS RESTRICTIVE TO bi_branch_reader",
        )
        yield Grant(f"policy {table} for all", f"CREATE ROW POLICY OR REPLACE every_row ON {database}.{table} FOR SELECT USING 1 TO ALL")
