"""The page of questions: its statements and its printed answers."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parents[2] / "docs" / "questions.md"
Row = tuple[Any, ...]
NAMES = ("balance attrition", "complaints in time", "abandonment by hour", "silent wealthy customers", "overdue by bucket", "busiest outlets")


def statement(name: str) -> str:
    """The SQL of a question."""
    found = re.search(rf"```sql\n-- {name}\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert found, f"no statement of {name} in {PAGE.name}"
    return found[1]


def printed(name: str) -> str:
    """The answer as the page prints it."""
    found = re.search(rf"<!-- answer: {name} -->\n(.*?)<!-- end -->", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert found, f"no answer of {name} in {PAGE.name}"
    return found[1]


def table(columns: list[str], rows: list[Row]) -> str:
    """An answer as Markdown."""
    lines = [f"| {' | '.join(columns)} |", f"|{'---|' * len(columns)}"]
    return "\n".join([*lines, *(f"| {' | '.join(map(_cell, row))} |" for row in rows)]) + "\n"


def _cell(value: Any) -> str:
    if isinstance(value, Decimal):
        return f"{value:,.2f}"
    return f"{value:,}" if isinstance(value, int | float) else str(value)
