"""What one insert sends: the bytes, their format, and how ClickHouse makes the table's columns of them.

Events go as the journal's own lines. ClickHouse parses each line into columns of plain types (``event.amount``), and turns those
into the table's: a dictionary is looked up for a column of many rows at once, where its parser would look for each value apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from clickhouse_connect.driver.client import Client

from sinks.columns import Column, literal
from sinks.lending import lent
from sinks.tables import Table

#: A column has its default by ``ifNull``, so nobody need note for each row which fields it left out.
_LINES: Final = {"input_format_import_nested_json": 1, "input_format_defaults_for_omitted_fields": 0}
#: Our columns of an event table, by where a journal's line has them.
_OURS: Final = {"_position": ("position", "UInt64"), "_offset": ("offset", "UInt64"), "_trace": ("trace", "String")}


@dataclass(frozen=True, slots=True)
class Reading:
    """``structure`` is what the bytes hold; ``expressions`` make the columns of it. The table's defaults hold only for columns not named."""

    structure: str
    expressions: str


@dataclass(frozen=True, slots=True)
class Load:
    """``pieces`` follow each other as they are. Without ``reading`` they hold the table's own columns."""

    columns: tuple[str, ...]
    form: str
    pieces: Sequence[Any]
    reading: Reading | None = None


def of_lines(table: Table, partition: int, pieces: Sequence[Any]) -> Load:
    """Lines of the journal, all of the table's kind. Not more rows than go into one block: see ``send``."""
    reading = _reading(table.columns)
    return Load(
        ("_partition", *(column.name for column in _read(table.columns))),
        "JSONEachRow",
        pieces,
        Reading(reading.structure, f"{partition}, {reading.expressions}"),
    )


def send(client: Client, target: str, load: Load, rows: int, settings: dict[str, Any]) -> None:
    """One INSERT of one block. ``settings`` are of this statement. Raises what clickhouse-connect raises."""
    embedded = client.uri.startswith("chdb:")
    names = ", ".join(f"`{name}`" for name in load.columns)
    if load.reading is None:
        if not embedded:
            client.raw_insert(target, load.columns, b"".join(load.pieces), fmt=load.form, settings=settings)
            return
        with lent(load.pieces) as path:
            client.command(f"INSERT INTO {target} ({names}) FROM INFILE {literal(path)} SETTINGS {_listed(settings)} FORMAT {load.form}")
        return
    settings = settings | _one_block(rows) | _LINES
    structure = literal(load.reading.structure)
    if not embedded:
        source = f"{target} ({names}) SELECT {load.reading.expressions} FROM input({structure})"
        client.raw_insert(source, None, b"".join(load.pieces), fmt=load.form, settings=settings)
        return
    with lent(load.pieces) as path:
        source = f"file({literal(path)}, '{load.form}', {structure})"
        client.command(f"INSERT INTO {target} ({names}) SETTINGS {_listed(settings)} SELECT {load.reading.expressions} FROM {source}")


def _listed(settings: dict[str, Any]) -> str:
    return ", ".join(f"{name} = {literal(value) if isinstance(value, str) else value}" for name, value in settings.items())


def _one_block(rows: int) -> dict[str, int]:
    """So that a token stands for all of an insert: a block that is read, and one that is written, hold at least so many rows."""
    most = max(rows, 65_536)
    return {"max_block_size": most, "max_insert_block_size": most, "min_insert_block_size_rows": most, "min_insert_block_size_bytes": 0, "max_threads": 1}


def _read(columns: Sequence[Column]) -> list[Column]:
    return [column for column in columns if column.given and column.name != "_partition"]


@cache
def _reading(columns: tuple[Column, ...]) -> Reading:
    held, made = [], []
    for column in _read(columns):
        name, kind = _OURS.get(column.name) or (f"event.{column.name}", column.type.replace("LowCardinality(String)", "String"))
        if column.default:  # of a field that is not stated, or null
            kind = f"Nullable({kind})"
            made.append(f"ifNull(`{name}`, {column.default})")
        else:
            made.append(f"`{name}`")
        held.append(f"`{name}` {kind}")
    return Reading(", ".join(held), ", ".join(made))
