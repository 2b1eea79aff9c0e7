"""Events as one Arrow record batch: parsed once, in C++, into the very types of the table's columns.

Arrow's JSON reader refuses what it does not read exactly (a field twice, a number for a text, a decimal too many): the whole
batch then goes as JSON rows. It takes the fields that it is asked for and passes over all others, wherever they stand.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any, Final, NamedTuple

import pyarrow
import pyarrow.compute as compute
import pyarrow.json

from sinks.columns import INSTANT, MONEY, Column
from sinks.lines import LARGEST

_INSTANT: Final = pyarrow.timestamp("ns", "UTC")  # holds every digit and every year that the contract allows
_STORED_INSTANT: Final = pyarrow.timestamp("ms", "UTC")
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


class Stream(NamedTuple):
    """An Arrow stream of one record batch, and the columns that it holds: what an insert of it names."""

    names: tuple[str, ...]
    data: bytes


def stream(columns: tuple[Column, ...], texts: Any, ours: Mapping[str, Any]) -> Stream | None:
    """The columns that an insert may name, a row a text, save those that no row states: None where a text cannot be read exactly.

    ``texts`` is an Arrow array of JSON objects, without a line feed in any. ``ours`` gives the columns that do not come from them,
    as Arrow arrays: a field of that name is passed over.
    """
    types = _types(columns)
    if types is None or texts.nbytes > LARGEST:
        return None
    try:
        table = _read(pyarrow.schema([(name, kind) for name, kind in types.items() if name not in ours]), texts)
        for place, name in enumerate(table.column_names):
            if name in _days(columns):
                table = table.set_column(place, name, table.column(place).cast(pyarrow.date32()))
            elif types[name] == _INSTANT:
                table = table.set_column(place, name, _milliseconds(table.column(place)))
    except (pyarrow.ArrowInvalid, pyarrow.ArrowNotImplementedError):
        return None
    if len(table) != len(texts):
        return None
    for name, values in ours.items():
        table = table.append_column(name, values)
    return _one_batch(table)


def _read(schema: Any, texts: Any) -> Any:
    whole = pyarrow.ListArray.from_arrays(pyarrow.array([0, len(texts)], pyarrow.int32()), texts)
    lines = compute.binary_join(whole, b"\n")[0].as_buffer()
    return pyarrow.json.read_json(
        pyarrow.BufferReader(lines),
        read_options=pyarrow.json.ReadOptions(use_threads=False, block_size=len(lines) + 1),
        parse_options=pyarrow.json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="ignore"),
    )


def _milliseconds(instants: Any) -> Any:
    """Cut to what a column holds: down, where a cast cuts towards 1970."""
    if (compute.min(instants).value or 0) < 0:
        instants = compute.floor_temporal(instants, unit="millisecond")
    return instants.cast(_STORED_INSTANT, safe=False)


def _one_batch(table: Any) -> Stream:
    """One insert is one block, so that its token stands for all of it.

    A column without a value takes its default without being sent, and one that says it has no null is read without looking for
    them: together a sixth of what an insert costs.
    """
    stated = [name for name in table.column_names if table.column(name).null_count < len(table)]
    fields = [pyarrow.field(name, table.column(name).type, nullable=table.column(name).null_count > 0) for name in stated]
    full = pyarrow.Table.from_arrays([table.column(name) for name in stated], schema=pyarrow.schema(fields))
    [batch] = full.combine_chunks().to_batches()
    sink = pyarrow.BufferOutputStream()
    with pyarrow.ipc.new_stream(sink, batch.schema) as out:
        out.write_batch(batch)
    return Stream(tuple(stated), bytes(sink.getvalue()))


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
