"""A rule, compiled: when it raises, how grave that is, why, and when it is over."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from alerting.absence import Wake
from alerting.catalogue import ActionPlan
from alerting.condition import SCORE, Predicate
from alerting.facts import Facts
from alerting.files import RuleFile
from alerting.indicator import Indicator
from alerting.wording import Template
from schemas.localtime import Calendar
from schemas.outputs.alert import GRADES, AlertType, Bilingual, Department, Grade

MOST_REASONS: Final = 4


@dataclass(frozen=True, slots=True)
class Clearing:
    """One way in which an alert of the rule becomes pointless. ``holds`` is None where the awaited thing itself ends it."""

    holds: Predicate | None
    says: Template
    postponed: Template | None


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the indicators make of the facts: grade (index into GRADES), score, and the indicators that hold, weightiest first."""

    grade: int
    score: int
    indicators: tuple[Indicator, ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """``families`` are the metric families read by raise, indicators, severity and clear, ``raised_by`` those read by raise alone.

    ``effective_day`` is a local day number.

    ``moves_with_time`` says whether an open alert can rise or clear merely because a day begins. ``cooldown_ms`` and
    ``expires_ms`` count from closing and from raising. ``source`` is the page that it was compiled from.
    """

    id: str
    version: int
    type: AlertType
    subject: str
    title: Bilingual
    owner: Department
    families: frozenset[str]
    raised_by: frozenset[str]
    effective_day: int
    effective_at: int
    awaited: Wake | None
    awaited_since: str | None
    deadline: str | None
    when: Predicate
    indicators: tuple[Indicator, ...]
    severity: tuple[tuple[Grade, Predicate], ...]
    clearings: tuple[Clearing, ...]
    expired: Template
    moves_with_time: bool
    at_stake: str
    action: ActionPlan
    cooldown_ms: int
    expires_ms: int
    time: Calendar
    source: RuleFile
    place: str

    def wake(self, facts: Facts) -> int | None:
        """When the absence falls due if nothing happens, never before the rule is in force; may be past. None if nothing is awaited."""
        if self.awaited is None:
            return None
        due = self.awaited(facts)
        return None if due is None else max(due, self.effective_at)

    def holds(self, facts: Facts) -> bool:
        """Whether the rule would raise now: in force, the absence due, the conditions met."""
        if self.awaited is None:
            return self.when(facts) and facts["today"] >= self.effective_day
        due = self.awaited(facts)
        now = facts["now"]
        return due is not None and due <= now and self.effective_at <= now and self.when(facts)

    def judge(self, facts: Facts) -> Judgement:
        """Score and grade. Writes ``score`` into the facts, for severity lines to read."""
        first, *others = self.indicators
        held = (first, *sorted((other for other in others if other.holds(facts)), key=lambda other: -other.weight))
        score = min(100, sum(indicator.weight for indicator in held))
        facts[SCORE] = score
        for grade, fits in self.severity:
            if fits(facts):
                return Judgement(GRADES.index(grade), score, tuple(sorted(held, key=lambda indicator: -indicator.weight)))
        raise AssertionError("the last severity line has no condition")
