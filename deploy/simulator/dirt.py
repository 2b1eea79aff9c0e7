"""What goes wrong upstream, on purpose: copies, events out of order, events far too late, values out of format.

A good event is never lost to it: spoiled ones are further events beside the good ones, so balances still close.
"""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any, Final

import msgspec

from deploy.inputs import InputLine

_MOVED_AT_MOST: Final = 400


class Dirt:
    """Spoils the lines of a day. ``counts`` says how often each thing was done."""

    def __init__(self, random: Random, share: float) -> None:
        self._random = random
        self._share = share
        self._number = 0
        self.counts: Counter[str] = Counter()

    def spoil(self, lines: list[InputLine]) -> list[InputLine]:
        """The day's lines with the wanted share gone wrong."""
        if not self._share:
            return lines
        random, result = self._random, list[InputLine]()
        later: dict[int, list[InputLine]] = {}
        for index, line in enumerate(lines):
            if line.key is None or random.random() >= self._share:
                result.append(line)
            else:
                what = random.choice(("duplicate", "duplicate", "out_of_order", "out_of_order", "late", "malformed"))
                self.counts[what] += 1
                if what != "out_of_order":
                    result.append(line)
                if what in ("duplicate", "out_of_order"):
                    later.setdefault(index + random.randrange(1, _MOVED_AT_MOST), []).append(line)
                else:
                    result.append(self._late(line) if what == "late" else self._malformed(line))
            result.extend(later.pop(index, ()))
        for index in sorted(later):
            result.extend(later[index])
        return result

    def _fresh(self, line: InputLine) -> dict[str, Any]:
        self._number += 1
        event: dict[str, Any] = msgspec.json.decode(line.value)
        return event | {"event_id": f"{event['event_id']}-spoiled-{self._number}"}

    def _late(self, line: InputLine) -> InputLine:
        """A login told two years after it happened."""
        event = self._fresh(line)
        year = int(event["occurred_at"][:4]) - 2
        told = {"event_id": event["event_id"], "customer_id": event["customer_id"], "occurred_at": f"{year}-06-15T12:00:00+08:00", "source": "mobile-bank"}
        return InputLine("interactions", line.key, msgspec.json.encode(told | {"kind": "login", "channel": "mobile"}))

    def _malformed(self, line: InputLine) -> InputLine:
        event = self._fresh(line)
        match self._random.randrange(5):
            case 0:
                event["occurred_at"] = event["occurred_at"][:19]  # no zone
            case 1:
                del event["source"]
            case 2:
                event |= {"amount": 12.5, "currency": "CNY"} if "amount" in event else {"event_id": 17}
            case 3:
                event |= {"currency": "XYZ"} if "amount" in event else {"occurred_at": "yesterday"}
            case _:
                return InputLine(line.topic, line.key, msgspec.json.encode("not an event"))
        return InputLine(line.topic, line.key, msgspec.json.encode(event))
