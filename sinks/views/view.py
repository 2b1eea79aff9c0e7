"""What a view is: a name, a line of documentation, its columns with their titles, its SELECT."""

from __future__ import annotations

from dataclasses import dataclass, field

from sinks.titles import TITLES, Title


@dataclass(frozen=True, slots=True)
class View:
    """``columns`` in the order of the SELECT; each has a title, its own in ``titles`` or the common one of its name.

    ``parameters`` are asked for in a query: ``v_customers_as_of(day = '2026-03-31')``.
    A ``withheld`` one rests on columns that readers of dashboards may not read.
    """

    name: str
    comment: str
    select: str
    columns: tuple[str, ...]
    titles: dict[str, Title] = field(default_factory=dict)
    parameters: tuple[str, ...] = ()
    withheld: bool = False

    def title(self, column: str) -> Title:
        """How the column is called on a dashboard. Raises KeyError for one that nobody named."""
        return self.titles.get(column) or TITLES[column]
