"""Importers on the real data sets, where they are: every row accounted for, every event valid and with an id of its own."""

from __future__ import annotations

import json
import os
from decimal import Decimal
from functools import cache
from pathlib import Path

import pytest

from deploy.importers import IMPORTERS, Imported
from schemas.codec import decode
from schemas.topics import load_registry

DATA = Path(os.environ.get("FENGHUO_DATA", Path(__file__).parents[2] / ".." / "shared" / "data"))
KINDS = {topic.short: kind for kind, topic in load_registry().inputs.items()}


@cache
def imported(name: str, folder: str) -> Imported:
    if not (DATA / folder).is_dir():
        pytest.skip(f"no {folder} in {DATA}: set FENGHUO_DATA to the folder of the real data sets")
    return IMPORTERS[name]([DATA / folder])


@pytest.mark.parametrize(("name", "folder"), [("berka", "berka"), ("complaints", "complaints"), ("call-centre", "callcenter")])
def test_every_row_of_the_data_set_is_accounted_for_and_every_event_is_valid(name: str, folder: str) -> None:
    found = imported(name, folder)
    for file in found.files.values():
        assert file.rows > 0
        assert file.rows == file.written + file.reference + file.skipped.total()
    assert not any(file.skipped for file in found.files.values())
    ids: set[str] = set()
    before = None
    for line in found.lines():
        if line.key is None:
            continue
        event = decode(KINDS[line.topic], line.key.encode(), line.value)
        assert before is None or event.occurred_at >= before
        before = event.occurred_at
        ids.add(event.event_id)
    assert len(ids) == len(found)


def test_berka_balances_close_but_for_the_rounding_of_the_source() -> None:
    balances: dict[str, Decimal] = {}
    closing = 0
    gaps: set[str] = set()
    repayment_days: set[str] = set()
    for line in imported("berka", "berka").lines():
        event = json.loads(line.value)
        if "balance_after" not in event:
            continue
        change = Decimal(event["amount"]) * (1 if event["direction"] == "in" else -1)
        account, after = event["account_id"], Decimal(event["balance_after"])
        if account in balances:
            if abs(balances[account] + change - after) <= Decimal("0.10"):
                closing += 1
            else:
                gaps.add(event["occurred_at"][:10])
        balances[account] = after
        if event["kind"] == "loan_repayment":
            repayment_days.add(event["occurred_at"][8:10])
    assert closing > 60_000
    assert gaps <= {"1994-03-31"}  # the extract ends within that day: some of its rows are not in the file
    assert repayment_days == {"12"}
