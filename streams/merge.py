"""The one order of six topics: the oldest head is next, once every other topic has an event in hand or is read to its end.

The order depends on the topics' contents alone, not on when or in what portions they were fetched: that makes a run and its
replay agree. A record that cannot be read takes the time of the one before it in its topic. A record far ahead of its topic
waits for its successor and goes no later than that: one wild timestamp does not hold back what stands behind it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Final, cast

from schemas.codec import CustomerEvent, ReadEvent, Rejected
from schemas.events import EventKind
from schemas.localtime import Instant
from streams.records import Record
from streams.watermark import JUMP_MS

#: Ties in time are broken in this order: facts about the customer first, the clock last.
RANK: Final[tuple[EventKind, ...]] = ("customer", "transaction", "interaction", "complaint", "feedback", "tick")

Decode = Callable[[EventKind, Record], tuple[ReadEvent, Instant]]


class Head:
    """One record in hand, decoded once; ``event`` or ``rejected`` is set.

    ``place`` is where in time the merge has put it, ``digest`` stands for the event's identity once a lane has looked at it.
    ``customer_id`` and ``key`` are those of the customer whom the event is about; empty for a tick.
    """

    __slots__ = ("at", "customer_id", "digest", "event", "key", "kind", "place", "record", "rejected")

    def __init__(self, kind: EventKind, record: Record, decode: Decode, place: Instant | None = None) -> None:
        self.kind = kind
        self.record = record
        self.event: ReadEvent | None = None
        self.rejected: Rejected | None = None
        self.at: Instant | None = None
        self.place = place
        self.digest = 0
        self.customer_id, self.key = "", b""
        try:
            self.event, self.at = decode(kind, record)
            if kind != "tick":
                self.customer_id = cast(CustomerEvent, self.event).customer_id
                self.key = self.customer_id.encode() if record.key is None else record.key
        except Rejected as rejected:
            # Kept with the frames it went through it would keep this head and all that its callers held, until the collector comes.
            rejected.__traceback__ = rejected.__context__ = None
            self.rejected = rejected


class _Queue:
    """One topic's records in hand. ``latest`` is the time of its last readable record handed out (0 before the first)."""

    __slots__ = ("ended", "head", "head_key", "kind", "latest", "rank", "records", "successors")

    def __init__(self, kind: EventKind, latest: Instant) -> None:
        self.kind = kind
        self.rank = RANK.index(kind)
        self.records: deque[Record] = deque()
        self.successors: deque[Head] = deque()
        self.head: Head | None = None
        self.head_key: Instant | None = None
        self.latest = latest
        self.ended = False

    def __len__(self) -> int:
        return len(self.records) + len(self.successors) + (self.head is not None)

    def look(self, decode: Decode) -> Instant | None:
        """The head's place in time; None if there is no head, or not enough in hand to know its place."""
        if self.head_key is not None:
            return self.head_key
        if self.head is None:
            if self.successors:
                self.head = self.successors.popleft()
            elif self.records:
                self.head = Head(self.kind, self.records.popleft(), decode)
            else:
                return None
        at = self.head.at
        if at is None:
            self.head_key = self.latest
        elif at <= self.latest + JUMP_MS:
            self.head_key = at
        else:
            successor = self._successor(decode)
            if successor is not None:
                self.head_key = min(at, successor)
            elif self.ended:
                self.head_key = at
        return self.head_key

    def _successor(self, decode: Decode) -> Instant | None:
        for following in self.successors:
            if following.at is not None:
                return following.at
        while self.records:
            following = Head(self.kind, self.records.popleft(), decode)
            self.successors.append(following)
            if following.at is not None:
                return following.at
        return None

    def pop(self) -> Head:
        head, key = self.head, self.head_key
        assert head is not None
        assert key is not None
        head.place = key
        if head.at is not None:
            self.latest = key
        self.head = self.head_key = None
        return head


class Merge:
    """The records in hand of one partition number of all input topics."""

    def __init__(self, decode: Decode, latest: dict[EventKind, Instant]) -> None:
        self._decode = decode
        self._queues = {kind: _Queue(kind, latest.get(kind, 0)) for kind in RANK}

    def offer(self, kind: EventKind, records: Sequence[Record]) -> None:
        """Take records in hand, in offset order. They are decoded when they come to the head."""
        self._queues[kind].records.extend(records)

    def ended(self, kind: EventKind, at_end: bool) -> None:
        """Whether this topic has nothing beyond what was offered."""
        self._queues[kind].ended = at_end

    def in_hand(self, kind: EventKind) -> int:
        """How many records of this topic were offered and not yet handed out."""
        return len(self._queues[kind])

    def latest(self) -> dict[EventKind, Instant]:
        """Per topic, the place in time of its last readable record handed out: kept with the state, so a restart orders alike."""
        return {kind: queue.latest for kind, queue in self._queues.items() if queue.latest}

    def next(self) -> Head | None:
        """The next record of the one order; None while a topic is neither in hand nor at its end."""
        best: _Queue | None = None
        best_key = 0
        for queue in self._queues.values():
            key = queue.head_key
            if key is None:
                key = queue.look(self._decode)
                if key is None:
                    if queue.head is None and queue.ended:
                        continue
                    return None
            if best is None or key < best_key:
                best, best_key = queue, key
        return None if best is None else best.pop()
