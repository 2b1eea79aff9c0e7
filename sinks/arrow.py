"""Events as one Arrow record batch: parsed once, in C++, into the very types of the table's columns.

Arrow's JSON reader refuses what it does not read exactly (a field twice, a number for a text, a decimal too many): the whole
batch then goes as JSON rows. It takes the fields that it is asked for and passes over all others, wherever they stand.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final

import pyarrow
import pyarrow.compute as compute
import pyarrow.json

from sinks.columns import INSTANT, MONEY, Column

_INSTANT: Final = pyarrow.timestamp("ns", "UTC")  # holds every digit and every year that the contract allows; ClickHouse cuts it to milliseconds
_PLAIN: Final[dict[str, Any]] = {
    "String": pyarrow.string(),
    "LowCardinality(String)": pyarrow.string(),
    "Bool": pyarrow.bool_(),
    "Int64": pyarrow.int64(),
    "UInt32": pyarrow.uint32(),
    "UInt64": pyarrow.uint64(),
    "Float64": pyarrow.float64(),
    "Date32": pyarrow.string(),  # the JSON reader knows no days: made of the text
    INSTANT: _INSTANT,
    MONEY: pyarrow.decimal128(19, 4),
}
_NULLABLE: Final = re.compile(r"Nullable\((.*)\)").fullmatch
_TUPLE: Final = re.compile(r"Tuple\((.*)\)").fullmatch
_LARGEST: Final = 2**31 - 2**20  # Arrow counts a text's bytes in 31 bits


def stream(columns: tuple[Column, ...], texts: Sequence[bytes], ours: Mapping[str, Sequence[Any]]) -> bytes | None:
    """An Arrow stream of one record batch, a row a text, for the columns that an insert names; None where a text cannot be read exactly.

    ``texts`` are JSON objects. ``ours`` gives the columns that do not come from them: a field of that name is passed over.
    """
    types = _types(columns)
    if types is None or sum(map(len, texts)) > _LARGEST:
        return None
    try:
        table = _read(pyarrow.schema([(name, kind) for name, kind in types.items() if name not in ours]), texts)
        for place, name in enumerate(table.column_names):
            if name in _days(columns):
                table = table.set_column(place, name, table.column(place).cast(pyarrow.date32()))
            elif types[name] == _INSTANT and (compute.min(table.column(place)).value or 0) < 0:
                table = table.set_column(place, name, compute.floor_temporal(table.column(place), unit="millisecond"))  # ClickHouse cuts towards 1970
    except (pyarrow.ArrowInvalid, pyarrow.ArrowNotImplementedError):
        return None
    if len(table) != len(texts):
        return None
    for name, values in ours.items():
        table = table.append_column(name, pyarrow.array(values, pyarrow.binary() if name == "_raw" else types[name]))
    return _one_batch(table)


def _read(schema: Any, texts: Sequence[bytes]) -> Any:
    lines = b"\n".join(text if b"\n" not in text else text.replace(b"\n", b" ") for text in texts) + b"\n"
    return pyarrow.json.read_json(
        pyarrow.BufferReader(lines),
        read_options=pyarrow.json.ReadOptions(use_threads=False, block_size=len(lines) + 1),
        parse_options=pyarrow.json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="ignore"),
    )


def _one_batch(table: Any) -> bytes:
    """One insert is one block, so that its token stands for all of it."""
    [batch] = table.combine_chunks().to_batches()
    sink = pyarrow.BufferOutputStream()
    with pyarrow.ipc.new_stream(sink, batch.schema) as out:
        out.write_batch(batch)
    return bytes(sink.getvalue())


@cache
def _types(columns: tuple[Column, ...]) -> dict[str, Any] | None:
    """The Arrow type of each column that an insert names; None if one has none."""
    types = {column.name: _type(column.type) for column in columns if column.given}
    return None if None in types.values() else types


@cache
def _days(columns: tuple[Column, ...]) -> frozenset[str]:
    return frozenset(column.name for column in columns if column.given and column.type in ("Date32", "Nullable(Date32)"))


def _type(name: str) -> Any:
    if (inner := _NULLABLE(name)) is not None:
        return _type(inner[1])
    if (inner := _TUPLE(name)) is not None:
        fields = [field.split(" ", 1) for field in inner[1].split(", ")]
        kinds = [(field, _PLAIN.get(kind)) for field, kind in fields]
        return None if any(kind is None for _, kind in kinds) else pyarrow.struct(kinds)
    return _PLAIN.get(name)
