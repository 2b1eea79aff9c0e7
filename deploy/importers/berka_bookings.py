"""Berka's transaction rows: read one by one, given back per account in the order in which they were booked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Any

from deploy.importers.berka_codes import CODES, booking_kind
from deploy.importers.berka_values import date_of, koruna
from deploy.importers.day_order import Booking, in_booking_order
from deploy.importers.ledger import BadRow, FileCount
from deploy.importers.tables import decimal_amount


@dataclass(slots=True)
class Row:
    """One transaction row; amounts in halers."""

    file: FileCount
    trans_id: int
    account: str
    day: date
    incoming: bool
    kind: str
    channel: str
    amount: int
    balance: int
    as_written: dict[str, Any]

    def facts(self, outlet: str | None, loan: str | None) -> dict[str, Any]:
        """The event's facts; codes and counterparty stay beside them as written."""
        facts: dict[str, Any] = {
            "account_id": f"berka-account-{self.account}",
            "amount": koruna(self.amount),
            "currency": "CZK",
            "direction": "in" if self.incoming else "out",
            "kind": self.kind,
            "channel": self.channel,
            "balance_after": koruna(self.balance),
        }
        if outlet is not None:
            facts["outlet_id"] = outlet
        if self.kind == "loan_repayment":
            facts["loan_id"] = f"berka-loan-{loan}"
        return facts | self.as_written


def read_row(file: FileCount, row: dict[str, str], has_loan: bool) -> Row:
    """Raises BadRow for a row that is no booking."""
    side, operation, symbol = CODES.get(row["type"]), CODES.get(row["operation"]), CODES.get(row["k_symbol"])
    if not side or operation is None or symbol is None:
        raise BadRow("the transaction has an unknown type, operation or k_symbol")
    if not row["trans_id"].isdigit():
        raise BadRow("trans_id is not a number")
    amount, balance = (int(decimal_amount(row[name]).scaleb(2)) for name in ("amount", "balance"))
    if amount < 0:
        raise BadRow("the amount is negative")
    kind, channel = booking_kind(side == "in", operation, symbol, has_loan)
    as_written: dict[str, Any] = {name: row[name] for name in ("type", "operation", "k_symbol") if row[name]}
    other_side = {name: row[name] for name in ("bank", "account") if row[name].strip("0")}
    if other_side:
        as_written["counterparty"] = other_side
    return Row(file, int(row["trans_id"]), row["account_id"], date_of(row["date"]), side == "in", kind, channel, amount, balance, as_written)


def booked(rows: list[Row]) -> Iterator[tuple[int, Row]]:
    """Each row with its place (from 1) among its account's bookings of that day."""
    rows.sort(key=lambda row: (row.account, row.day, row.trans_id))
    for _, of_account in groupby(rows, key=lambda row: row.account):
        balance: int | None = None
        for _, group in groupby(of_account, key=lambda row: row.day):
            of_day = list(group)
            for place, index in enumerate(in_booking_order([Booking(row.amount if row.incoming else -row.amount, row.balance) for row in of_day], balance), 1):
                balance = of_day[index].balance
                yield place, of_day[index]
