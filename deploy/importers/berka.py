"""Berka: a real Czech bank, 1993 to 1998 (PKDD'99). Every transaction row becomes exactly one transaction event.

Dates have no time of day and the bookings of a day stand in no order: ``berka_bookings`` finds the order in which the balances
close, and they are set one second apart from local midnight.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

from deploy.errors import UserError
from deploy.importers.berka_bookings import Row, booked, read_row
from deploy.importers.berka_values import birth_of, date_of, due_days, midnight
from deploy.importers.ledger import BadRow, FileCount, Imported
from deploy.importers.tables import Table, decimal_amount, open_tables, unknown_table

#: A column that only this table has, and the table's name; a loan or card file also has columns of the others, so order matters.
_MARKS: Final = {
    "trans_id": "trans",
    "card_id": "card",
    "loan_id": "loan",
    "order_id": "order",
    "birth_number": "client",
    "frequency": "account",
    "disp_id": "disp",
    "A1": "district",
}
_REQUIRED: Final = ("client", "disp", "account", "trans")


def import_berka(paths: list[Path]) -> Imported:
    """Read the data set. Raises UserError when a file that others hang on is missing, or is no file of the data set."""
    imported = Imported("berka")
    tables: dict[str, list[Table]] = defaultdict(list)
    for table in open_tables(paths, imported, (".asc", ".csv")):
        name = next((name for column, name in _MARKS.items() if table.has(column)), None)
        if name is None:
            raise unknown_table(table, f"one of the tables {', '.join(_MARKS.values())}")
        tables[name].append(table)
    missing = [name for name in _REQUIRED if not tables[name]]
    if missing:
        raise UserError(f"berka: no {missing[0]} file among the paths", f"needed: {', '.join(_REQUIRED)}; used if there: district, card, order, loan")
    _Import(imported, tables).run()
    return imported


class _Import:
    def __init__(self, imported: Imported, tables: dict[str, list[Table]]) -> None:
        self._imported = imported
        self._tables = tables
        self._districts = {row["A1"]: row for row in self._reference("district")}
        self._dispositions = self._reference("disp")
        self._instalments = {row["account_id"]: row["amount"] for row in self._reference("order") if row["k_symbol"] == "UVER"}
        self._owner = {row["account_id"]: _customer(row["client_id"]) for row in self._dispositions if row["type"] == "OWNER"}
        self._opened: dict[str, date] = {}
        self._outlet: dict[str, str] = {}
        self._joined: dict[str, date] = {}
        self._account_of = {row["disp_id"]: row["account_id"] for row in self._dispositions}
        self._holder = {row["disp_id"]: _customer(row["client_id"]) for row in self._dispositions}

    def _reference(self, name: str) -> list[dict[str, str]]:
        return [row for table in self._tables[name] for row in table.reference()]

    def run(self) -> None:
        """Accounts before clients (a client joins with the first account), all before the transactions."""
        for table in self._tables["account"]:
            for line, row in table.rows():
                with table.count.row(line):
                    self._account(table.count, row)
        for row in self._dispositions:
            day = self._opened.get(row["account_id"])
            if day is not None:
                self._joined[row["client_id"]] = min(day, self._joined.get(row["client_id"], day))
        for name, step in (("client", self._client), ("card", self._card)):
            for table in self._tables[name]:
                for line, row in table.rows():
                    with table.count.row(line):
                        step(table.count, row)
        loans = [(table.count, line, row) for table in self._tables["loan"] for line, row in table.rows()]
        last_day = self._transactions({row["account_id"]: row["loan_id"] for _, _, row in loans})
        for file, line, row in loans:
            with file.row(line):
                self._loan(file, row, last_day)

    def _note(self, kind: str, account: str, amount: str, **more: Any) -> dict[str, Any]:
        facts = {"account_id": f"berka-account-{account}", "amount": amount, "currency": "CZK", "direction": "none", "kind": kind, "channel": "system"}
        outlet = self._outlet.get(account)
        return facts | ({"outlet_id": outlet} if outlet else {}) | more

    def _owner_of(self, account: str) -> str:
        if account not in self._owner:
            raise BadRow("the account has no owner among the dispositions")
        return self._owner[account]

    def _account(self, file: FileCount, row: dict[str, str]) -> None:
        account, day = row["account_id"], date_of(row["date"])
        owner = self._owner_of(account)
        self._opened[account] = day
        self._outlet[account] = _outlet(row["district_id"])
        facts = self._note("product_opened", account, "0.00", product_id="account", frequency=row["frequency"])
        self._imported.add(file, "transactions", midnight(day), f"berka-account-{account}", owner, facts)

    def _client(self, file: FileCount, row: dict[str, str]) -> None:
        client = row["client_id"]
        if client not in self._joined:
            raise BadRow("the client has no account among the dispositions")
        birth, sex = birth_of(row["birth_number"])
        facts: dict[str, Any] = {
            "change": "recorded",
            "nature": "individual",
            "birth_date": birth.isoformat(),
            "sex": sex,
            "outlet_id": _outlet(row["district_id"]),
            "joined_on": self._joined[client].isoformat(),
        }
        if row["district_id"] in self._districts:
            facts |= {"district": self._districts[row["district_id"]]["A2"], "district_region": self._districts[row["district_id"]]["A3"]}
        self._imported.add(file, "customers", midnight(self._joined[client]), f"berka-client-{client}", _customer(client), facts)

    def _card(self, file: FileCount, row: dict[str, str]) -> None:
        if row["disp_id"] not in self._holder:
            raise BadRow("the card's disposition is not among the dispositions")
        facts = self._note(
            "product_opened", self._account_of[row["disp_id"]], "0.00", product_id=f"card-{row['type']}", product_line="intermediary", card_id=row["card_id"]
        )
        issued = midnight(date_of(row["issued"].split(" ")[0]))
        self._imported.add(file, "transactions", issued, f"berka-card-{row['card_id']}", self._holder[row["disp_id"]], facts)

    def _transactions(self, loan_of: dict[str, str]) -> dict[str, date]:
        """Add every transaction; returns the last day of each account."""
        rows: list[Row] = []
        for table in self._tables["trans"]:
            for line, row in table.rows():
                with table.count.row(line):
                    self._owner_of(row["account_id"])
                    rows.append(read_row(table.count, row, row["account_id"] in loan_of))
        last_day: dict[str, date] = {}
        for place, each in booked(rows):
            last_day[each.account] = each.day
            occurred_at = midnight(each.day) + timedelta(seconds=place + 1)
            facts = each.facts(self._outlet.get(each.account), loan_of.get(each.account))
            self._imported.add(each.file, "transactions", occurred_at, f"berka-trans-{each.trans_id}", self._owner[each.account], facts)
        return last_day

    def _loan(self, file: FileCount, row: dict[str, str], last_day: dict[str, date]) -> None:
        """The loan as a product, and its schedule as far as the account's transactions reach beyond the day it was granted."""
        account, loan, granted = row["account_id"], f"berka-loan-{row['loan_id']}", date_of(row["date"])
        owner, months = self._owner_of(account), int(row["duration"])
        common = {"loan_id": loan, "product_line": "loan"}
        principal, instalment = str(decimal_amount(row["amount"])), str(decimal_amount(self._instalments.get(account, row["payments"])))
        facts = self._note("product_opened", account, principal, **common, product_id="loan", months=months, status_label=row["status"])
        self._imported.add(file, "transactions", midnight(granted), loan, owner, facts)
        for number, due in enumerate(due_days(granted, months), 1):
            if due > last_day.get(account, granted):
                break
            facts = self._note("instalment_due", account, instalment, **common, instalment=number, derived="from the loan's schedule")
            self._imported.add(file, "transactions", midnight(due) + timedelta(seconds=1), f"{loan}-due-{number}", owner, facts)


def _customer(client: str) -> str:
    return f"berka-client-{client}"


def _outlet(district: str) -> str:
    return f"berka-district-{district}"
