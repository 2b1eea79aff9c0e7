"""A real bank's call centre, January to April 1999: every call becomes one interaction."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from deploy.importers.ledger import BadRow, FileCount, Imported
from deploy.importers.tables import open_tables, unknown_table

_ZONE: Final = ZoneInfo("Asia/Jerusalem")
_COLUMNS: Final = ("vru+line", "call_id", "customer_id", "date", "vru_entry", "vru_time", "q_start", "q_time", "outcome", "ser_time", "server", "type")
#: HANG is a caller who hung up before being served; PHANTOM a call that the switch recorded and nobody made.
_OUTCOME: Final = {"AGENT": "served", "HANG": "abandoned", "PHANTOM": "none"}
_NOT_QUEUED: Final = "0:00:00"
_TIME: Final = re.compile(r"(\d{1,2}):(\d\d):(\d\d)")


def import_call_centre(paths: list[Path]) -> Imported:
    """Read the data set. Raises UserError for a file that is none of it."""
    imported = Imported("call-centre")
    for table in open_tables(paths, imported, (".txt",)):
        if not table.has(*_COLUMNS):
            raise unknown_table(table, f"the columns {', '.join(_COLUMNS)}")
        for line, row in table.rows():
            with table.count.row(line):
                _add_call(imported, table.count, row)
    return imported


def _add_call(imported: Imported, file: FileCount, row: dict[str, str]) -> None:
    outcome = _OUTCOME.get(row["outcome"])
    if outcome is None:
        raise BadRow("the outcome is none of AGENT, HANG, PHANTOM")
    call = f"{row['date']}-{row['vru+line']}-{row['call_id']}"
    identified = row["customer_id"].isdigit() and int(row["customer_id"]) > 0
    queued, served = row["q_start"] != _NOT_QUEUED, row["outcome"] == "AGENT"
    facts: dict[str, Any] = {
        "kind": "call",
        "channel": "phone",
        "outlet_id": "call-centre",
        "initiator": "bank" if row["outcome"] == "PHANTOM" else "customer",
        "outcome": outcome,
        "vru_line": row["vru+line"],
        "vru_seconds": _seconds(row["vru_time"]),
        "service_type": row["type"],
        "server": row["server"],
    }
    if queued or served:
        facts["wait_seconds"] = _not_negative(row["q_time"])
    if served:
        facts["handling_seconds"] = _not_negative(row["ser_time"])
    if row["outcome"] == "PHANTOM":
        facts["phantom"] = True
    customer = f"call-centre-{int(row['customer_id'])}" if identified else f"anonymous-call-{call}"
    imported.add(file, "interactions", _moment(row["date"], row["vru_entry"]), f"call-centre-{call}", customer, facts)


def _seconds(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise BadRow("a duration is not a whole number of seconds") from None


def _not_negative(text: str) -> int:
    seconds = _seconds(text)
    if seconds < 0:
        raise BadRow("a wait or service time is negative")
    return seconds


def _moment(day: str, time: str) -> datetime:
    parts = _TIME.fullmatch(time)
    try:
        midnight = datetime(1900 + int(day[:2]), int(day[2:4]), int(day[4:6]), tzinfo=_ZONE)
    except ValueError:
        raise BadRow("the date is not YYMMDD") from None
    if parts is None:
        raise BadRow("the time is not h:mm:ss")
    hours, minutes, seconds = map(int, parts.groups())
    return midnight + timedelta(hours=hours, minutes=minutes, seconds=seconds)
