"""Recency, frequency, monetary value, and the rhythm whose break is silence."""

from schemas.metrics.flows import POSTED
from schemas.metrics.metric import Metric, Subject, Unit

_C = Subject.CUSTOMER

METRICS = (
    Metric(
        "activity.recency",
        Unit.DAYS,
        _C,
        "最近交易距今",
        "Days since last transaction",
        "Local days since the last posted customer-initiated transaction, not below 0; product_opened and product_closed are such, an incoming "
        "transfer or cheque is not",
        "RFM",
    ),
    Metric("activity.frequency", Unit.COUNT, _C, "交易频率", "Transaction frequency", f"Number of customer-initiated {POSTED}", "RFM", (365,)),
    Metric("activity.monetary", Unit.MONEY, _C, "交易金额", "Monetary value", f"Sum of customer-initiated {POSTED}", "RFM", (365,)),
    Metric(
        "activity.last_day",
        Unit.INSTANT,
        _C,
        "最近活动日",
        "Last active day",
        "Start of the last active day: a local day with a posted customer-initiated transaction, or a contact that the customer began",
        "S4 02",
    ),
    Metric(
        "activity.typical_gap",
        Unit.DAYS,
        _C,
        "典型活动间隔",
        "Typical gap",
        "Lower median of the last 24 gaps, in days, between successive active days; none before 5 gaps",
        "S4 02",
    ),
    Metric("activity.silence", Unit.DAYS, _C, "静默天数", "Current silence", "Local days since activity.last_day, not below 0", "S4 02"),
)
