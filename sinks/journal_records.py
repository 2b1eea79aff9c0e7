"""The journal's records as they came, a row a record: where the original JSON of every event is kept, once.

An event's table is sorted by customer; its original text there had to be sorted, compressed and merged with it, which was half
of what a row cost. Here the lines stay in the order in which they come, and are found by partition and position.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from struct import Struct
from typing import Final

import msgspec

from sinks.loads import Load
from sinks.tables import Table

_COLUMNS: Final = ("_partition", "_offset", "first_position", "last_position", "lines")
_numbers: Final = Struct("<IQQQ").pack
_position: Final = re.compile(rb'\{"kind":"\w+","position":(\d+),')
_quote: Final = msgspec.json.encode


class JournalRecords:
    """Records of one partition of the journal."""

    def __init__(self, partition: int) -> None:
        self.partition = partition
        self._records: list[tuple[int, int, int, bytes]] = []

    def __len__(self) -> int:
        return len(self._records)

    def add(self, offset: int, value: bytes, first: int, last: int) -> None:
        """Take the next record, with the positions of its first and last line."""
        self._records.append((offset, first, last, value))

    def load(self, table: Table) -> Load:  # noqa: ARG002  asked as events are, whose columns are the table's
        """All records at once, for ClickHouse to read."""
        return Load(_COLUMNS, "RowBinary", list(self._pieces()))

    def rows(self) -> list[bytes]:
        """Each record as a JSON object."""
        return [
            _quote({"first_position": first, "last_position": last, "lines": value.decode(), "_partition": self.partition, "_offset": offset})
            for offset, first, last, value in self._records
        ]

    def _pieces(self) -> Iterator[bytes]:
        for offset, first, last, value in self._records:
            yield _numbers(self.partition, offset, first, last) + _length(len(value))
            yield value


def positions(value: bytes) -> tuple[int, int] | None:
    """Of the first and the last line of a record, without a look at those in between; None where it is not of the common form."""
    first, last = _position.match(value), _position.match(value, value.rfind(b"\n") + 1)
    return (int(first[1]), int(last[1])) if first and last else None


def _length(number: int) -> bytes:
    """As RowBinary has it before a text: seven bits a byte, the lowest first."""
    made = bytearray()
    while number > 127:
        made.append(number & 127 | 128)
        number >>= 7
    made.append(number)
    return bytes(made)
