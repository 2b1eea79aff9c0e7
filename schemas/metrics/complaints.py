"""Complaints: open, received, and the age of a case against its limit."""

from schemas.metrics.metric import Metric, Subject, Unit

_RULE = "银行业保险业消费投诉处理管理办法 (2020)"

METRICS = (
    Metric(
        "complaint.open.count",
        Unit.COUNT,
        Subject.CUSTOMER,
        "未结投诉",
        "Open complaints",
        "Number of cases received and not answered, closed or withdrawn since (or reopened since that), by the times of the steps whatever order "
        "they came in; as long as no received step of a case is known, its earliest step stands for it",
        _RULE,
    ),
    Metric(
        "complaint.received.count",
        Unit.COUNT,
        Subject.CUSTOMER,
        "投诉件数",
        "Complaints received",
        "Number of cases received, by the first received step that came",
        _RULE,
        (30, 90, 365),
    ),
    Metric(
        "complaint.oldest_age",
        Unit.DAYS,
        Subject.CUSTOMER,
        "最长未结天数",
        "Age of oldest open complaint",
        "Highest one_complaint.age among open cases; 0 without one",
        _RULE,
    ),
    Metric(
        "complaint.limit_used",
        Unit.RATIO,
        Subject.CUSTOMER,
        "时限使用率",
        "Share of limit used",
        "Highest one_complaint.limit_used among open cases; 0 without one",
        _RULE,
    ),
    Metric(
        "complaint.out_of_order.count",
        Unit.COUNT,
        Subject.CUSTOMER,
        "步骤乱序案件",
        "Cases with steps out of order",
        "Number of known cases with a step that came before the one it follows (answered before received, an older step after a newer); "
        "a case that is not open is known until 400 days after its last step",
        "S0 4.2",
    ),
    Metric(
        "one_complaint.started_at",
        Unit.INSTANT,
        Subject.COMPLAINT,
        "计时起点",
        "Clock started",
        "Start of the local day on which the open case was received, or last reopened; none when not open",
        _RULE,
    ),
    Metric(
        "one_complaint.due_at",
        Unit.INSTANT,
        Subject.COMPLAINT,
        "办理期限",
        "Answer due",
        "Start of the local day after the last day allowed by the pack's complaint clock for the case's class (as stated by the latest step that "
        "states it) and extension (since it was received or last reopened); none when not open",
        _RULE,
    ),
    Metric("one_complaint.age", Unit.DAYS, Subject.COMPLAINT, "已用天数", "Age", "Local days since one_complaint.started_at, not below 0", _RULE),
    Metric(
        "one_complaint.limit", Unit.DAYS, Subject.COMPLAINT, "时限天数", "Limit", "Calendar days from one_complaint.started_at to one_complaint.due_at", _RULE
    ),
    Metric(
        "one_complaint.limit_used",
        Unit.RATIO,
        Subject.COMPLAINT,
        "时限使用率",
        "Share of limit used",
        "Time since one_complaint.started_at / (one_complaint.due_at - one_complaint.started_at), not below 0",
        _RULE,
    ),
)
