"""Reasons in words a banker reads, in Chinese and English: a pack's texts with values filled in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from string import Formatter
from typing import Any, Final, Literal

from alerting.condition import Term, term
from alerting.facts import Facts
from alerting.problems import Unreadable, suggestion
from alerting.quantity import show_money, show_number
from schemas.localtime import Calendar, to_date
from schemas.metrics import Unit
from schemas.outputs.alert import Bilingual

Language = Literal["zh", "en"]
Words = Callable[[Facts, Language], str]

NOTHING: Final = "—"
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def show_days(count: int, language: Language) -> str:
    """``10 days``, ``1 day``, ``10 天``."""
    return f"{count} 天" if language == "zh" else f"{count} day{'' if count == 1 else 's'}"


def show_ratio(value: float) -> str:
    """``61 %``, ``40.5 %``."""
    return f"{show_number(float(value * 100), 1)} %"


@dataclass(frozen=True, slots=True)
class Voice:
    """How a pack says values: its currency and its calendar."""

    currency: str
    time: Calendar

    def show(self, value: Any, unit: Unit, language: Language) -> str:
        """A value in its unit; a dash where there is none."""
        if value is None:
            return NOTHING
        if unit is Unit.MONEY:
            return show_money(value, self.currency)
        if unit is Unit.DAYS:
            return show_days(value, language)
        if unit is Unit.RATIO:
            return show_ratio(value)
        if unit is Unit.INSTANT:
            day = to_date(self.time.day(value))
            return f"{day.month}月{day.day}日" if language == "zh" else f"{day.day} {_MONTHS[day.month - 1]}"
        if unit is Unit.SECONDS:
            return f"{show_number(float(value), 1)} {'秒' if language == 'zh' else 's'}"
        return show_number(value)

    def words(self, subject: Term) -> Words:
        """The value of a metric in words."""
        metric = subject.metric
        unit = metric.unit if metric else Unit.COUNT
        return lambda facts, language: self.show(subject.read(facts), unit, language)

    def last_day(self, due_key: str) -> Words:
        """The day before an instant that is the start of the first day too late."""

        def words(facts: Facts, language: Language) -> str:
            due = facts[due_key]
            return NOTHING if due is None else self.show(self.time.start(self.time.day(due) - 1), Unit.INSTANT, language)

        return words


class Template:
    """A text in both languages with ``{placeholders}``: names known to the rule, or keys of metrics."""

    def __init__(self, text: Bilingual, names: Mapping[str, Words], voice: Voice) -> None:
        """Raises Unreadable for a placeholder that nobody can fill."""
        self._parts = {"zh": _parts(text.zh, names, voice), "en": _parts(text.en, names, voice)}

    def fill(self, facts: Facts) -> Bilingual:
        """Both texts with the values of this moment."""
        return Bilingual(zh=self._fill(facts, "zh"), en=self._fill(facts, "en"))

    def _fill(self, facts: Facts, language: Language) -> str:
        return "".join(part if isinstance(part, str) else part(facts, language) for part in self._parts[language])


def _parts(text: str, names: Mapping[str, Words], voice: Voice) -> tuple[str | Words, ...]:
    parts: list[str | Words] = []
    try:
        fields = list(Formatter().parse(text))
    except ValueError:
        raise Unreadable("a brace is not closed", "write placeholders as {name}, and a brace itself as {{ or }}") from None
    for literal, name, format_spec, conversion in fields:
        if literal:
            parts.append(literal)
        if name is None:
            continue
        if format_spec or conversion:
            raise Unreadable(f"{{{name}}} carries a format", "values are shown by their unit: write the name only")
        if name in names:
            parts.append(names[name])
            continue
        try:
            parts.append(voice.words(term(name)))
        except Unreadable:
            raise Unreadable(f"nothing fills the placeholder {{{name}}}", suggestion(name, names) + " (or a metric's key)") from None
    return tuple(parts)
