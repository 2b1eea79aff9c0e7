"""Regularity of salary (or pension): what makes a missing one noticed."""

from schemas.metrics.metric import Metric, Subject, Unit

_C = Subject.CUSTOMER
#: A salary that bounces, or is paid twice and taken back, must not leave a month that looks paid.
_WITH = "a month has a salary when what came in during it is more than what was taken back during it"
_EWI = "SAMA early warning indicators, appendix 1, payroll"

METRICS = (
    Metric(
        "salary.regular_months",
        Unit.COUNT,
        _C,
        "连续发薪月数",
        "Regular salary months",
        "Number of consecutive local calendar months, up to the last month with a salary or pension (at most 13), each with its first one "
        f"within 3 days of salary.day; {_WITH}",
        _EWI,
    ),
    Metric("salary.amount", Unit.MONEY, _C, "常规工资", "Usual salary", "Lower median of the monthly totals of the last 6 months with a salary", _EWI),
    Metric(
        "salary.day",
        Unit.DAY_OF_MONTH,
        _C,
        "发薪日",
        "Salary day",
        "Lower median of the day of month of the first salary in each of the last 6 months with a salary",
        _EWI,
    ),
    Metric(
        "salary.expected_at",
        Unit.INSTANT,
        _C,
        "预期发薪日",
        "Next salary expected",
        "Start of salary.day (or the month's last day, if earlier) in the month after the last month with a salary",
        _EWI,
    ),
    Metric("salary.late", Unit.DAYS, _C, "工资迟到天数", "Salary late", "Local days past salary.expected_at; 0 before it", _EWI),
)
