"""Loan position: instalments due, overdue, and days past due, per customer and per loan."""

from schemas.metrics.metric import Metric, Subject, Unit

_RULE = "商业银行金融资产风险分类办法 (2023); IFRS 9 B5.5.37"
_OLDEST = (
    "repayments settle the oldest instalment first, of one day the one that came first; money paid ahead settles the next one when it falls due; "
    "a reversed repayment makes what it settled last unpaid again (12 settled instalments are remembered); a reversed instalment counts as money paid"
)

METRICS = (
    Metric("loan.due.count", Unit.COUNT, Subject.CUSTOMER, "应还期数", "Instalments due", f"Number of instalments due and not fully paid; {_OLDEST}", _RULE),
    Metric("loan.due.amount", Unit.MONEY, Subject.CUSTOMER, "应还金额", "Amount due", "Unpaid part of the instalments counted by loan.due.count", _RULE),
    Metric(
        "loan.overdue.count",
        Unit.COUNT,
        Subject.CUSTOMER,
        "逾期期数",
        "Instalments overdue",
        "Number of instalments not fully paid whose due day is before the current local day",
        _RULE,
    ),
    Metric(
        "loan.overdue.amount", Unit.MONEY, Subject.CUSTOMER, "逾期金额", "Amount overdue", "Unpaid part of the instalments counted by loan.overdue.count", _RULE
    ),
    Metric("loan.dpd", Unit.DAYS, Subject.CUSTOMER, "逾期天数", "Days past due", "Highest one_loan.dpd among the customer's loans; 0 without one", _RULE),
    Metric(
        "one_loan.due_since",
        Unit.INSTANT,
        Subject.LOAN,
        "最早未还期到期日",
        "Oldest unpaid instalment due",
        "Start of the local day on which the oldest unpaid instalment fell due; none when all is paid",
        _RULE,
    ),
    Metric("one_loan.dpd", Unit.DAYS, Subject.LOAN, "逾期天数", "Days past due", "Local days since the oldest unpaid instalment fell due; 0 when paid", _RULE),
    Metric("one_loan.overdue.count", Unit.COUNT, Subject.LOAN, "逾期期数", "Instalments overdue", "As loan.overdue.count, of this loan", _RULE),
    Metric("one_loan.overdue.amount", Unit.MONEY, Subject.LOAN, "逾期金额", "Amount overdue", "As loan.overdue.amount, of this loan", _RULE),
)
