"""What an error of ClickHouse means for an insert: try again, the rows are at fault, or somebody must look.

Which codes mean "try again" is an explicit list. Everything else that is about the tables or the rights stops the sink, since
it would refuse every row; what is left is about the rows.
"""

from __future__ import annotations

from enum import Enum
from typing import Final

import urllib3
from clickhouse_connect.driver.exceptions import DatabaseError, OperationalError


class Fate(Enum):
    """What to do about an error."""

    RETRY = "retry"  # the server is away, busy or short of something: the same insert, later
    ROWS = "rows"  # at least one row cannot be stored
    STOP = "stop"  # no row can be stored until a person has looked


RETRIABLE: Final[dict[int, str]] = {
    3: "UNEXPECTED_END_OF_FILE",
    75: "CANNOT_WRITE_TO_FILE_DESCRIPTOR",  # a disk that somebody else filled
    76: "CANNOT_OPEN_FILE",
    107: "FILE_DOESNT_EXIST",
    159: "TIMEOUT_EXCEEDED",
    173: "CANNOT_ALLOCATE_MEMORY",
    201: "QUOTA_EXCEEDED",
    202: "TOO_MANY_SIMULTANEOUS_QUERIES",
    203: "NO_FREE_CONNECTION",
    209: "SOCKET_TIMEOUT",
    210: "NETWORK_ERROR",
    236: "ABORTED",
    241: "MEMORY_LIMIT_EXCEEDED",
    242: "TABLE_IS_READ_ONLY",
    243: "NOT_ENOUGH_SPACE",
    252: "TOO_MANY_PARTS",
    285: "TOO_FEW_LIVE_REPLICAS",
    319: "UNKNOWN_STATUS_OF_INSERT",
    394: "QUERY_WAS_CANCELLED",
    425: "SYSTEM_ERROR",
    473: "DEADLOCK_AVOIDED",
    999: "KEEPER_EXCEPTION",
    1001: "STD_EXCEPTION",  # the file system's own errors, mostly
}
#: Codes of RETRIABLE that a row may cause as well: after so many equal failures in a row the batch is read without being stored, to find out.
PERHAPS_A_ROW: Final = frozenset({"3", "1001"})
SUSPECT_AFTER: Final = 8
NOT_ABOUT_ROWS: Final[dict[int, str]] = {
    8: "THERE_IS_NO_COLUMN",
    10: "NOT_FOUND_COLUMN_IN_BLOCK",
    16: "NO_SUCH_COLUMN_IN_TABLE",
    36: "BAD_ARGUMENTS",
    47: "UNKNOWN_IDENTIFIER",
    48: "NOT_IMPLEMENTED",
    60: "UNKNOWN_TABLE",
    62: "SYNTAX_ERROR",
    73: "UNKNOWN_FORMAT",
    81: "UNKNOWN_DATABASE",
    115: "UNKNOWN_SETTING",
    164: "READONLY",  # the user may only read; a replica that lost its keeper says 242
    192: "UNKNOWN_USER",
    193: "WRONG_PASSWORD",
    194: "REQUIRED_PASSWORD",
    218: "TABLE_IS_DROPPED",
    452: "SETTING_CONSTRAINT_VIOLATION",
    497: "ACCESS_DENIED",
    516: "AUTHENTICATION_FAILED",
}


def code_of(error: BaseException) -> str:
    """The ClickHouse code in decimal, or ``connection`` when no server answered: bounded, fit for a label."""
    code = getattr(error, "code", None)
    return str(code) if isinstance(code, int) else "connection"


def fate_of(error: BaseException) -> Fate:
    """What to do about an error of an insert or a query. Without a code no ClickHouse answered, but a network or a proxy: retry."""
    code = getattr(error, "code", None)
    if isinstance(code, int):
        if code in RETRIABLE:
            return Fate.RETRY
        return Fate.STOP if code in NOT_ABOUT_ROWS else Fate.ROWS
    return Fate.RETRY if isinstance(error, (OperationalError, DatabaseError, urllib3.exceptions.HTTPError, OSError)) else Fate.STOP


def summary(error: BaseException) -> str:
    """The error for a log: its class and code. The server's text may quote a row, so it is left out."""
    code = getattr(error, "code", None)
    name = RETRIABLE.get(code) or NOT_ABOUT_ROWS.get(code) if isinstance(code, int) else None
    label = getattr(error, "name", None) or name or type(error).__name__
    return f"{label} (code {code})" if isinstance(code, int) else str(label)
