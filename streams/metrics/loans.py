"""Computes the ``loan.*`` and ``one_loan.*`` metrics from instalments due and repayments."""

from __future__ import annotations

import msgspec

from streams.calendar import Day

_POSITIONS_KEPT = 6


class Loan(msgspec.Struct, array_like=True):
    """``due`` is a flat run of (due day, unpaid amount), oldest first; ``credit`` was paid ahead. Minor units."""

    due: list[int] = msgspec.field(default_factory=list)
    credit: int = 0
    positions: list[int] = msgspec.field(default_factory=list)

    def falls_due(self, day: Day, amount: int) -> None:
        index = len(self.due)
        while index and self.due[index - 2] > day:
            index -= 2
        self.due[index:index] = (day, amount)
        ahead, self.credit = self.credit, 0
        self.repaid(ahead)

    def repaid(self, amount: int) -> None:
        """Settles the oldest instalment first; a negative amount (a reversal) makes the oldest unpaid again."""
        if amount < 0:
            back = -amount
            taken = min(back, self.credit)
            self.credit -= taken
            if back > taken and self.due:
                self.due[1] += back - taken
            elif back > taken:
                self.credit -= back - taken
            return
        while amount and self.due:
            if self.due[1] > amount:
                self.due[1] -= amount
                return
            amount -= self.due[1]
            del self.due[:2]
        self.credit += amount

    def touched(self, position: int) -> None:
        self.positions.append(position)
        del self.positions[:-_POSITIONS_KEPT]

    def due_since(self) -> Day | None:
        return self.due[0] if self.due else None

    def dpd(self, today: Day) -> int:
        return max(0, today - self.due[0]) if self.due else 0

    def unpaid(self, before: Day) -> tuple[int, int]:
        """Number and amount of the instalments not fully paid that fell due before a day."""
        amounts = [self.due[index + 1] for index in range(0, len(self.due), 2) if self.due[index] < before]
        return len(amounts), sum(amounts)


class Loans(msgspec.Struct, array_like=True):
    """One customer's loans by their id."""

    loans: dict[str, Loan] = msgspec.field(default_factory=dict)

    def loan(self, loan_id: str) -> Loan:
        return self.loans.setdefault(loan_id, Loan())

    def unpaid(self, before: Day) -> tuple[int, int]:
        counted = [loan.unpaid(before) for loan in self.loans.values()]
        return sum(count for count, _ in counted), sum(amount for _, amount in counted)

    def dpd(self, today: Day) -> int:
        return max((loan.dpd(today) for loan in self.loans.values()), default=0)
