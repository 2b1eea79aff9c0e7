"""Conditions: ``{metric.key: ">= CNY 200000"}`` as a value that can be shown and compared, and as a function that is fast.

A mapping holds when all of its lines hold; ``any: [..., ...]`` holds when one of its mappings does. A metric without a value
makes its line false, whatever the operator.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

from alerting.facts import CASE_FLAGS, Facts
from alerting.problems import Unreadable, suggestion
from alerting.quantity import quantity
from schemas.metrics import KEYS, Metric, Unit

Predicate = Callable[[Facts], bool]
Number = int | float

OPERATORS: Final[dict[str, Callable[[Any, Any], bool]]] = {
    ">=": operator.ge,
    "<=": operator.le,
    "!=": operator.ne,
    ">": operator.gt,
    "<": operator.lt,
    "=": operator.eq,
}
_LINE: Final = re.compile(r"\s*(>=|<=|!=|>|<|=)\s*([^<>=!\s].*?)\s*")
_TIMES: Final = re.compile(r"(\d{1,6}(?:\.\d{1,6})?)\s*[x×]\s*(\S+)")
_KEY: Final = re.compile(r"([a-z0-9_.]+)(?:\[([a-z0-9_]+)\])?")
SCORE: Final = "score"


@dataclass(frozen=True, slots=True)
class Term:
    """A value that a rule reads: a metric's key, or one label of a metric that is split by a facet."""

    key: str
    label: str | None = None

    def __str__(self) -> str:
        return f"{self.key}[{self.label}]" if self.label else self.key

    def read(self, facts: Facts) -> Any:
        """The value in the metric's unit; None where there is none. A label that never occurred counts 0."""
        value = facts[self.key]
        if self.label is None or value is None:
            return value
        return value.get(self.label, 0)

    @property
    def metric(self) -> Metric | None:
        """The dictionary's entry; None for context (``score``, ``case.*``)."""
        return KEYS.get(self.key)


def term(text: str) -> Term:
    """Parse and look up a key. Raises Unreadable."""
    match = _KEY.fullmatch(text)
    metric = KEYS.get(match[1]) if match else None
    if match is None or metric is None:
        if text in CASE_FLAGS:
            return Term(text)
        raise Unreadable(f"{text} is not a metric", suggestion(text.partition("[")[0], (*KEYS, *CASE_FLAGS)))
    if metric.by and not match[2]:
        raise Unreadable(f"{text} is split by {metric.by}", f"name one: `{text}[...]`")
    if match[2] and not metric.by:
        raise Unreadable(f"{match[1]} is not split by anything", "remove the [...]")
    return Term(match[1], match[2])


@dataclass(frozen=True, slots=True)
class Comparison:
    """One line. ``threshold`` is in the metric's unit, or a multiple of ``base`` where that is given."""

    term: Term
    operator: str
    threshold: Number | Fraction
    text: str
    base: Term | None = None

    def limit(self, facts: Facts) -> Number | None:
        """The threshold as a value in the metric's unit at this moment."""
        if self.base is None:
            assert not isinstance(self.threshold, Fraction)
            return self.threshold
        base = self.base.read(facts)
        if base is None:
            return None
        times = Fraction(self.threshold)
        return base * times.numerator // times.denominator if isinstance(base, int) else base * float(times)

    def compiled(self) -> Predicate:
        """The line as a function."""
        compare, key, label, base = OPERATORS[self.operator], self.term.key, self.term.label, self.base
        if base is not None:
            times = Fraction(self.threshold)
            upper, lower, read, read_base = times.numerator, times.denominator, self.term.read, base.read

            def multiple(facts: Facts) -> bool:
                value, norm = read(facts), read_base(facts)
                return value is not None and norm is not None and compare(value * lower, norm * upper)

            return multiple
        threshold = self.threshold
        if label is not None:
            read_label = self.term.read

            def labelled(facts: Facts) -> bool:
                value = read_label(facts)
                return value is not None and compare(value, threshold)

            return labelled

        def fixed(facts: Facts) -> bool:
            value = facts[key]
            return value is not None and compare(value, threshold)

        return fixed

    def terms(self) -> Iterator[Term]:
        """Everything the line reads."""
        yield self.term
        if self.base is not None:
            yield self.base

    def __str__(self) -> str:
        return f"{self.term} {self.text}"


@dataclass(frozen=True, slots=True)
class Condition:
    """``every`` line must hold and, of each group in ``groups``, one condition. Without anything it holds."""

    every: tuple[Comparison, ...] = ()
    groups: tuple[tuple[Condition, ...], ...] = ()

    def compiled(self) -> Predicate:
        """The whole condition as a function; lines are tried in the order written."""
        parts = [line.compiled() for line in self.every] + [_one_of([choice.compiled() for choice in group]) for group in self.groups]
        if not parts:
            return lambda _facts: True
        if len(parts) == 1:
            return parts[0]
        if len(parts) == 2:
            first, second = parts
            return lambda facts: first(facts) and second(facts)
        return _all_of(parts)

    def lines(self) -> Iterator[Comparison]:
        """Every comparison, in the order written."""
        yield from self.every
        for group in self.groups:
            for choice in group:
                yield from choice.lines()

    def terms(self) -> Iterator[Term]:
        """Everything the condition reads."""
        for line in self.lines():
            yield from line.terms()

    def __bool__(self) -> bool:
        return bool(self.every or self.groups)

    def __str__(self) -> str:
        choices = [f"({' or '.join(map(str, group))})" for group in self.groups]
        return " and ".join([*map(str, self.every), *choices])


def _all_of(parts: Iterable[Predicate]) -> Predicate:
    every = tuple(parts)

    def holds(facts: Facts) -> bool:
        for part in every:  # noqa: SIM110  a generator would cost more than the tests themselves
            if not part(facts):
                return False
        return True

    return holds


def _one_of(parts: Iterable[Predicate]) -> Predicate:
    choices = tuple(parts)
    return lambda facts: any(choice(facts) for choice in choices)


def comparison(key: str, text: str, currency: str) -> Comparison:
    """Parse one line. Raises Unreadable."""
    subject = Term(SCORE) if key == SCORE else term(key)
    match = _LINE.fullmatch(text)
    if not match:
        raise Unreadable(f"{text!r} is not a comparison", "write an operator and a value: `>= 3`")
    sign, value = match[1], match[2]
    metric = subject.metric
    if subject.key in CASE_FLAGS:
        if sign not in ("=", "!=") or value not in ("true", "false"):
            raise Unreadable(f"{key} is true or false", "write `= true` or `= false`")
        return Comparison(subject, sign, value == "true", text.strip())
    unit = metric.unit if metric else Unit.COUNT
    times = _TIMES.fullmatch(value)
    if not times:
        return Comparison(subject, sign, quantity(value, unit, currency), text.strip())
    base = term(times[2])
    base_unit = base.metric.unit if base.metric else None
    if base_unit is not unit:
        raise Unreadable(f"{key} counts in {unit.value}, {base} in {base_unit.value if base_unit else 'true or false'}", "compare metrics of one unit")
    return Comparison(subject, sign, Fraction(times[1]), text.strip(), base)
