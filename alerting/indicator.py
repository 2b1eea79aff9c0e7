"""An indicator: one observation held against a threshold, with a weight in the score and a reason in words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from alerting.absence import Expectation, Patience
from alerting.condition import Comparison, Predicate, Term
from alerting.facts import Facts
from alerting.quantity import show_number
from alerting.wording import NOTHING, Language, Template, Voice, Words, show_days, show_ratio
from schemas.metrics import Unit
from schemas.outputs.alert import Reason

Threshold = Callable[[Facts], int | float | None]


@dataclass(frozen=True, slots=True)
class Indicator:
    """``holds`` says whether it counts; ``weight`` is what it adds to the score (0 to 100)."""

    code: str
    kind: Literal["quantitative", "qualitative"]
    weight: int
    holds: Predicate
    observed: Term
    baseline: Term | None
    threshold: Threshold
    text: Template

    def reason(self, facts: Facts) -> Reason:
        """The reason as an alert states it."""
        metric = self.observed.metric
        words = self.text.fill(facts)
        return Reason(
            code=self.code,
            zh=words.zh,
            en=words.en,
            metric=str(self.observed),
            unit=metric.unit.value if metric else "flag",
            observed=self.observed.read(facts),
            baseline=self.baseline.read(facts) if self.baseline else None,
            threshold=self.threshold(facts),
            window_days=window(self.observed),
            contribution=self.weight,
        )


def window(subject: Term) -> int | None:
    """The days of a windowed metric's key."""
    metric = subject.metric
    return int(subject.key.rsplit(".", 1)[1][:-1]) if metric and metric.windows else None


def names_of(observed: Term, baseline: Term | None, threshold: Words, voice: Voice) -> dict[str, Words]:
    """The placeholders every reason may use: observed, baseline, threshold, window, ratio."""
    names: dict[str, Words] = {"observed": voice.words(observed), "threshold": threshold}
    days = window(observed)
    if days is not None:
        names["window"] = lambda _facts, language: show_days(days, language)
    if baseline is not None:
        names["baseline"] = voice.words(baseline)
        names["ratio"] = _ratio(observed, baseline)
    return names


def _ratio(observed: Term, baseline: Term) -> Words:
    def words(facts: Facts, _language: Language) -> str:
        value, norm = observed.read(facts), baseline.read(facts)
        return f"{show_number(float(value / norm), 1)}×" if value is not None and norm else NOTHING

    return words


def threshold_of(line: Comparison, voice: Voice) -> Words:
    """A comparison's threshold in words: ``3×`` for a multiple, else the value in the metric's unit."""
    if line.base is not None:
        times = f"{show_number(float(line.threshold))}×"
        return lambda _facts, _language: times
    metric, value = line.term.metric, line.threshold
    unit = metric.unit if metric else Unit.COUNT
    return lambda _facts, language: voice.show(value, unit, language)


def patience_value(patience: Patience) -> Threshold:
    """The threshold of an absence: days of patience, or the share of the limit."""
    share = float(patience.amount)
    return (lambda _facts: share) if patience.kind == "share" else patience.days


def patience_words(patience: Patience) -> Words:
    """The same in words."""
    if patience.kind == "share":
        share = show_ratio(float(patience.amount))
        return lambda _facts, _language: share

    def words(facts: Facts, language: Language) -> str:
        count = patience.days(facts)
        return NOTHING if count is None else show_days(count, language)

    return words


def absence_names(expectation: Expectation, voice: Voice) -> dict[str, Words]:
    """The expectation's own short names."""
    names = {alias: voice.words(Term(key)) for alias, key in expectation.aliases.items()}
    if expectation.until:
        names["last_day"] = voice.last_day(expectation.until)
    return names
