"""What a customer's page shows of its metrics: narrow views.

Most of such a query's time goes into planning, and every column of a view costs its part of it, asked for or not. So these hold what
a page shows, and the wide views, of the same definitions, hold everything.
"""

from __future__ import annotations

from typing import Final

from sinks.titles import metric_titles
from sinks.views.customers import history_columns, history_select, latest_columns, latest_select
from sinks.views.view import View

_CARD: Final = (
    "balance.current",
    "balance.average.90d",
    "balance.attrition.30d",
    "balance.attrition.90d",
    "flow.in.amount.30d",
    "flow.out.amount.30d",
    "flow.in.count.30d",
    "flow.out.count.30d",
    "complaint.open.count",
    "activity.last_day",
    "loan.due.amount",
)
_BALANCES: Final = ("balance.current", "balance.average.30d", "balance.average.90d")


def page_views(database: str, zone: str) -> tuple[View, ...]:
    """The card at the head of the page, and its line of balances."""
    titles = metric_titles()
    return (
        View(
            "v_customer_card",
            "The head of a customer's page: facts, money, silence, days past due; a narrow v_customers_latest",
            latest_select(database, zone, _CARD),
            latest_columns(_CARD),
            titles,
        ),
        View(
            "v_customer_balances",
            "The line of balances on a customer's page; a narrow v_customers_history",
            history_select(database, _BALANCES),
            history_columns(_BALANCES),
            titles,
        ),
    )
