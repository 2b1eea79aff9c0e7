"""Computes the ``balance.*`` metrics from each deposit account's end-of-day balances."""

from __future__ import annotations

from functools import cached_property
from typing import Any, Final

import msgspec

from schemas.localtime import DAY_MS, Day, Instant
from schemas.metrics.balances import METRICS

#: Longest window read, and so how far back end-of-day balances are kept.
KEPT_DAYS = max(max(metric.windows) for metric in METRICS if metric.windows)
_KEYS: Final = tuple((days, f"balance.average.{days}d", f"balance.attrition.{days}d") for days in (30, 90))
_STRIDE = 3


class Account(msgspec.Struct, array_like=True):
    """``steps`` is a flat run of (day, time of its latest booking, balance after it), oldest day first.

    The time is in milliseconds from the UTC start of the day's number: small, and all that is needed to order one day's bookings.
    """

    steps: list[int] = msgspec.field(default_factory=list)


class Balances(msgspec.Struct, array_like=True, dict=True):
    """One customer's deposit accounts; balances in minor units of the reporting currency.

    The sums over the days before today are derived once a day: of a day's bookings only the balance so far changes.
    """

    accounts: dict[str, Account] = msgspec.field(default_factory=dict)
    first_day: Day | None = None

    def book(self, account_id: str, day: Day, at: Instant, balance: int, today: Day) -> None:
        """A booking left this balance on the account. Of two at the same instant the one that arrived later counts."""
        account = self.accounts.get(account_id)
        if account is None:
            account = self.accounts[account_id] = Account()
        if self.first_day is None or day < self.first_day:
            self.first_day = day
        steps = account.steps
        at -= day * DAY_MS
        index = len(steps)
        while index and steps[index - _STRIDE] > day:
            index -= _STRIDE
        if index and steps[index - _STRIDE] == day:
            if at >= steps[index - 2]:
                steps[index - 2 : index] = (at, balance)
        else:
            steps[index:index] = (day, at, balance)
        oldest = today - KEPT_DAYS
        drop = 0
        while drop + _STRIDE < len(steps) and steps[drop + _STRIDE] <= oldest:
            drop += _STRIDE
        if drop:
            del steps[:drop]
        if day < today:
            self.__dict__.pop("_closed", None)

    def current(self, today: Day) -> int | None:
        """Sum of the latest balances, without bookings of later days; None without a known balance."""
        if self.first_day is None or self.first_day > today:
            return None
        return sum(_balance_on(account.steps, today) for account in self.accounts.values())

    def average(self, days: int, today: Day) -> int | None:
        """Average of the end-of-day balances of the window, over the days known; None without a known balance."""
        if self.first_day is None or self.first_day > today:
            return None
        known = min(days, today - self.first_day + 1)
        closed = self._closed.get((days, today))
        if closed is None:
            closed = sum(_integral(account.steps, today - days + 1, today - 1) for account in self.accounts.values())
            self._closed = {key: value for key, value in self._closed.items() if key[1] == today} | {(days, today): closed}
        return (closed + sum(_balance_on(account.steps, today) for account in self.accounts.values())) // known

    @cached_property
    def _closed(self) -> dict[tuple[int, Day], int]:
        """By window and today: sum of the end-of-day balances of the window's days before today."""
        return {}

    def attrition(self, days: int, today: Day) -> float | None:
        current, average = self.current(today), self.average(days, today)
        return None if current is None or average is None else _attrition(current, average)

    def fill(self, metrics: dict[str, Any], today: Day) -> None:
        """Put every ``balance.*`` key into a snapshot, each average computed once."""
        current = self.current(today)
        if current is None:
            return
        metrics["balance.current"] = current
        for days, average_key, attrition_key in _KEYS:
            average = self.average(days, today)
            if average is not None:
                metrics[average_key] = average
                metrics[attrition_key] = _attrition(current, average)


def _attrition(current: int, average: int) -> float:
    return max(0.0, round(1 - current / average, 6)) if average > 0 else 0.0


def _balance_on(steps: list[int], today: Day) -> int:
    index = len(steps)
    while index and steps[index - _STRIDE] > today:
        index -= _STRIDE
    return steps[index - 1] if index else 0


def _integral(steps: list[int], first: Day, last: Day) -> int:
    """Sum of end-of-day balances from ``first`` to ``last``, both included."""
    total = 0
    until = last + 1
    for index in range(len(steps) - _STRIDE, -1, -_STRIDE):
        day = steps[index]
        if day >= until:
            continue
        if day <= first:
            return total + steps[index + 2] * (until - first)
        total += steps[index + 2] * (until - day)
        until = day
    return total
