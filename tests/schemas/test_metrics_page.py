"""The dictionary page says what the declarations say."""

from __future__ import annotations

from deploy.documentation import ROOT, with_part
from schemas.metrics import DICTIONARY
from schemas.metrics.page import FAMILIES, render_dictionary


def test_the_page_is_current() -> None:
    page = (ROOT / "docs/metrics.md").read_text(encoding="utf-8")
    assert with_part(page, "metrics", render_dictionary()) == page, "python -m deploy.documentation"


def test_every_metric_has_a_line_and_every_family_words() -> None:
    page = render_dictionary()
    assert {metric.family for metric in DICTIONARY.values()} == set(FAMILIES)
    assert [name for name in DICTIONARY if f"`{name}`" not in page and f"`{name}.{{days}}d`" not in page] == []
