"""Money in and out: counts and amounts of posted transactions by window, direction, kind and channel."""

from schemas.metrics.metric import Metric, Subject, Unit

WINDOWS = (1, 7, 30, 90, 365)
_C = Subject.CUSTOMER
POSTED = "posted transactions; a reversed one is taken off on the day of its reversal; declined ones and kinds that move no money do not count"

METRICS = (
    Metric("flow.in.count", Unit.COUNT, _C, "流入笔数", "Incoming transactions", f"Number of incoming {POSTED}", "S3 1.1.5", WINDOWS),
    Metric("flow.in.amount", Unit.MONEY, _C, "流入金额", "Incoming amount", f"Sum of incoming {POSTED}", "S3 1.1.5", WINDOWS),
    Metric("flow.out.count", Unit.COUNT, _C, "流出笔数", "Outgoing transactions", f"Number of outgoing {POSTED}", "S3 1.1.5", WINDOWS),
    Metric("flow.out.amount", Unit.MONEY, _C, "流出金额", "Outgoing amount", f"Sum of outgoing {POSTED}", "S3 1.1.5", WINDOWS),
    Metric("flow.kind.count", Unit.COUNT, _C, "按类型笔数", "Transactions by kind", f"Number of {POSTED}, by kind", "S3 1.1.63", WINDOWS, "kind"),
    Metric("flow.kind.amount", Unit.MONEY, _C, "按类型金额", "Amount by kind", f"Sum of {POSTED}, by kind", "S3 1.1.63", WINDOWS, "kind"),
    Metric("flow.channel.count", Unit.COUNT, _C, "按渠道笔数", "Transactions by channel", f"Number of {POSTED}, by channel", "S3 1.1.25", WINDOWS, "channel"),
    Metric("flow.channel.amount", Unit.MONEY, _C, "按渠道金额", "Amount by channel", f"Sum of {POSTED}, by channel", "S3 1.1.25", WINDOWS, "channel"),
    Metric(
        "flow.out.norm",
        Unit.MONEY,
        _C,
        "流出常态(30天)",
        "Usual outgoing amount in 30 days",
        "Outgoing amount of the 180 days before the last 30, per 30 days: sum x 30 / days known among those 180 (days since the customer's "
        "first transaction that moved money), rounded down; none until 90 of them are known",
        "S4 04",
        (30,),
    ),
    Metric(
        "cash.near_threshold.count",
        Unit.COUNT,
        _C,
        "临界现金存款笔数",
        "Cash deposits just below the reporting limit",
        "Number of cash deposits from the pack's near-limit share up to, not including, its large-value cash limit; "
        "a reversed one is taken off on the day of its reversal",
        "AML large-value rule",
        (1,),
    ),
    Metric(
        "cash.near_threshold.amount",
        Unit.MONEY,
        _C,
        "临界现金存款金额",
        "Amount of cash deposits just below the reporting limit",
        "Sum of the deposits counted by cash.near_threshold.count",
        "AML large-value rule",
        (1,),
    ),
    Metric(
        "flow.unconverted.count",
        Unit.COUNT,
        _C,
        "无汇率笔数",
        "Transactions without a reference rate",
        f"Number of {POSTED}, whose currency has no reference rate in the pack: counted everywhere, their amount as 0",
        "Fenghuo",
        (365,),
    ),
)
