"""Pieces of SQL that several views share."""

from __future__ import annotations

from collections.abc import Iterable

from schemas.money import CURRENCY_EXPONENTS


def minor_units(currency: str = "currency") -> str:
    """How many minor units make one: 1, 100 or 1000."""
    whole = sorted(code for code, digits in CURRENCY_EXPONENTS.items() if digits == 0)
    three = sorted(code for code, digits in CURRENCY_EXPONENTS.items() if digits == 3)
    return f"multiIf({currency} IN ({listed(whole)}), 1, {currency} IN ({listed(three)}), 1000, 100)"


def money(column: str, divisor: str) -> str:
    """Minor units as a Decimal of the currency's own decimals, exactly. ``divisor`` is ``minor_units``, or a column that holds it."""
    return f"toDecimal128({column}, 4) / {divisor}"


def listed(names: Iterable[str]) -> str:
    """``'a', 'b'``"""
    return ", ".join(f"'{name}'" for name in names)


def local_day(instant: str, zone: str) -> str:
    """The local day of an instant."""
    return f"toDate32(toTimeZone({instant}, '{zone}'))"


def columns(pairs: dict[str, str]) -> str:
    """A select list: expression AS name."""
    return ",\n       ".join(name if expression == name else f"{expression} AS {name}" for name, expression in pairs.items())
