"""How an alert looks on a terminal: a banker reads every line, an engineer follows every number to the event that made it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Final, Literal
from zoneinfo import ZoneInfo

from rich.text import Text

from alerting.quantity import show_money
from schemas.outputs import GRADES, Alert, Grade

Language = Literal["en", "zh"]

_STYLES: Final[dict[Grade, str]] = {"critical": "bold white on red", "high": "bold red", "medium": "yellow", "low": "cyan"}
_SIGNS: Final[dict[Grade, str]] = {"critical": "▲", "high": "▲", "medium": "◆", "low": "●"}
_MARGIN: Final = "    "


def gravity(alert: Alert) -> tuple[int, int, int]:
    """What to show first: grade, then score, then value at stake."""
    return GRADES.index(alert.grade), alert.score, alert.value_at_stake


def alert_block(alert: Alert, zone: ZoneInfo, language: Language = "en") -> Text:
    """The alert in a few lines, without a final line feed; times in ``zone``."""
    style, subject = _STYLES[alert.grade], alert.subject
    text = Text()
    text.append(f"{_SIGNS[alert.grade]} {alert.grade.upper():<8}", style)
    text.append(f" {alert.type} · ")
    text.append(f"{alert.title.en} · {alert.title.zh}", "bold")
    if alert.state == "risen":
        text.append(f" (risen, {alert.occurrences} times)", style)
    about = "" if subject.kind == "customer" else f" {subject.kind} {subject.id}"
    text.append(f"   {subject.customer_id}{about}  {subject.display_name or ''}   ")
    text.append(f"{show_money(alert.value_at_stake, alert.currency)} at stake", "bold")
    text.append(f"   → {alert.owner.replace('-', ' ')}")
    for number, reason in enumerate(alert.reasons, 1):
        text.append(f"\n{_MARGIN}{number:<7}{getattr(reason, language)}")
    text.append(f"\n{_MARGIN}do     ", "green")
    text.append(getattr(alert.action.do, language))
    if alert.action.do_not is not None:
        text.append(f"\n{_MARGIN}do not ", "red")
        text.append(getattr(alert.action.do_not, language))
    positions = ", ".join(f"{alert.evidence.partition}@{position}" for position in alert.evidence.positions[-4:])
    when = f"{alert.occurred_at.astimezone(zone):%Y-%m-%d %H:%M}"
    text.append(f"\n{_MARGIN}why    {when} · rule {alert.rule} v{alert.rule_version} · journal {positions or 'none: nothing came'}", "dim")
    return text


def grade_counts(alerts: Iterable[Alert]) -> str:
    """``2 high, 1 low``."""
    counts = Counter(alert.grade for alert in alerts)
    return ", ".join(f"{counts[grade]} {grade}" for grade in reversed(GRADES) if counts[grade])
