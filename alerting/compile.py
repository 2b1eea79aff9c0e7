"""From a rule's page to a rule: every name looked up, every quantity read, all that is wrong collected."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from alerting.absence import EXPECTATIONS, Expectation, Patience, patience
from alerting.catalogue import ActionPlan
from alerting.condition import SCORE, Comparison, Condition, Term, comparison, term
from alerting.document import Document, Path_
from alerting.facts import CASE_FLAGS, Facts
from alerting.files import ClearSection, RuleFile
from alerting.indicator import Indicator, Threshold, absence_names, names_of, patience_value, patience_words, threshold_of
from alerting.passage import GROWS, moves, touching
from alerting.problems import Problem, Unreadable, suggestion
from alerting.quantity import HOUR_MS, duration
from alerting.rule import Clearing, Rule
from alerting.wording import Template, Voice, Words
from schemas.localtime import Calendar, to_day
from schemas.metrics import Subject, Unit
from schemas.outputs.alert import AlertType, Bilingual

#: What a rule's folder says about its type, where the folder is not named like the type itself.
FOLDER_TYPES: Final[dict[str, AlertType]] = {"complaint": "complaint-clock", "anomaly": "transaction-anomaly"}
_OVER: Final = Bilingual(zh="触发条件已不成立，预警自动解除", en="The condition no longer holds")
_HAPPENED: Final = Bilingual(zh="所等待的事项已发生，预警自动解除", en="What was awaited has happened")
_EXPIRED: Final = Bilingual(zh="预警在有效期内无人处理，已过期", en="Nobody acted on the alert before it expired")


@dataclass(frozen=True, slots=True)
class Workshop:
    """What compiling needs of the pack."""

    currency: str
    time: Calendar
    actions: Mapping[str, ActionPlan]
    problems: list[Problem]


class Compiler:
    def __init__(self, page: RuleFile, document: Document, shop: Workshop) -> None:
        self.page, self.document, self.shop = page, document, shop
        self.voice = Voice(shop.currency, shop.time)
        self.read: list[Term] = []
        self.names: dict[str, Words] = {}
        self.main_names: dict[str, Words] = {}

    def complain(self, path: Path_, error: Unreadable) -> None:
        self.shop.problems.append(self.document.problem(path, error.message, error.remedy))

    def condition(self, mapping: Mapping[str, Any], path: Path_, score: bool = False) -> Condition:
        """A mapping of the page as a condition; what cannot be read is noted and left out."""
        every: list[Comparison] = []
        groups: list[tuple[Condition, ...]] = []
        for key, value in mapping.items():
            here = (*path, key)
            try:
                if key == "any":
                    if not isinstance(value, list) or not all(isinstance(choice, dict) and choice for choice in value):
                        raise Unreadable("any: is not a list of conditions", "write `any: [{metric: ...}, {metric: ...}]`")
                    groups.append(tuple(self.condition(choice, (*here, index), score) for index, choice in enumerate(value)))
                    continue
                if key == SCORE and not score:
                    raise Unreadable("score is known only to severity", "use a metric")
                for text in value if isinstance(value, list) else [value]:
                    if not isinstance(text, str):
                        raise Unreadable(f"{key} is not a comparison", "write an operator and a value: `>= 3`")
                    every.append(comparison(key, text, self.shop.currency))
            except Unreadable as error:
                self.complain(here, error)
        condition = Condition(tuple(every), tuple(groups))
        self.read += [read for read in condition.terms() if read.key != SCORE]
        return condition

    def term(self, text: str, path: Path_) -> Term | None:
        try:
            return term(text)
        except Unreadable as error:
            self.complain(path, error)
            return None

    def template(self, text: Bilingual, path: Path_, names: Mapping[str, Words]) -> Template:
        """A text; a language that cannot be compiled is noted and left empty."""
        whole = {"zh": text.zh, "en": text.en}
        for language in ("zh", "en"):
            try:
                Template(Bilingual(zh=whole[language], en=""), names, self.voice)
            except Unreadable as error:
                self.complain((*path, language), error)
                whole[language] = ""
        return Template(Bilingual(**whole), names, self.voice)

    def length(self, text: str, key: str, least: int = 0) -> int:
        try:
            value = duration(text)
            if value < least:
                raise Unreadable(f"{text!r} is too short", "write at least `1 h`")
            return value
        except Unreadable as error:
            self.complain((key,), error)
            return 0

    def absence(self) -> tuple[Expectation, Patience] | None:
        """What the rule awaits, and for how long."""
        section = self.page.raise_
        if section.absent is None:
            if section.patience is not None or section.provided:
                self.complain(("raise",), Unreadable("for and provided go with absent", "add `absent:`, or write the conditions under `when:`"))
            if not section.when:
                self.complain(("raise",), Unreadable("nothing raises the rule", "add `absent:` with `for:`, or `when:`"))
            return None
        expectation = EXPECTATIONS[section.absent]
        if section.patience is None:
            self.complain(("raise",), Unreadable("for is missing", "say how long to wait: `for: 10 d`"))
            return None
        self.read += [Term(key) for key in (expectation.since, expectation.until, expectation.observed) if key]
        try:
            waiting = patience(section.patience, expectation)
        except Unreadable as error:
            self.complain(("raise", "for"), error)
            return None
        if waiting.metric:
            self.read.append(Term(waiting.metric))
        return expectation, waiting

    def main_indicator(self, absence: tuple[Expectation, Patience] | None, when: Condition) -> Indicator | None:
        """The rule's own reason."""
        section = self.page.reason
        observed = self.term(section.metric, ("reason", "metric")) if section.metric else None
        baseline = self.term(section.baseline, ("reason", "baseline")) if section.baseline else None
        threshold: Threshold
        if absence:
            expectation, waiting = absence
            observed = observed or Term(expectation.observed)
            baseline = baseline or (Term(expectation.baseline) if expectation.baseline else None)
            threshold, words = patience_value(waiting), patience_words(waiting)
        else:
            lines = [line for line in when.lines() if observed is None or line.term == observed]
            if not lines:
                if observed is not None and when:
                    self.complain(("reason", "metric"), Unreadable(f"{observed} is not tested under raise", "name a metric that is"))
                return None
            observed, baseline = lines[0].term, baseline or lines[0].base
            threshold, words = lines[0].limit, threshold_of(lines[0], self.voice)
        self.main_names = names_of(observed, baseline, words, self.voice) | self.names
        text = self.template(Bilingual(zh=section.zh, en=section.en), ("reason",), self.main_names)
        return Indicator(section.code or self.page.rule, "quantitative", section.weight, _always, observed, baseline, threshold, text)

    def indicator(self, index: int) -> Indicator | None:
        section, path = self.page.indicators[index], ("indicators", index)
        condition = self.condition(section.holds, (*path, "if"))
        line = next(condition.lines(), None)
        if line is None:
            return None
        baseline = self.term(section.baseline, (*path, "baseline")) if section.baseline else line.base
        names = names_of(line.term, baseline, threshold_of(line, self.voice), self.voice) | self.names
        text = self.template(Bilingual(zh=section.zh, en=section.en), path, names)
        return Indicator(section.code, section.kind, section.weight, condition.compiled(), line.term, baseline, line.limit, text)

    def severity(self) -> tuple[list[tuple[Any, Condition]], bool]:
        """Grades with their conditions, and whether a day's beginning can change them."""
        lines = [(line.grade, self.condition(line.holds, ("severity", index, "if"), score=True)) for index, line in enumerate(self.page.severity)]
        for index, (_, condition) in enumerate(lines[:-1]):
            if not condition and not self.page.severity[index].holds:
                self.complain(("severity", index), Unreadable("the lines after this one are never reached", "add `if:`, or move it to the end"))
        if self.page.severity[-1].holds:
            self.complain(("severity", len(lines) - 1), Unreadable("no grade is left when none of the conditions holds", "end with a line without `if:`"))
        return lines, any(moves(condition.terms()) for _, condition in lines)

    def clearings(self, absence: tuple[Expectation, Patience] | None, when: Condition) -> tuple[list[Clearing], bool]:
        """The ways to clear, and whether a day's beginning can bring one about."""
        sections = self.page.clear
        if sections is None:
            sections = [ClearSection(on=self.page.raise_.absent)] if self.page.raise_.absent else [ClearSection()]
        ways: list[Clearing] = []
        moving = False
        for index, section in enumerate(sections):
            path: Path_ = ("clear", index) if ("clear", index) in self.document.places else ("clear",)
            postponed = self.template(section.postponed, (*path, "postponed"), self.main_names) if section.postponed else None
            if section.on:
                if section.when or section.on != self.page.raise_.absent:
                    remedy = "name what `absent:` names; put `when:` in a way of its own"
                    self.complain((*path, "on"), Unreadable(f"on: {section.on} is not, alone, what the rule awaits", remedy))
                ways.append(Clearing(None, self.template(section.says or _HAPPENED, (*path, "says"), self.main_names), postponed))
                continue
            condition = self.condition(section.when, (*path, "when")) if section.when else when
            if not condition:
                if absence or section.when or self.page.clear:
                    self.complain(path, Unreadable("the way to clear says nothing", "add `on:` or `when:`"))
                continue
            moving |= moves(condition.terms())
            compiled = condition.compiled()
            holds = compiled if section.when else lambda facts, raised=compiled: not raised(facts)
            ways.append(Clearing(holds, self.template(section.says or _OVER, (*path, "says"), self.main_names), postponed))
        return ways, moving

    def subject(self, absence: tuple[Expectation, Patience] | None) -> str:
        """Whom or what the rule is about, by what it reads."""
        kinds = {read.metric.subject for read in self.read if read.metric} | {Subject.COMPLAINT for read in self.read if read.key in CASE_FLAGS}
        if absence:
            kinds.add(absence[0].subject)
        kinds.discard(Subject.CUSTOMER)
        if len(kinds) > 1:
            self.complain(("raise",), Unreadable("the rule reads one complaint and one loan", "write a rule for each"))
        return next(iter(sorted(kinds)), Subject.CUSTOMER).value

    def kind(self) -> AlertType | None:
        folder = self.document.file.rsplit("/", 2)[-2] if "/" in self.document.file else ""
        known = AlertType.__args__  # type: ignore[attr-defined]
        kind = self.page.type or FOLDER_TYPES.get(folder) or (folder if folder in known else None)
        if kind is None:
            self.complain(("rule",), Unreadable("the folder does not tell the rule's type", f"add `type:` ({', '.join(known)})"))
        return kind  # type: ignore[return-value]

    def stake(self) -> str:
        stake = self.term(self.page.at_stake, ("at_stake",))
        if stake and (stake.metric is None or stake.metric.unit is not Unit.MONEY or stake.label):
            self.complain(("at_stake",), Unreadable(f"{stake} is not an amount", "name a metric in money, such as balance.average.90d"))
        return self.page.at_stake

    def compile(self) -> Rule | None:
        before = len(self.shop.problems)
        page = self.page
        absence = self.absence()
        if absence:
            self.names = absence_names(absence[0], self.voice)
        provided = self.condition(page.raise_.provided, ("raise", "provided"))
        when = self.condition(page.raise_.when, ("raise", "when"))
        if page.raise_.absent is None:
            self.refuse_growth(when)
        main = self.main_indicator(absence, when)
        others = [self.indicator(index) for index in range(len(page.indicators))]
        severity, moving_grade = self.severity()
        clearings, moving_clear = self.clearings(absence, when)
        action = self.shop.actions.get(page.do)
        if action is None:
            self.complain(("do",), Unreadable(f"{page.do} is not in the action catalogue", suggestion(page.do, self.shop.actions)))
        subject, stake, kind = self.subject(absence), self.stake(), self.kind()
        cooldown, expires = self.length(page.cooldown, "cooldown"), self.length(page.expires, "expires", HOUR_MS)
        if len(self.shop.problems) > before:
            return None
        assert main is not None
        assert action is not None
        assert kind is not None
        effective_day = to_day(page.effective)
        families = {read.key.partition(".")[0] for read in self.read}
        raised_by = {read.key.partition(".")[0] for condition in (provided, when) for read in condition.terms()}
        if absence:
            raised_by |= {key.partition(".")[0] for key in (absence[0].since, absence[0].until, absence[1].metric) if key}
        return Rule(
            id=page.rule,
            version=page.version,
            type=kind,
            subject=subject,
            title=page.title,
            owner=page.owner,
            families=touching(families),
            raised_by=touching(raised_by),
            effective_day=effective_day,
            effective_at=self.shop.time.start(effective_day),
            awaited=absence[1].wake(absence[0], self.shop.time) if absence else None,
            awaited_since=absence[0].since if absence else None,
            deadline=absence[0].until if absence else None,
            when=Condition(provided.every + when.every, provided.groups + when.groups).compiled(),
            indicators=(main, *(other for other in others if other)),
            severity=tuple((grade, condition.compiled()) for grade, condition in severity),
            clearings=tuple(clearings),
            expired=self.template(_EXPIRED, (), {}),
            moves_with_time=moving_clear or moving_grade,
            at_stake=stake,
            action=action,
            cooldown_ms=cooldown,
            expires_ms=expires,
            time=self.shop.time,
            source=page,
            place=self.document.file,
        )

    def refuse_growth(self, when: Condition) -> None:
        for line in when.lines():
            awaited = GROWS.get(line.term.key)
            if awaited and line.operator in (">", ">=", "="):
                self.complain(
                    ("raise", "when", line.term.key),
                    Unreadable(f"{line.term} grows as time passes, and no event would wake the rule", f"write `absent: {awaited}` with `for:`"),
                )


def _always(_facts: Facts) -> bool:
    return True


def compile_rule(page: RuleFile, document: Document, shop: Workshop) -> Rule | None:
    """The rule; None, with the problems noted, where the page cannot be used."""
    return Compiler(page, document, shop).compile()
