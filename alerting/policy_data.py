"""The data files of a pack: reference rates, the complaint clock, the large-value limit, the action catalogue."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from alerting.catalogue import ActionPlan, LargeValue
from alerting.complaint_clock import ClockVersion, ComplaintClock
from alerting.document import Document
from alerting.files import ActionsFile, ClockLine, ComplaintClockFile, LargeValueFile, RatesFile, shape
from alerting.problems import Problem, Unreadable
from alerting.quantity import days, money, percent
from alerting.rates import Rate, Rates
from schemas.localtime import to_day
from schemas.money import CURRENCY_EXPONENTS
from schemas.outputs.alert import Bilingual


def read_rates(document: Document | None, currency: str, problems: list[Problem]) -> Rates:
    """Reference rates; lines that cannot be used are noted and left out."""
    page = shape(RatesFile, document, problems) if document else None
    if document is None or page is None:
        return Rates(currency)
    rates: dict[tuple[str, int], Rate] = {}
    for index, line in enumerate(page.rates):
        try:
            if line.currency not in CURRENCY_EXPONENTS:
                raise Unreadable(f"{line.currency} is not an active ISO 4217 currency", "write a code such as `USD`")
            key = (line.currency, to_day(line.effective))
            if key in rates:
                raise Unreadable(f"{line.currency} has two rates from {line.effective}", "remove one of the two")
            rates[key] = Rate(*key, _rate(line.rate))
        except Unreadable as error:
            problems.append(document.problem(("rates", index), error.message, error.remedy))
    return Rates(currency, rates.values())


def _rate(text: str) -> Decimal:
    try:
        value = Decimal(text)
    except InvalidOperation:
        value = Decimal(0)
    if not value.is_finite() or value <= 0 or len(value.as_tuple().digits) > 20 or "e" in text.lower():
        raise Unreadable(f"{text!r} is not a rate", "write a plain decimal number: `7.1217`")
    return value


def read_complaint_clock(document: Document | None, problems: list[Problem]) -> ComplaintClock | None:
    """The versions of the complaint clock."""
    page = shape(ComplaintClockFile, document, problems) if document else None
    if document is None or page is None:
        return None
    versions: dict[int, ClockVersion] = {}
    for index, line in enumerate(page.versions):
        limits: dict[str, int] = {}
        key = "effective"
        try:
            if to_day(line.effective) in versions:
                raise Unreadable(f"two versions are effective from {line.effective}", "remove one of the two")
            for key in ("ordinary", "complex", "extension"):
                limits[key] = days(getattr(line, key))
            key = "complex"
            versions[to_day(line.effective)] = _clock_version(line, **limits)
        except Unreadable as error:
            problems.append(document.problem(("versions", index, key), error.message, error.remedy))
    return ComplaintClock(tuple(versions.values())) if versions else None


def _clock_version(line: ClockLine, ordinary: int, complex: int, extension: int) -> ClockVersion:
    if not 0 < ordinary <= complex:
        remedy = "write for instance `ordinary: 15 d`, `complex: 30 d`"
        raise Unreadable("the limit for complex cases is shorter than for ordinary ones, or there is none", remedy)
    if line.calendar == "natural" and (line.holidays or line.workdays):
        raise Unreadable("holidays mean nothing in the natural calendar", "write `calendar: working`, or remove them")
    return ClockVersion(
        effective=to_day(line.effective),
        ordinary=ordinary,
        complex=complex,
        extension=extension,
        calendar=line.calendar,
        count_from=line.count_from,
        cite=line.cite,
        holidays=frozenset(map(to_day, line.holidays)),
        workdays=frozenset(map(to_day, line.workdays)),
    )


def read_large_value(document: Document | None, currency: str, problems: list[Problem]) -> LargeValue | None:
    """The large-value cash limit."""
    page = shape(LargeValueFile, document, problems) if document else None
    if document is None or page is None:
        return None
    key = "cash_limit"
    try:
        limit = money(page.cash_limit, currency)
        if limit <= 0:
            raise Unreadable("the limit is not above 0", f"write an amount such as `{currency} 50000`")
        key = "near_share"
        share = percent(page.near_share)
        if not 0 < share < 1:
            raise Unreadable("the share is not between 0 % and 100 %", "write for instance `90 %`")
        return LargeValue(limit, share)
    except Unreadable as error:
        problems.append(document.problem((key,), error.message, error.remedy))
        return None


def read_actions(document: Document | None, problems: list[Problem]) -> tuple[dict[str, ActionPlan], Bilingual | None]:
    """The action catalogue, and what is said where offers are barred."""
    page = shape(ActionsFile, document, problems) if document else None
    if document is None or page is None:
        return {}, None
    actions: dict[str, ActionPlan] = {}
    for index, line in enumerate(page.actions):
        if line.code in actions:
            problems.append(document.problem(("actions", index), f"{line.code} is given twice", "remove one of the two"))
        actions[line.code] = ActionPlan(line.code, line.do, line.do_not)
    return actions, page.offers_barred
