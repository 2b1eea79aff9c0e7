"""Keeps the generated parts of the docs equal to what they describe: ``python -m deploy.documentation`` rewrites them, a test compares."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path

from deploy.settings import render_settings
from schemas import reference
from schemas.events import MODELS
from schemas.metrics.page import render_dictionary
from schemas.telemetry import render_table
from sinks.reference import render_tables, render_views

ROOT = Path(__file__).resolve().parent.parent

#: (page, name of the generated part, what renders it). A part stands between ``<!-- generated: NAME -->`` and ``<!-- end -->``.
PARTS: tuple[tuple[str, str, Callable[[], str]], ...] = (
    ("docs/observability.md", "telemetry", render_table),
    ("docs/operating.md", "settings", render_settings),
    ("docs/metrics.md", "metrics", render_dictionary),
    ("docs/events.md", "topics", reference.render_topics),
    ("docs/events.md", "envelope", reference.render_envelope),
    *(("docs/events.md", kind, partial(reference.render_fields, kind)) for kind in MODELS),
    ("docs/events.md", "reasons", reference.render_reasons),
    ("docs/clickhouse.md", "views", render_views),
    ("docs/clickhouse.md", "tables", render_tables),
)


def with_part(page: str, name: str, content: str) -> str:
    """The page with one generated part replaced. Raises ValueError where the page has no such part."""
    marked = re.compile(rf"(<!-- generated: {re.escape(name)} -->\n).*?(<!-- end -->)", re.DOTALL)
    if not marked.search(page):
        raise ValueError(f"the page has no part '<!-- generated: {name} -->'")
    return marked.sub(lambda found: f"{found[1]}{content}\n{found[2]}", page)


def rewrite() -> None:
    """Write every generated part into its page."""
    for path, name, render in PARTS:
        page = ROOT / path
        page.write_text(with_part(page.read_text(encoding="utf-8"), name, render()), encoding="utf-8")


if __name__ == "__main__":
    rewrite()
