"""Balances and balance attrition over the customer's deposit accounts."""

from schemas.metrics.metric import Metric, Subject, Unit

_C = Subject.CUSTOMER

METRICS = (
    Metric(
        "balance.current",
        Unit.MONEY,
        _C,
        "当前余额",
        "Current balance",
        "Sum over the customer's deposit accounts of the balance after the latest booking (by time, then by order of arrival), bookings of days "
        "after the current one left out; a declined transaction is no booking; a balance whose currency has no reference rate is not known",
        "S0 8.1.1",
    ),
    Metric(
        "balance.average",
        Unit.MONEY,
        _C,
        "日均余额",
        "Average balance",
        "Sum of end-of-day balances over the window's days / number of the window's days since the customer's first known balance, rounded "
        "down; the current day counts with its balance so far",
        "S2 一.4",
        (30, 90),
    ),
    Metric(
        "balance.attrition",
        Unit.RATIO,
        _C,
        "余额流失率",
        "Balance attrition",
        "1 - balance.current / balance.average of the window, not below 0; 0 where the average is 0 or less",
        "S0 5.1",
        (30, 90),
    ),
)
