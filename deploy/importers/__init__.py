"""Real data sets as events: one module a data set, every row accounted for, every mapping written down in ``docs/importers.md``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from deploy.importers.berka import import_berka
from deploy.importers.call_centre import import_call_centre
from deploy.importers.complaints import import_complaints
from deploy.importers.ledger import Imported

IMPORTERS: dict[str, Callable[[list[Path]], Imported]] = {
    "berka": import_berka,
    "call-centre": import_call_centre,
    "complaints": import_complaints,
}

__all__ = ["IMPORTERS", "Imported"]
