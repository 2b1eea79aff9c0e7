"""Contacts and waits: how often the customer and the bank were in touch, and how long the customer waited."""

from schemas.metrics.metric import Metric, Subject, Unit

_C = Subject.CUSTOMER
WINDOWS = (7, 30, 90, 365)

METRICS = (
    Metric("contact.count", Unit.COUNT, _C, "接触次数", "Contacts", "Number of interactions other than survey answers", "S3 1.1.26", WINDOWS),
    Metric("contact.kind.count", Unit.COUNT, _C, "按类型接触次数", "Contacts by kind", "Number of contacts by kind", "S3 1.1.26", WINDOWS, "kind"),
    Metric(
        "contact.waited.count",
        Unit.COUNT,
        _C,
        "有等待的接触",
        "Contacts with a wait stated",
        "Number of contacts that state wait_seconds",
        "S3 1.1.27",
        (30, 90),
    ),
    Metric(
        "contact.wait.mean",
        Unit.SECONDS,
        _C,
        "平均等待",
        "Mean wait",
        "Mean wait_seconds, to the millisecond each, of contact.waited.count; none without one",
        "S3 1.1.27",
        (30, 90),
    ),
    Metric("contact.abandoned.count", Unit.COUNT, _C, "放弃次数", "Abandoned contacts", "Number of contacts with the outcome abandoned", "S3 1.1.63", (30, 90)),
)
