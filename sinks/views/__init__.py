"""The views that BI reads, a module for each matter. No reader needs FINAL, argMax, or a word about duplicates.

Money is Decimal; rows have a business day, an ``as_of`` that says how fresh they are, and an ``n`` where something is a mean.
A view's SELECT is written over the declared columns, so a metric added to the dictionary appears by itself.
"""

from __future__ import annotations

from sinks.titles import Title
from sinks.views.alerts import alert_views
from sinks.views.aside import aside_views
from sinks.views.business import business_views
from sinks.views.clock import clock_views
from sinks.views.complaints import complaint_views
from sinks.views.customers import customer_views
from sinks.views.dictionary import dictionary_view
from sinks.views.events import event_views
from sinks.views.originals import original_views
from sinks.views.page import page_views
from sinks.views.service import service_views
from sinks.views.view import View

__all__ = ["Title", "View", "declared_views"]


def declared_views(database: str, zone: str) -> tuple[View, ...]:
    """All views of a database whose business day starts at midnight in ``zone``, each after those that it reads."""
    views = (
        *clock_views(database, zone),
        *event_views(database),
        *customer_views(database, zone),
        *alert_views(database),
        *complaint_views(database, zone),
        *page_views(database, zone),
        *business_views(database),
        *service_views(database, zone),
        *aside_views(database, zone),
        *original_views(database),
    )
    return (*views, dictionary_view(views))
