"""Reading delimited text files of an import: packed or not, found in folders or named, each row with its line number."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Iterator, Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path

from deploy.errors import UserError
from deploy.importers.ledger import BadRow, FileCount, Imported


class Table:
    """One file with a header. Iterating counts the rows; a row of another width than the header is counted as skipped."""

    def __init__(self, path: Path, imported: Imported) -> None:
        self.path = path
        text = _text_of(path)
        first = text.split("\n", 1)[0]
        self._delimiter = max("\t;,", key=first.count)
        self._text = text
        self.columns: tuple[str, ...] = tuple(next(csv.reader([first.rstrip("\r")], delimiter=self._delimiter), []))
        self.count = imported.files.setdefault(path.name, FileCount())

    def has(self, *columns: str) -> bool:
        """Whether the header has all these columns."""
        return set(columns) <= set(self.columns)

    def rows(self) -> Iterator[tuple[int, dict[str, str]]]:
        """Line number and row, cells stripped of white space around them."""
        reader = csv.reader(io.StringIO(self._text, newline=""), delimiter=self._delimiter)
        next(reader, None)
        width = len(self.columns)
        for cells in reader:
            if not cells:
                continue
            self.count.rows += 1
            if len(cells) != width:
                self.count.skip("the row has another number of cells than the header", reader.line_num)
                continue
            yield reader.line_num, dict(zip(self.columns, (cell.strip() for cell in cells), strict=True))

    def reference(self) -> Iterator[dict[str, str]]:
        """Rows that are looked up by others and become no event of their own."""
        for _, row in self.rows():
            self.count.reference += 1
            yield row


def open_tables(paths: Sequence[Path], imported: Imported, suffixes: tuple[str, ...]) -> list[Table]:
    """The tables at these paths; of a folder, every file with one of the suffixes, packed or not, by name. Raises UserError."""
    files: list[Path] = []
    for path in paths:
        if path.is_dir():
            files.extend(sorted(file for file in path.iterdir() if file.name.removesuffix(".gz").endswith(suffixes)))
        elif path.exists():
            files.append(path)
        else:
            raise UserError(f"{path}: no such file or folder", "give the folder of the data set, or its files")
    if not files:
        raise UserError(f"no {' or '.join(suffixes)} files (plain or .gz) at {', '.join(map(str, paths))}", "give the folder of the data set")
    twice = {file.name for file in files if sum(other.name == file.name for other in files) > 1}
    if twice:
        raise UserError(f"{sorted(twice)[0]} is given twice", "give each file once")
    return [Table(file, imported) for file in files]


def unknown_table(table: Table, known: str) -> UserError:
    """The error for a file whose header is none of the data set's."""
    return UserError(f"{table.path}:1: the header is none of this data set's", f"expected {known}")


def _text_of(path: Path) -> str:
    try:
        data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except (OSError, EOFError) as error:
        raise UserError(f"{path}: cannot read: {getattr(error, 'strerror', None) or error}", "check the file") from None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def decimal_amount(text: str, decimals: int = 2) -> Decimal:
    """An amount as written, brought to a number of decimals without rounding. Raises BadRow."""
    try:
        amount = Decimal(text)
        exact = amount.quantize(Decimal(1).scaleb(-decimals))
    except InvalidOperation:
        raise BadRow("an amount is not a decimal number") from None
    if not amount.is_finite() or exact != amount:
        raise BadRow("an amount has more decimals than the currency")
    return exact
