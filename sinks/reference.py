"""The tables and views as documentation, from their declarations."""

from __future__ import annotations

from sinks.tables import declared_tables
from sinks.views import declared_views

_ZONE = "Asia/Shanghai"


def render_views() -> str:
    """The views, as a Markdown table."""
    rows = [f"| `{view.name}` | {view.comment} |" for view in declared_views("fenghuo", _ZONE)]
    return "\n".join(["| view | holds |", "|---|---|", *rows])


def render_tables() -> str:
    """The tables, as a Markdown table; the columns of the metrics are those of the dictionary."""
    rows = []
    for table in declared_tables(_ZONE):
        kind = "newest of each " if table.latest else "one for each "
        rows.append(f"| `{table.name}` | {table.comment} | {kind}{', '.join(f'`{name}`' for name in table.identity)} | {len(table.columns)} |")
    return "\n".join(["| table | holds | row | columns |", "|---|---|---|---|", *rows])
