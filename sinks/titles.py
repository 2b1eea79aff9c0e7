"""What columns are called on a dashboard, in Chinese and English: those of metrics from the dictionary, all others here.

A column of the same name means the same in every view; a test asks that each has a title.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from schemas.metrics import DICTIONARY, Subject
from sinks.columns import metric_column


@dataclass(frozen=True, slots=True)
class Title:
    """Both titles, and what a reader must know to use the column."""

    zh: str
    en: str
    definition: str = ""
    unit: str = ""

    def comment(self) -> str:
        """The column's comment: both titles, then what there is to know."""
        return f"{self.zh} · {self.en}" + (f": {self.definition}" if self.definition else "") + (f". Unit: {self.unit}" if self.unit else "")


def metric_titles() -> dict[str, Title]:
    """By column, the dictionary's words for every metric of a customer."""
    titles = {}
    for metric in DICTIONARY.values():
        if metric.subject is not Subject.CUSTOMER:
            continue
        for key, days in zip(metric.snapshot_keys(), metric.windows or (None,), strict=True):
            zh, en = ("", "") if days is None else (f"（{days} 天）", f" ({days} d)")
            unit = "money in currency" if metric.unit.value == "money" else metric.unit.value
            titles[metric_column(key)] = Title(f"{metric.zh}{zh}", f"{metric.en}{en}", metric.definition, unit)
    return titles


TITLES: Final[dict[str, Title]] = {
    # whose and when
    "customer_id": Title("客户号", "Customer"),
    "display_name": Title("客户名称（脱敏）", "Name (masked)", "Masked by the upstream system: a full name never enters the stream"),
    "nature": Title("客户性质", "Nature", "individual, farm_household, enterprise, cooperative, government"),
    "tier": Title("客户等级", "Tier"),
    "outlet_id": Title("网点", "Outlet"),
    "relationship_manager": Title("客户经理", "Relationship manager"),
    "occurred_at": Title("发生时间", "Occurred at", "UTC"),
    "business_day": Title("营业日", "Business day", "Local day in the bank's zone; for a snapshot or case the day that it is of"),
    "as_of": Title("截至", "As of", "How fresh the row is, UTC"),
    "as_of_day": Title("截至营业日", "As of day", "Day up to which silence and days past due are counted"),
    "hour": Title("小时", "Hour", "Local hour of the day, 0 to 23", "hour"),
    "partitions": Title("分区数", "Partitions", "Partitions that the clock has ticked in", "count"),
    "revision": Title("版本", "Revision", "Rises by one"),
    "currency": Title("币种", "Currency", "ISO 4217"),
    # counts and amounts
    "n": Title("笔数", "n", "Number of events in the row; can be added up", "count"),
    "customers": Title("客户数", "Customers", "Distinct customers within the row; must not be added up over rows", "count"),
    "amount": Title("金额", "Amount", "In currency; direction tells which way; reversed ones taken off, declined ones left out", "money in currency"),
    "posted": Title("入账笔数", "Posted", "", "count"),
    "reversed": Title("冲正笔数", "Reversed", "", "count"),
    "declined": Title("拒绝笔数", "Declined", "", "count"),
    # customers
    "silent_days": Title("静默天数（截至日）", "Silent days", "Local days from the last active day to as_of_day; none without an active day", "days"),
    "days_past_due": Title("逾期天数（截至日）", "Days past due", "Of the customer's worst loan on as_of_day; 0 when nothing is past due", "days"),
    "amount_past_due": Title("逾期金额（截至日）", "Amount past due", "Unpaid instalments whose due day is before as_of_day", "money in currency"),
    "past_due_band": Title("逾期区间", "Past due", "1-30, 31-60, 61-90, 91-180, >180 days; empty when nothing is past due"),
    # events
    "event_kind": Title("事件类别", "Event kind"),
    "what": Title("事项", "What", "The kind of transaction or contact, the step of a complaint, the change of a profile, the action of a feedback"),
    "event_id": Title("事件号", "Event"),
    "source": Title("来源系统", "Source"),
    "channel": Title("渠道", "Channel"),
    "reference": Title("关联号", "Reference", "Account, case, campaign, request or alert"),
    "journal_partition": Title("日志分区", "Journal partition"),
    "journal_position": Title("日志位置", "Journal position", "Entry of the partition: what an alert's evidence refers to"),
    "kind": Title("种类", "Kind"),
    "direction": Title("方向", "Direction", "in, out or none, seen from the customer"),
    "product_line": Title("业务条线", "Product line", "deposit, loan or intermediary"),
    # contacts and service
    "outcome": Title("结果", "Outcome"),
    "abandoned": Title("放弃数", "Abandoned", "The customer gave up before being served; abandonment is abandoned / n", "count"),
    "served": Title("接通数", "Served", "Outcome served, resolved, unresolved or transferred", "count"),
    "resolved": Title("解决数", "Resolved", "", "count"),
    "waited": Title("有等待记录数", "With a wait stated", "The n of the waits: mean wait is wait_seconds_total / waited", "count"),
    "wait_seconds_total": Title("等待总秒数", "Seconds waited, total", "", "seconds"),
    "wait_seconds_p50": Title("等待中位数", "Wait, median", "Of this row; quantiles cannot be added up", "seconds"),
    "wait_seconds_p90": Title("等待九十分位", "Wait, 90 %", "Of this row; quantiles cannot be added up", "seconds"),
    "answered_in_20s": Title("20 秒内应答数", "Answered within 20 s", "Service level is answered_in_20s / n", "count"),
    "handled": Title("有处理时长数", "With a handling time", "The n of the handling times", "count"),
    "handling_seconds_total": Title("处理总秒数", "Seconds handled, total", "", "seconds"),
    # complaints
    "case_id": Title("投诉编号", "Case"),
    "business": Title("业务类别", "Business", "Facet B of JR/T 0169"),
    "reason": Title("原因", "Reason", "Facet C of JR/T 0169; of a set-aside record, its stable code"),
    "severity": Title("严重程度", "Severity"),
    "owner": Title("责任部门", "Owner"),
    "at_fault": Title("我行有责", "Bank at fault"),
    "people": Title("人数", "People", "How many complain together", "count"),
    "steps": Title("步骤数", "Steps", "", "count"),
    "last_step": Title("最近步骤", "Last step"),
    "extensions": Title("延期次数", "Extensions", "", "count"),
    "reopenings": Title("重开次数", "Reopenings", "", "count"),
    "received_at": Title("受理时间", "Received at"),
    "started_at": Title("计时起点", "Started at", "Received, or last reopened"),
    "ended_at": Title("办结时间", "Ended at", "Answered, closed or withdrawn; none while open"),
    "is_open": Title("未结", "Open", "Of an alert: somebody may still have to act"),
    "is_complex": Title("复杂", "Complex", "As stated by the latest step that states it"),
    "is_extended": Title("已延期", "Extended", "An approved extension since it was received or last reopened"),
    "age_days": Title("已用天数", "Age", "Local days from started_at to ended_at, of an open case to as_of", "days"),
    "age_band": Title("账龄区间", "Age band", "0-7, 8-15, 16-30, 31-60, >60 days"),
    "limit_days": Title("时限天数", "Limit", "Calendar days from the start of the clock to due_at, by the pack's version in force that day", "days"),
    "due_at": Title("办理期限", "Due at", "Start of the local day after the last one allowed"),
    "in_time": Title("按时办结", "In time", "Ended before due_at; of an open case false once as_of is past it, none before"),
    "limit_used": Title("时限使用率", "Share of limit used", "1 is the whole limit", "ratio"),
    # alerts
    "alert_id": Title("预警编号", "Alert"),
    "state": Title("状态", "State"),
    "rule": Title("规则", "Rule"),
    "rule_version": Title("规则版本", "Rule version"),
    "pack": Title("政策包", "Policy pack"),
    "pack_version": Title("政策包版本", "Pack version"),
    "type": Title("预警类型", "Type"),
    "title_zh": Title("标题（中文）", "Title (Chinese)"),
    "title_en": Title("标题（英文）", "Title (English)"),
    "grade": Title("等级", "Grade", "low, medium, high, critical"),
    "grade_rank": Title("等级序", "Grade, as a number", "1 low to 4 critical"),
    "score": Title("分值", "Score", "0 to 100"),
    "subject_kind": Title("对象类别", "Subject kind", "customer, complaint or loan"),
    "subject_id": Title("对象", "Subject"),
    "episode": Title("轮次", "Episode"),
    "previous": Title("上一预警", "Previous alert"),
    "occurrences": Title("发生次数", "Occurrences", "", "count"),
    "raised_at": Title("触发时间", "Raised at"),
    "expires_at": Title("失效时间", "Expires at"),
    "snoozed_until": Title("暂停至", "Snoozed until"),
    "value_at_stake": Title("涉及金额", "Value at stake", "", "money in currency"),
    "reason_codes": Title("原因代码", "Reason codes"),
    "reasons_zh": Title("原因（中文）", "Reasons (Chinese)"),
    "reasons_en": Title("原因（英文）", "Reasons (English)"),
    "reasons": Title("原因明细", "Reasons", "Each with observed value, baseline, threshold, window and contribution"),
    "action_code": Title("措施代码", "Action code"),
    "do_zh": Title("建议措施（中文）", "Do (Chinese)"),
    "do_en": Title("建议措施（英文）", "Do (English)"),
    "do_not_zh": Title("禁止事项（中文）", "Do not (Chinese)"),
    "do_not_en": Title("禁止事项（英文）", "Do not (English)"),
    "assessment": Title("反馈结论", "Assessment"),
    "cause_kind": Title("触发来源", "Cause"),
    "cause_event_id": Title("触发事件", "Cause event"),
    "evidence_partition": Title("证据分区", "Evidence partition"),
    "evidence_positions": Title("证据位置", "Evidence positions"),
    "age_seconds": Title("距触发秒数", "Seconds since raised", "From raised_at to this revision", "seconds"),
    # the dictionary itself
    "view": Title("视图", "View"),
    "column": Title("列", "Column"),
    "definition": Title("定义", "Definition"),
    "unit": Title("单位", "Unit"),
    # set aside
    "topic": Title("主题", "Topic"),
    "partition": Title("分区", "Partition"),
    "offset": Title("偏移", "Offset"),
    "stage": Title("环节", "Stage"),
    "message": Title("说明", "Message", "Holds no value of the record"),
    "field": Title("字段", "Field"),
    "exception": Title("异常", "Exception"),
    "set_aside_at": Title("搁置时间", "Set aside at"),
    "approximate_bytes": Title("约字节数", "Bytes, about", "", "bytes"),
}
