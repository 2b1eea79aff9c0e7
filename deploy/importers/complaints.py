"""Complaints: regulator's samples, a bank's complaint log joined to its call log, and narratives.

The files say when a complaint came in and when it was sent to the company, but not when it was answered: only whether in time.
An answer is therefore set on the earliest day that agrees with the file, and says so (``derived``): the day it was sent when timely,
else the day after the regulator's 15 days.
"""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from deploy.importers.complaint_codes import business_of, channel_of, reason_of
from deploy.importers.ledger import BadRow, FileCount, Imported
from deploy.importers.tables import Table, open_tables, unknown_table

_ZONE: Final = ZoneInfo("America/New_York")
_TIMELY_DAYS: Final = 15
_CALL_OUTCOME: Final = {"agent": "served", "hang": "abandoned", "phantom": "none", "unknown": "none"}
_UNDATED: Final = datetime(2016, 1, 1, tzinfo=_ZONE)
_NARRATIVE_LIMIT: Final = 4000
_AFTER_RECEIPT: Final = timedelta(seconds=60)


def import_complaints(paths: list[Path]) -> Imported:
    """Read the data set. Raises UserError for a file that is none of it."""
    imported = Imported("complaints")
    tables = open_tables(paths, imported, (".csv",))
    logs = [table for table in tables if table.has("complaint_id", "rand_client", "ser_start")]
    called: dict[str, datetime] = {}
    for table in logs:
        _calls(imported, table, called)
    for table in tables:
        if table in logs:
            continue
        if table.has("complaint_id", "client_id", "date_received"):
            _complaint_log(imported, table, called)
        elif table.has("Date received", "Product", "Issue"):
            _regulator_sample(imported, table)
        elif table.has("Consumer complaint narrative", "Product"):
            _narratives(imported, table)
        else:
            raise unknown_table(table, "a complaint sample, a complaint log, a call log or narratives")
    return imported


def _calls(imported: Imported, table: Table, called: dict[str, datetime]) -> None:
    """Every call is an interaction; the first one of a complaint is when it was received."""
    for line, row in table.rows():
        with table.count.row(line):
            outcome = _CALL_OUTCOME.get(row["outcome"].lower())
            if outcome is None:
                raise BadRow("the outcome is none of Agent, Hang, Phantom, Unknown")
            start = datetime.combine(_iso(row["date_received"]), datetime.min.time(), _ZONE) + _time_of_day(row["ser_start"])
            facts: dict[str, Any] = {"kind": "call", "channel": "phone", "outlet_id": "call-centre", "outcome": outcome}
            facts["initiator"] = "bank" if outcome == "none" and row["outcome"].lower() == "phantom" else "customer"
            if outcome == "served" or row["outcome"].lower() == "unknown":
                facts["handling_seconds"] = _number(row["service_seconds"])
            facts |= {name: row[name] for name in ("vru_line", "priority", "type", "server") if row[name]}
            client = _number(row["rand_client"])
            if client >= 0 and row["complaint_id"].startswith("CR"):
                facts["case_id"] = row["complaint_id"]
                called[row["complaint_id"]] = min(start, called.get(row["complaint_id"], start))
            customer = f"complaints-client-{client}" if client >= 0 else f"anonymous-call-log-{line}"
            imported.add(table.count, "interactions", start, f"complaints-call-{line}", customer, facts)


def _complaint_log(imported: Imported, table: Table, called: dict[str, datetime]) -> None:
    for line, row in table.rows():
        with table.count.row(line):
            case = row["complaint_id"]
            if not case or not row["client_id"].isdigit():
                raise BadRow("the complaint has no id or no client")
            received, sent = _day_first(row["date_received"]), _day_first(row["date_sent_to_company"])
            labels = {"response": row["company_response_to_consumer"], "timely_response": row["timely_response"]}
            facets = _facets(row["product"], row["issue"], row["submitted_via"]) | {
                name: text for name, text in (("product", row["product"]), ("sub_product", row["sub_product"]), ("issue", row["issue"])) if text
            }
            _life(imported, table.count, case, f"complaints-client-{int(row['client_id'])}", received, sent, called.get(case), facets, labels)


def _regulator_sample(imported: Imported, table: Table) -> None:
    """Complainants are not told apart in the file: each row is a customer of its own."""
    kept = ("Product", "Sub-product", "Issue", "Sub-issue", "Company", "State")
    for line, row in table.rows():
        with table.count.row(line):
            received, sent = _month_first(row["Date received"]), _month_first(row["Date sent to company"])
            labels = {
                "response": row["Company response to consumer"],
                "timely_response": row["Timely response?"],
                "consumer_disputed": row["Consumer disputed?"],
            }
            facets = _facets(row["Product"], row["Issue"], row["Submitted via"]) | {name.lower().replace("-", "_"): row[name] for name in kept if row[name]}
            _life(imported, table.count, f"{table.path.name.split('.')[0]}-{line}", f"anonymous-complaint-{line}", received, sent, None, facets, labels)


def _narratives(imported: Imported, table: Table) -> None:
    """No date in the file: both steps stand at one stated moment, marked undated, so that the text is there and no clock runs."""
    for line, row in table.rows():
        with table.count.row(line):
            text = row["Consumer complaint narrative"]
            if not text:
                raise BadRow("the narrative is empty")
            number = next((cell for name, cell in row.items() if not name), "") or str(line)
            case, customer = f"narrative-{number}", f"anonymous-narrative-{number}"
            common = {"case_id": case, "undated": True}
            facts = common | {"step": "received", "business": business_of(row["Product"]), "product": row["Product"], "channel": "regulator"}
            facts["narrative"] = text[:_NARRATIVE_LIMIT]
            if len(text) > _NARRATIVE_LIMIT:
                facts["narrative_continued"] = text[_NARRATIVE_LIMIT:]
            imported.add(table.count, "complaints", _UNDATED, f"{case}-received", customer, facts)
            imported.add(table.count, "complaints", _UNDATED, f"{case}-closed", customer, common | {"step": "closed", "derived": "the file has no dates"})


def _facets(product: str, issue: str, submitted_via: str) -> dict[str, Any]:
    return {"channel": channel_of(submitted_via), "business": business_of(product), "reason": reason_of(issue)}


def _life(
    imported: Imported,
    file: FileCount,
    case: str,
    customer: str,
    received: date,
    sent: date,
    call: datetime | None,
    facets: dict[str, Any],
    labels: dict[str, str],
) -> None:
    """Received, accepted when sent to the company, closed when it answered."""
    start = call if call is not None and call.date() == received else _midnight(received)
    accepted = max(_midnight(sent), start + _AFTER_RECEIPT)
    labels = {name: text for name, text in labels.items() if text}

    def step(when: datetime, name: str, facts: dict[str, Any]) -> None:
        imported.add(file, "complaints", when, f"{case}-{name}", customer, {"case_id": case, "step": name} | facts)

    step(start, "received", facets | labels)
    step(accepted, "accepted", {})
    if labels.get("response", "").startswith("Closed"):
        late = labels.get("timely_response") == "No"
        closed = _midnight(accepted.date() + timedelta(days=_TIMELY_DAYS + 1)) if late else accepted + _AFTER_RECEIPT
        step(closed, "closed", labels | {"derived": "earliest day that agrees with timely_response"})


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=_ZONE)


def _month_first(text: str) -> date:
    return _date(text, r"(?P<m>\d{1,2})/(?P<d>\d{1,2})/(?P<y>\d{4})")


def _day_first(text: str) -> date:
    return _date(text, r"(?P<d>\d{1,2})-(?P<m>\d{1,2})-(?P<y>\d{4})")


def _iso(text: str) -> date:
    return _date(text, r"(?P<y>\d{4})-(?P<m>\d\d)-(?P<d>\d\d)")


def _date(text: str, pattern: str) -> date:
    parts = re.fullmatch(pattern, text)
    try:
        if parts is not None:
            return date(int(parts["y"]), int(parts["m"]), int(parts["d"]))
    except ValueError:
        pass
    raise BadRow("a date is not in the file's format")


def _time_of_day(text: str) -> timedelta:
    parts = re.fullmatch(r"(?:\S+ )?(\d\d):(\d\d):(\d\d)", text)
    if parts is None:
        raise BadRow("a time of day is not hh:mm:ss")
    hours, minutes, seconds = map(int, parts.groups())
    return timedelta(hours=hours, minutes=minutes, seconds=seconds)


def _number(text: str) -> int:
    if not re.fullmatch(r"-?\d+(\.0+)?", text):
        raise BadRow("a number is not whole")
    return int(text.split(".")[0])
