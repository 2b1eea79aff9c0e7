"""Reference rates: any currency into the pack's reporting currency, exactly, by the rate in force on the day."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal

from schemas.money import CURRENCY_EXPONENTS

_EXACT = Context(prec=60)


@dataclass(frozen=True, slots=True)
class Rate:
    """From local day ``effective`` on, one unit of ``currency`` is worth ``value`` units of the reporting currency."""

    currency: str
    effective: int
    value: Decimal


class Rates:
    """All rates of a pack, by currency and effective day."""

    def __init__(self, reporting: str, rates: Iterable[Rate] = ()) -> None:
        self.reporting = reporting
        self.lines = tuple(sorted(rates, key=lambda rate: (rate.currency, rate.effective)))
        self._factors: dict[str, tuple[list[int], list[Decimal]]] = {}
        for rate in self.lines:
            effective, factors = self._factors.setdefault(rate.currency, ([], []))
            effective.append(rate.effective)
            factors.append(rate.value.scaleb(CURRENCY_EXPONENTS[reporting] - CURRENCY_EXPONENTS[rate.currency], _EXACT))

    def to_reporting(self, minor: int, currency: str, day: int) -> int | None:
        """Minor units of ``currency`` as minor units of the reporting currency, halves to even; None where no rate is in force."""
        if currency == self.reporting:
            return minor
        known = self._factors.get(currency)
        if known is None:
            return None
        index = bisect_right(known[0], day) - 1
        if index < 0:
            return None
        return int(_EXACT.multiply(Decimal(minor), known[1][index]).to_integral_value(ROUND_HALF_EVEN, _EXACT))
