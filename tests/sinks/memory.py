"""A topic store in memory that the sink reads like Kafka: partitions, commits that survive a sink, kills, rebalances."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from schemas import journal
from schemas.events import EventKind
from schemas.outputs import SetAside
from sinks.source import End, Fetched, NotOwner, Place

NOW = 1_790_000_000_000


@dataclass
class Topics:
    """What the brokers hold. ``commits`` are the group's."""

    records: dict[Place, list[Fetched]] = field(default_factory=dict)
    commits: dict[Place, int] = field(default_factory=dict)
    positions: dict[int, int] = field(default_factory=dict)

    def put(self, short: str, partition: int, value: bytes | None, key: bytes | None = None, headers: Iterable[tuple[str, bytes]] = ()) -> int:
        place = (short, partition)
        held = self.records.setdefault(place, [])
        offset = held[-1].offset + 1 if held else 0
        held.append(Fetched(place, offset, NOW, key, value, list(headers)))
        return offset

    def journal(self, partition: int, events: Iterable[tuple[EventKind, dict[str, Any] | bytes]]) -> int:
        """One chunk."""
        lines = []
        for kind, event in events:
            position = self.positions.get(partition, 0)
            self.positions[partition] = position + 1
            value = event if isinstance(event, bytes) else json.dumps(event, separators=(",", ":"), ensure_ascii=False).encode()
            lines.append(journal.line(kind, position, position, value))
        return self.put("journal", partition, b"\n".join(lines))

    def dead_letter(self, partition: int, offset: int, value: bytes | None, why: str = "not_json") -> int:
        aside = SetAside("crm.transactions", partition, offset, "decode", why, "the value is not JSON")
        return self.put("dead-letters", partition, value, b"c1", aside.headers([("traceparent", b"00-ab")]))


class MemorySource:
    """One member that owns every place, until ``revoke``."""

    def __init__(self, topics: Topics, batch: int = 10_000) -> None:
        self.topics = topics
        self.batch = batch
        self.owned: dict[Place, int] = {}
        self.paused = False
        self.closed = False
        self.refuse_commits = False
        self.commits: list[dict[Place, int]] = []
        self._assigned: Callable[[list[Place]], None] = lambda _: None
        self._revoked: Callable[[list[Place]], None] = lambda _: None

    def open(self, assigned: Callable[[list[Place]], None], revoked: Callable[[list[Place]], None]) -> None:
        self._assigned, self._revoked = assigned, revoked
        self.owned = {place: self.topics.commits.get(place, 0) for place in self.topics.records}
        assigned(list(self.owned))

    def incarnations(self) -> dict[str, str]:
        return dict.fromkeys(("journal", "customer-metrics", "alerts", "dead-letters", "late-events"), "i1")

    def poll(self, timeout: float) -> list[Fetched | End]:  # noqa: ARG002
        if self.paused:
            return []
        found: list[Fetched | End] = []
        for place, position in self.owned.items():
            records = list(itertools.islice((r for r in self.topics.records[place] if r.offset >= position), self.batch))
            found += records
            self.owned[place] = position = records[-1].offset + 1 if records else position
            held = self.topics.records[place]
            if not held or position > held[-1].offset:
                found.append(End(place, position))
        return found

    def pause(self) -> None:
        self.paused = True

    def resume(self) -> None:
        self.paused = False

    def commit(self, positions: Mapping[Place, int]) -> None:
        if self.refuse_commits:
            raise NotOwner("ILLEGAL_GENERATION")
        self.topics.commits.update(positions)
        self.commits.append(dict(positions))

    def lag(self, place: Place, position: int) -> int | None:
        return len([r for r in self.topics.records[place] if r.offset >= position])

    def close(self) -> None:
        self.closed = True


def transaction(number: int, **changes: Any) -> dict[str, Any]:
    """A valid transaction."""
    return {
        "event_id": f"t{number}",
        "customer_id": f"c{number % 7}",
        "occurred_at": f"2026-{1 + number % 9:02}-{1 + number % 28:02}T{number % 24:02}:{number % 60:02}:00+08:00",
        "source": "core",
        "account_id": f"a{number % 7}",
        "amount": f"{number}.25",
        "currency": "CNY",
        "direction": "out",
        "kind": "card_purchase",
        **changes,
    }
