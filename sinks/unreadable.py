"""Which rows ClickHouse cannot even read, found without storing anything: for a batch whose insert keeps failing as if the server were at fault.

Rows are read into ``null(...)``: no disk, no table, no token. So a full disk, a table that may not be written and a lost
answer make no row suspect, and what is found can be left out of the insert under the insert's own token: nothing of it was
ever stored, since ClickHouse reads all of an insert before it stores any of it.
"""

from __future__ import annotations

from clickhouse_connect.driver.client import Client

from sinks.columns import literal
from sinks.errors import code_of
from sinks.tables import Table

_HARMLESS = b"{}"


def unreadable(client: Client, table: Table, rows: list[bytes], code: str) -> list[int]:
    """Positions of the rows that end in ``code`` each time they are read alone, while a row of nothing but defaults is read.

    Raises what ClickHouse answers to anything else: then it says nothing about the rows.
    """
    structure = ", ".join(f"`{column.name}` {column.type}" for column in table.columns if column.given)
    target = f"FUNCTION null({literal(structure)})"

    def fails(some: list[bytes]) -> bool:
        try:
            client.raw_insert(target, table.given, b"\n".join(some), fmt="JSONEachRow")
        except Exception as error:
            if code_of(error) != code:
                raise
            return True
        return False

    def search(first: int, end: int) -> list[int]:
        if first == end or not fails(rows[first:end]):
            return []
        if end - first > 1:
            middle = (first + end) // 2
            return search(first, middle) + search(middle, end)
        return [first] if not fails([_HARMLESS]) and fails(rows[first:end]) else []

    return search(0, len(rows))
