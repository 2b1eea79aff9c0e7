"""Quantities as a risk officer writes them (``CNY 200000``, ``40 %``, ``10 d``) and as the core compares them."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

from alerting.problems import Unreadable
from schemas.metrics import Unit
from schemas.money import MoneyError, decimal_text, minor_units

HOUR_MS: Final = 3_600_000
DAY_MS: Final = 24 * HOUR_MS

_DURATION: Final = re.compile(r"(\d{1,7})\s*(ms|s|min|h|d)")
_DURATION_MS: Final = {"ms": 1, "s": 1000, "min": 60_000, "h": HOUR_MS, "d": DAY_MS}
_DAYS: Final = re.compile(r"(\d{1,5})(?:\s*d)?")
_MONEY: Final = re.compile(r"([A-Z]{3})\s*(-?[0-9][0-9.,_]*)")
_PERCENT: Final = re.compile(r"(-?\d{1,6}(?:\.\d{1,6})?)\s*%")
_NUMBER: Final = re.compile(r"-?\d{1,15}(?:\.\d{1,9})?")


def duration(text: str) -> int:
    """``"30 d"``, ``"12 h"``, ``"5 min"`` as milliseconds. Raises Unreadable."""
    match = _DURATION.fullmatch(text.strip())
    if not match:
        raise Unreadable(f"{text!r} is not a duration", "write a whole number and a unit: `30 d`, `12 h`, `5 min`")
    return int(match[1]) * _DURATION_MS[match[2]]


def days(text: str) -> int:
    """``"30 d"`` as 30. Raises Unreadable."""
    match = re.fullmatch(r"(\d{1,5})\s*d", text.strip())
    if not match:
        raise Unreadable(f"{text!r} is not a number of days", "write whole days: `10 d`")
    return int(match[1])


def percent(text: str) -> Decimal:
    """``"90 %"`` as 0.9. Raises Unreadable."""
    match = _PERCENT.fullmatch(text.strip())
    if not match:
        raise Unreadable(f"{text!r} is not a percentage", "write it with its sign: `90 %`")
    return Decimal(match[1]).scaleb(-2)


def money(text: str, currency: str) -> int:
    """``"CNY 200000"`` in minor units of the pack's currency. Raises Unreadable."""
    match = _MONEY.fullmatch(text.strip())
    if not match:
        raise Unreadable(f"{text!r} is not an amount", f"write the currency and a plain number: `{currency} 200000`")
    if match[1] != currency:
        raise Unreadable(f"the amount is in {match[1]}, the pack counts in {currency}", f"convert it: `{currency} ...`")
    try:
        return minor_units(match[2], currency)
    except MoneyError as error:
        raise Unreadable(f"{text!r}: {error}", f"write a plain number without separators: `{currency} 200000`") from None


def quantity(text: str, unit: Unit, currency: str) -> int | float:
    """A threshold in the unit of the metric that it is held against. Raises Unreadable."""
    text = text.strip()
    if unit is Unit.MONEY:
        return money(text, currency)
    if unit is Unit.RATIO:
        return float(percent(text))
    if unit is Unit.DAYS:
        match = _DAYS.fullmatch(text)
        if not match:
            raise Unreadable(f"{text!r} is not a number of days", "write whole days: `10 d`")
        return int(match[1])
    if unit is Unit.INSTANT:
        raise Unreadable("an instant cannot be compared", "use the metric that counts the days, such as salary.late or activity.silence")
    if not _NUMBER.fullmatch(text):
        raise Unreadable(f"{text!r} is not a number, and the metric counts in {unit.value}", "write a plain number: `3` or `2.5`")
    return float(text) if "." in text else int(text)


_SYMBOLS: Final = {"CNY": "¥", "CZK": "Kč", "EUR": "€", "USD": "$", "GBP": "£"}


def show_money(minor: int, currency: str) -> str:
    """``(3200000, "CNY")`` as ``¥ 32,000.00``."""
    whole, _, fraction = decimal_text(abs(minor), currency).partition(".")
    text = f"{int(whole):,}" + (f".{fraction}" if fraction else "")
    return f"{'-' if minor < 0 else ''}{_SYMBOLS.get(currency, currency)} {text}"


def show_number(value: int | float, places: int = 2) -> str:
    """At most ``places`` decimals, no trailing zeros."""
    text = f"{value:.{places}f}" if isinstance(value, float) else str(value)
    return text.rstrip("0").rstrip(".") if "." in text else text
