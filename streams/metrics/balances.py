"""Computes the ``balance.*`` metrics from each deposit account's end-of-day balances."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import Any, Final

from schemas.localtime import DAY_MS, Day, Instant
from schemas.metrics.balances import METRICS

#: Longest window read, and so how far back end-of-day balances are kept.
KEPT_DAYS = max(max(metric.windows) for metric in METRICS if metric.windows)
_WINDOWS: Final = (30, 90)
_KEYS: Final = tuple((f"balance.average.{days}d", f"balance.attrition.{days}d") for days in _WINDOWS)
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


class _Standing:
    """What the accounts come to as of a day: the sum of their balances and, for each of ``_WINDOWS``, its average and how far below it they stand."""

    __slots__ = ("attritions", "averages", "current", "today")

    def __init__(self, today: Day, current: int, averages: list[int]) -> None:
        self.today = today
        self.current = current
        self.averages = averages
        self.attritions = [_attrition(current, average) for average in averages]


class Balances:
    """One customer's deposit accounts; balances in minor units of the reporting currency.

    The sums over the days before today are derived, and moved on day by day: of a day's bookings only the balance so far changes.
    """

    __slots__ = ("_closed", "_standing", "accounts", "first_day")

    def __init__(self, accounts: dict[str, list[Any]] | None = None, first_day: Day | None = None) -> None:
        self.accounts: dict[str, Account] = {} if accounts is None else {name: Account(*stored) for name, stored in accounts.items()}
        self.first_day = first_day
        #: By window: up to which day, not included, its sum of end-of-day balances goes, and the sum.
        self._closed: dict[int, tuple[Day, int]] = {}
        self._standing: _Standing | None = None

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
        self._standing = None
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
        standing = self._as_of(today)
        return None if standing is None else standing.current

    def average(self, days: int, today: Day) -> int | None:
        """Average of the end-of-day balances of the window, over the days known; None without a known balance."""
        standing = self._as_of(today)
        return None if standing is None else standing.averages[_WINDOWS.index(days)]

    def attrition(self, days: int, today: Day) -> float | None:
        """How far the balance is below its average of the window, as a share of it, at least 0; None without a known balance."""
        standing = self._as_of(today)
        return None if standing is None else standing.attritions[_WINDOWS.index(days)]

    def fill(self, metrics: dict[str, Any], today: Day) -> None:
        """Put every ``balance.*`` key into a snapshot."""
        standing = self._as_of(today)
        if standing is None:
            return
        metrics["balance.current"] = standing.current
        for window, (average_key, attrition_key) in enumerate(_KEYS):
            metrics[average_key] = standing.averages[window]
            metrics[attrition_key] = standing.attritions[window]

    def _as_of(self, today: Day) -> _Standing | None:
        standing = self._standing
        if standing is not None and standing.today == today:
            return standing
        first = self.first_day
        if first is None or first > today:
            return None
        current, known = self._on(today), today - first + 1
        standing = self._standing = _Standing(today, current, [(self._closed_days(days, today) + current) // min(days, known) for days in _WINDOWS])
        return standing

    def _on(self, day: Day) -> int:
        total = 0
        for account in self.accounts.values():
            days = account.days
            total += account.balances[-1] if days and days[-1] <= day else account.on(day)
        return total

    def _closed_days(self, days: int, today: Day) -> int:
        """Sum of the end-of-day balances of the window's days before today."""
        known = self._closed.get(days)
        if known is None or not 0 <= today - known[0] <= _MOVED_ON_AT_MOST:
            total = 0
            for account in self.accounts.values():
                total += account.integral(today - days + 1, today - 1)
        else:
            day, total = known
            while day < today:
                total += self._on(day) - self._on(day - days + 1)
                day += 1
        self._closed[days] = today, total
        return total


def _attrition(current: int, average: int) -> float:
    if average <= 0:
        return 0.0
    share = 1 - current / average
    return round(share, 6) if share > 0 else 0.0
