"""Computes the ``loan.*`` and ``one_loan.*`` metrics from instalments due and repayments."""

from __future__ import annotations

from typing import Any

from schemas.localtime import Day

_POSITIONS_KEPT = 6
_SETTLED_KEPT = 12
#: A loan may be due once a year: quiet for two, with nothing owed, it is over.
_KEPT_QUIET_DAYS = 800


class Loan:
    """``due`` is a flat run of (due day, amount), oldest first: every unpaid instalment and the last few settled ones, which a
    repayment taken back makes unpaid again. ``paid`` is the money paid on these, and ahead of the next. Minor units.
    ``last_day`` is the latest day of an instalment or a repayment; 0 in a state that was written before it was kept.
    """

    __slots__ = ("due", "last_day", "paid", "positions")

    def __init__(self, due: list[int] | None = None, paid: int = 0, positions: list[int] | None = None, last_day: Day = 0) -> None:
        self.due: list[int] = [] if due is None else due
        self.paid = paid
        self.positions: list[int] = [] if positions is None else positions
        self.last_day = last_day

    def packed(self) -> tuple[Any, ...]:
        """What is stored."""
        return self.due, self.paid, self.positions, self.last_day

    def falls_due(self, day: Day, amount: int) -> None:
        index = len(self.due)
        while index and self.due[index - 2] > day:
            index -= 2
        self.due[index:index] = (day, amount)
        self._drop_settled()

    def repaid(self, amount: int) -> None:
        """Settles the oldest instalment first; a negative amount (a reversal) makes the last settled unpaid again."""
        self.paid += amount
        self._drop_settled()

    def _drop_settled(self) -> None:
        spare = len(self._settled()) - _SETTLED_KEPT
        for _ in range(spare):
            self.paid -= self.due[1]
            del self.due[:2]

    def _settled(self) -> list[int]:
        """The amounts of the instalments that are fully paid."""
        left, settled = self.paid, []
        for amount in self.due[1::2]:
            left -= amount
            if left < 0:
                break
            settled.append(amount)
        return settled

    def owed(self) -> list[tuple[Day, int]]:
        """Due day and unpaid amount of the instalments not fully paid, oldest first."""
        left, owed = self.paid, []
        for day, amount in zip(self.due[0::2], self.due[1::2], strict=True):
            if left < amount:
                owed.append((day, amount - max(0, left)))
            left -= amount
        return owed

    def settled(self) -> bool:
        """Whether nothing is owed, and nothing paid ahead that could still count."""
        return not self.owed() and self.paid <= sum(self.due[1::2])

    def touched(self, position: int, day: Day) -> None:
        self.last_day = max(self.last_day, day)
        self.positions.append(position)
        del self.positions[:-_POSITIONS_KEPT]

    def due_since(self) -> Day | None:
        owed = self.owed()
        return owed[0][0] if owed else None

    def dpd(self, today: Day) -> int:
        since = self.due_since()
        return 0 if since is None else max(0, today - since)

    def unpaid(self, before: Day) -> tuple[int, int]:
        """Number and amount of the instalments not fully paid that fell due before a day."""
        amounts = [amount for day, amount in self.owed() if day < before]
        return len(amounts), sum(amounts)


class Loans:
    """One customer's loans by their id. ``over`` says that there were others, which are forgotten: nothing owed is still a finding."""

    __slots__ = ("loans", "over")

    def __init__(self, loans: dict[str, list[Any]] | None = None, over: bool = False) -> None:
        self.loans: dict[str, Loan] = {} if loans is None else {name: Loan(*stored) for name, stored in loans.items()}
        self.over = over

    def packed(self) -> tuple[Any, ...]:
        """What is stored."""
        return {name: loan.packed() for name, loan in self.loans.items()}, self.over

    def __bool__(self) -> bool:
        """Whether the customer has or had a loan."""
        return bool(self.loans) or self.over

    def loan(self, loan_id: str) -> Loan:
        loan = self.loans.get(loan_id)
        if loan is None:
            loan = self.loans[loan_id] = Loan()
        return loan

    def forget(self, today: Day) -> None:
        """Drop loans that are over: one of that name that falls due again is another."""
        oldest = today - _KEPT_QUIET_DAYS
        for loan_id in [loan_id for loan_id, loan in self.loans.items() if 0 < loan.last_day < oldest and loan.settled()]:
            del self.loans[loan_id]
            self.over = True

    def unpaid(self, before: Day) -> tuple[int, int]:
        counted = [loan.unpaid(before) for loan in self.loans.values()]
        return sum(count for count, _ in counted), sum(amount for _, amount in counted)

    def dpd(self, today: Day) -> int:
        return max((loan.dpd(today) for loan in self.loans.values()), default=0)
