"""Money as exact integers: a decimal string and an ISO 4217 currency become minor units, and back. Never a float."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

#: Minor-unit exponents of ISO 4217 (list one, 2024-06-25), active currencies.
_EXPONENT_0 = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_EXPONENT_2 = (
    "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP CRC "
    "CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD "
    "KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO "
    "NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL "
    "THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XCD YER ZAR ZMW ZWG"
)
_EXPONENT_3 = "BHD IQD JOD KWD LYD OMR TND"
CURRENCY_EXPONENTS: Final[dict[str, int]] = (
    dict.fromkeys(_EXPONENT_0.split(), 0) | dict.fromkeys(_EXPONENT_2.split(), 2) | dict.fromkeys(_EXPONENT_3.split(), 3)
)

#: What a decimal amount may look like: at most 15 digits before the point, no exponent, no sign but a leading minus.
AMOUNT_PATTERN: Final = r"^-?(0|[1-9][0-9]{0,14})(\.[0-9]{1,4})?$"
_AMOUNT = re.compile(AMOUNT_PATTERN)


class MoneyError(ValueError):
    """An amount or currency that cannot be held exactly; ``code`` says why without repeating the value."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def exponent(currency: str) -> int:
    """Number of decimals of an ISO 4217 currency.

    Raises MoneyError ``unknown_currency``.
    """
    try:
        return CURRENCY_EXPONENTS[currency]
    except KeyError:
        raise MoneyError("unknown_currency", "currency is not an active ISO 4217 code") from None


@lru_cache(maxsize=16384)
def minor_units(amount: str, currency: str) -> int:
    """``("12.30", "CNY")`` -> ``1230``: the amount in the currency's minor units.

    Raises MoneyError: ``unknown_currency``, ``amount_format``, ``amount_decimals`` (more decimals than the currency has).
    """
    digits = exponent(currency)
    if not _AMOUNT.fullmatch(amount):
        raise MoneyError("amount_format", "amount is not a plain decimal string")
    whole, _, fraction = amount.partition(".")
    if len(fraction) > digits:
        raise MoneyError("amount_decimals", f"amount has {len(fraction)} decimals, its currency has {digits}")
    return int(whole + fraction + "0" * (digits - len(fraction)))


def decimal_text(minor: int, currency: str) -> str:
    """``(1230, "CNY")`` -> ``"12.30"``: the canonical decimal string of an amount in minor units."""
    digits = exponent(currency)
    if not digits:
        return str(minor)
    text = str(abs(minor)).zfill(digits + 1)
    return f"{'-' if minor < 0 else ''}{text[:-digits]}.{text[-digits:]}"
