"""Where what happens becomes an event: ids, times, balances and JSON in one place."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from deploy.inputs import InputLine
from deploy.simulator.calendar import Calendar, clock_text
from deploy.simulator.people import Customer

_encode: Final = msgspec.json.Encoder().encode


class Desk:
    """Collects the lines of the day. An account's balance changes here and nowhere else."""

    def __init__(self, seed: int, calendar: Calendar) -> None:
        self._calendar = calendar
        self._prefix = f"sim{seed}-"
        self._number = 0
        self._date = ""
        self.lines: list[InputLine] = []

    def open_day(self, day: int) -> None:
        """Start a new day's lines."""
        self._date = self._calendar.date(day).isoformat()
        self.lines = []

    def _envelope(self, second: int, customer: Customer, source: str) -> dict[str, Any]:
        self._number += 1
        return {"event_id": f"{self._prefix}{self._number}", "customer_id": customer.id, "occurred_at": self._date + clock_text(second), "source": source}

    def book(self, second: int, customer: Customer, kind: str, amount: int, incoming: bool, channel: str, **more: Any) -> None:
        """A posted movement of ``amount`` fen on the customer's account."""
        customer.balance += amount if incoming else -amount
        event = self._envelope(second, customer, "core-banking")
        event["account_id"] = customer.account_id
        event["amount"] = yuan(amount)
        event["currency"] = "CNY"
        event["direction"] = "in" if incoming else "out"
        event["kind"] = kind
        event["channel"] = channel
        event["balance_after"] = yuan(customer.balance)
        if more:
            event |= more
        self.lines.append(InputLine("transactions", customer.id, _encode(event)))

    def note(self, second: int, customer: Customer, kind: str, amount: int, **more: Any) -> None:
        """A fact that moves no money: an instalment due, a product opened or closed."""
        event = self._envelope(second, customer, "core-banking")
        event |= {"account_id": customer.account_id, "amount": yuan(amount), "currency": "CNY", "direction": "none", "kind": kind, "channel": "system"} | more
        self.lines.append(InputLine("transactions", customer.id, _encode(event)))

    def contact(self, second: int, customer: Customer, kind: str, channel: str, **more: Any) -> None:
        """An interaction."""
        event = self._envelope(second, customer, "contact-centre")
        event["kind"] = kind
        event["channel"] = channel
        if more:
            event |= more
        self.lines.append(InputLine("interactions", customer.id, _encode(event)))

    def case(self, second: int, customer: Customer, case_id: str, step: str, **more: Any) -> None:
        """A step of a complaint."""
        event = self._envelope(second, customer, "complaint-desk")
        event |= {"case_id": case_id, "step": step} | more
        self.lines.append(InputLine("complaints", customer.id, _encode(event)))

    def profile(self, second: int, customer: Customer) -> None:
        """The customer's recorded profile."""
        event = self._envelope(second, customer, "crm-master")
        event |= {"change": "recorded", "outlet_id": customer.outlet, "relationship_manager": customer.manager} | customer.profile
        self.lines.append(InputLine("customers", customer.id, _encode(event)))


def yuan(fen: int) -> str:
    """``1230`` -> ``"12.30"``."""
    if fen < 0:
        return f"-{-fen // 100}.{-fen % 100:02d}"
    return f"{fen // 100}.{fen % 100:02d}"
