"""The order of an account's bookings within a day, found from the balances after each of them.

A file with dates but no times does not say which booking came first, though each states the balance that it left. The order in which
each balance follows from the one before is the order of booking; without it an account's balance at the end of a day would be wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

_ROUNDING: Final = 10  # minor units: the source rounds amounts and balances each on its own
_MOST_STEPS: Final = 20_000


class Booking(NamedTuple):
    """Signed amount and the balance after it, in minor units."""

    change: int
    balance: int


def in_booking_order(bookings: Sequence[Booking], before: int | None) -> list[int]:
    """Indexes of the bookings in an order in which the balances close; ``before`` is the balance before the day, None if not known.

    Of several such orders the one nearest to the order given. If there is none, bookings that fit come first at each step.
    """
    if len(bookings) == 1:
        return [0]
    starts = [before] if before is not None else sorted({each.balance - each.change for each in bookings}, key=abs)
    for start in starts:
        found = _search(bookings, start)
        if found is not None:
            return found
    return _nearest(bookings, starts[0])


def _search(bookings: Sequence[Booking], start: int) -> list[int] | None:
    order: list[int] = []
    left = list(range(len(bookings)))
    steps = 0

    def extend(balance: int) -> bool:
        nonlocal steps
        if not left:
            return True
        for tolerance in (0, _ROUNDING):
            for index in left.copy():
                gap = abs(balance + bookings[index].change - bookings[index].balance)
                if gap > tolerance or (tolerance and not gap):
                    continue
                steps += 1
                if steps > _MOST_STEPS:
                    return False
                place = left.index(index)
                left.pop(place)
                order.append(index)
                if extend(bookings[index].balance):
                    return True
                order.pop()
                left.insert(place, index)
        return False

    return order if extend(start) else None


def _nearest(bookings: Sequence[Booking], balance: int) -> list[int]:
    order, left = [], list(range(len(bookings)))
    while left:
        index = min(left, key=lambda each: abs(balance + bookings[each].change - bookings[each].balance))
        left.remove(index)
        order.append(index)
        balance = bookings[index].balance
    return order
