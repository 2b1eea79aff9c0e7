"""The titles of every column of every view, as a view: what a dashboard takes its labels from."""

from __future__ import annotations

from collections.abc import Sequence

from sinks.columns import literal
from sinks.views.view import View

_COLUMNS = ("view", "column", "title_zh", "title_en", "definition", "unit")
_TITLED = ("title_zh", "title_en")


def dictionary_view(views: Sequence[View]) -> View:
    """One row for each column of ``views``."""
    rows = []
    for view in views:
        for column in view.columns:
            title = view.title(column)
            rows.append(f"({', '.join(literal(text) for text in (view.name, column, title.zh, title.en, title.definition, title.unit))})")
    types = ", ".join(f"{name} String" for name in _COLUMNS)
    select = f"SELECT {', '.join(f'`{name}`' for name in _COLUMNS)} FROM values('{types}', {', '.join(rows)})"
    return View("v_dictionary", "Titles, definition and unit of every column of every view, in Chinese and English", select, _COLUMNS)
