"""Computes the ``balance.*`` metrics from each deposit account's end-of-day balances."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import Any, Final

from schemas.localtime import DAY_MS, Day, Instant
from schemas.metrics.balances import METRICS

#: Longest window read, and so how far back end-of-day balances are kept.
KEPT_DAYS = max(max(metric.windows) for metric in METRICS if metric.windows)
_KEYS: Final = tuple((days, f"balance.average.{days}d", f"balance.attrition.{days}d") for days in (30, 90))
_MOVED_ON_AT_MOST: Final = 8  # days; further, the sum is taken anew


class Account:
    """End-of-day balances, oldest day first; ``times`` is when each day's latest booking was.

    A time is in milliseconds from the UTC start of the day's number: small, and all that is needed to order one day's bookings. It
    is 0 on days for which no booking can come any more.
    """

    __slots__ = ("balances", "days", "times")

    def __init__(self, days: list[Day] | None = None, times: list[int] | None = None, balances: list[int] | None = None) -> None:
        self.days: list[Day] = [] if days is None else days
        self.times: list[int] = [] if times is None else times
        self.balances: list[int] = [] if balances is None else balances

    def packed(self) -> tuple[Any, ...]:
        """What is stored."""
        return self.days, self.times, self.balances

    def book(self, day: Day, at: Instant, balance: int, today: Day, settled: Day) -> None:
        """A booking left this balance. Of two at the same instant the one that arrived later counts."""
        at -= day * DAY_MS
        index = bisect_left(self.days, day)
        if index < len(self.days) and self.days[index] == day:
            if at >= self.times[index]:
                self.times[index], self.balances[index] = at, balance
        else:
            self.days.insert(index, day)
            self.times.insert(index, at)
            self.balances.insert(index, balance)
        self.forget(today)
        index = bisect_left(self.days, settled)
        while index and self.times[index - 1]:
            index -= 1
            self.times[index] = 0

    def forget(self, today: Day) -> None:
        """Drop the days out of every window, but the last balance from before: it still stands."""
        drop = bisect_right(self.days, today - KEPT_DAYS - _MOVED_ON_AT_MOST) - 1
        if drop > 0:
            del self.days[:drop], self.times[:drop], self.balances[:drop]

    @property
    def empty(self) -> bool:
        """Whether it has stood at nothing for as long as is known."""
        return len(self.days) == 1 and self.balances[0] == 0

    def on(self, day: Day) -> int:
        """Balance at the end of a day."""
        index = bisect_right(self.days, day)
        return self.balances[index - 1] if index else 0

    def integral(self, first: Day, last: Day) -> int:
        """Sum of end-of-day balances from ``first`` to ``last``, both included."""
        total, until = 0, last + 1
        for index in range(bisect_right(self.days, last) - 1, -1, -1):
            day = self.days[index]
            total += self.balances[index] * (until - max(day, first))
            if day <= first:
                break
            until = day
        return total


class Balances:
    """One customer's deposit accounts; balances in minor units of the reporting currency.

    The sums over the days before today are derived, and moved on day by day: of a day's bookings only the balance so far changes.
    """

    __slots__ = ("_closed", "accounts", "first_day")

    def __init__(self, accounts: dict[str, list[Any]] | None = None, first_day: Day | None = None) -> None:
        self.accounts: dict[str, Account] = {} if accounts is None else {name: Account(*stored) for name, stored in accounts.items()}
        self.first_day = first_day
        #: By window: up to which day, not included, its sum of end-of-day balances goes, and the sum.
        self._closed: dict[int, tuple[Day, int]] = {}

    def packed(self) -> tuple[Any, ...]:
        """What is stored."""
        return {name: account.packed() for name, account in self.accounts.items()}, self.first_day

    def book(self, account_id: str, day: Day, at: Instant, balance: int, today: Day, settled: Day = 0) -> None:
        """A booking left this balance on the account. None can come any more for days before ``settled``."""
        account = self.accounts.get(account_id)
        if account is None:
            account = self.accounts[account_id] = Account()
        if self.first_day is None or day < self.first_day:
            self.first_day = day
        account.book(day, at, balance, today, settled)
        if day < today:
            self._closed.clear()

    def forget(self, today: Day) -> None:
        """Drop days out of every window also where nothing is booked any more, and accounts that have stood at nothing through all of them."""
        oldest = today - KEPT_DAYS - _MOVED_ON_AT_MOST
        for account_id, account in [found for found in self.accounts.items() if found[1].days[0] <= oldest]:
            account.forget(today)
            if account.empty and account.days[0] <= oldest:
                del self.accounts[account_id]

    def current(self, today: Day) -> int | None:
        """Sum of the latest balances, without bookings of later days; None without a known balance."""
        if self.first_day is None or self.first_day > today:
            return None
        return self._on(today)

    def average(self, days: int, today: Day) -> int | None:
        """Average of the end-of-day balances of the window, over the days known; None without a known balance."""
        if self.first_day is None or self.first_day > today:
            return None
        return (self._closed_days(days, today) + self._on(today)) // min(days, today - self.first_day + 1)

    def attrition(self, days: int, today: Day) -> float | None:
        current, average = self.current(today), self.average(days, today)
        return None if current is None or average is None else _attrition(current, average)

    def fill(self, metrics: dict[str, Any], today: Day) -> None:
        """Put every ``balance.*`` key into a snapshot, each average computed once."""
        current = self.current(today)
        if current is None or self.first_day is None:
            return
        metrics["balance.current"] = current
        known = today - self.first_day + 1
        for days, average_key, attrition_key in _KEYS:
            average = metrics[average_key] = (self._closed_days(days, today) + current) // min(days, known)
            metrics[attrition_key] = _attrition(current, average)

    def _on(self, day: Day) -> int:
        total = 0
        for account in self.accounts.values():
            days = account.days
            total += account.balances[-1] if days and days[-1] <= day else account.on(day)
        return total

    def _closed_days(self, days: int, today: Day) -> int:
        """Sum of the end-of-day balances of the window's days before today."""
        known = self._closed.get(days)
        if known is not None and 0 <= today - known[0] <= _MOVED_ON_AT_MOST:
            day, total = known
            while day < today:
                total += self._on(day) - self._on(day - days + 1)
                day += 1
        else:
            total = sum(account.integral(today - days + 1, today - 1) for account in self.accounts.values())
        self._closed[days] = today, total
        return total


def _attrition(current: int, average: int) -> float:
    return max(0.0, round(1 - current / average, 6)) if average > 0 else 0.0
