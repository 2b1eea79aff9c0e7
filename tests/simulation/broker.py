"""A Kafka broker in memory: logs with transactions and their markers, transactional ids with epochs, a consumer group.

What is modelled is what the engine's promises rest on: a fenced epoch can write nothing; a ``read_committed`` reader sees
nothing beyond the first open transaction and nothing rolled back; markers take offsets and come some time after the
transaction was decided; group offsets are taken only from a member of the current generation; a rebalance revokes everything
before it assigns anything. With ``transactions=False`` it is a broker that knows none of it: what is written is there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from streams.engine.assignor import share_out
from streams.engine.ports import Place
from streams.records import InputRecord
from tests.simulation.scheduler import Process, Scheduler

#: Longest time in seconds between a transaction's decision and its markers.
MARKERS = 0.4
SESSION = 6.0
REBALANCE = 10.0


class Fenced(Exception):
    """A producer with an old epoch."""


class Refused(Exception):
    """A commit by somebody who is no member of the current generation."""


class Message(NamedTuple):
    """What a producer sends to one partition."""

    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes]]


@dataclass(eq=False)
class Transaction:
    """``committed`` is None while it is open. ``places`` are the partitions it wrote to that have no marker yet."""

    places: set[Place] = field(default_factory=set)
    committed: bool | None = None


class Entry(NamedTuple):
    """One offset of a log. A marker, or a record that compaction has removed, has no message."""

    message: Message | None
    transaction: Transaction | None


class Log:
    """One partition. ``open`` holds the first offset of every transaction that has no marker here yet."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.open: dict[Transaction, int] = {}

    @property
    def end(self) -> int:
        return len(self.entries)

    @property
    def stable(self) -> int:
        """The last stable offset: what a read_committed reader may read up to."""
        return min(self.open.values(), default=len(self.entries))

    def visible(self, start: int = 0, end: int | None = None) -> Iterable[tuple[int, Message]]:
        """What a read_committed reader gets between two offsets."""
        for offset in range(start, self.stable if end is None else min(end, self.stable)):
            message, transaction = self.entries[offset]
            if message is not None and (transaction is None or transaction.committed):
                yield offset, message


@dataclass
class Owner:
    """A transactional id: the process that holds it, its epoch, and its transaction until all markers are written."""

    name: str = ""
    epoch: int = 0
    transaction: Transaction | None = None


class Broker:
    """All logs and transactional ids. Calls take no time; clients pause before and after them."""

    def __init__(self, scheduler: Scheduler, received: int) -> None:
        self._scheduler = scheduler
        self._received = received
        self.logs: dict[Place, Log] = {}
        self.owners: dict[str, Owner] = {}
        self.watchers: list[Callable[[Place], None]] = []

    def log(self, place: Place) -> Log:
        return self.logs.setdefault(place, Log())

    def _moved(self, place: Place) -> None:
        for watcher in list(self.watchers):
            watcher(place)

    # -- writing ------------------------------------------------------------------------------------------------------
    def append(self, place: Place, messages: Iterable[Message | None], transaction: Transaction | None = None) -> None:
        """Write a batch; None stands for an offset that holds no record any more."""
        log = self.log(place)
        if transaction is not None and transaction not in log.open:
            log.open[transaction] = log.end
            transaction.places.add(place)
        log.entries += [Entry(message, transaction) for message in messages]
        self._moved(place)

    def decide(self, transaction: Transaction, commit: bool) -> None:
        """Commit or roll back: decided at once, marked in each partition a little later."""
        transaction.committed = commit
        random = self._scheduler.random
        for place in sorted(transaction.places):
            self._scheduler.after(random.uniform(0, MARKERS) * random.random(), lambda place=place: self._mark(place, transaction))

    def settle(self, place: Place, transaction: Transaction, commit: bool) -> None:
        """Decide a transaction of one partition and mark it at once."""
        transaction.committed = commit
        self._mark(place, transaction)

    def _mark(self, place: Place, transaction: Transaction) -> None:
        log = self.log(place)
        log.entries.append(Entry(None, None))
        del log.open[transaction]
        transaction.places.discard(place)
        self._moved(place)

    # -- transactional ids --------------------------------------------------------------------------------------------
    def take_over(self, name: str, by: str) -> int:
        """A new epoch: whoever held the id before is fenced, and what it left open is rolled back."""
        owner = self.owners.setdefault(name, Owner())
        owner.name = by
        owner.epoch += 1
        if owner.transaction is not None and owner.transaction.committed is None:
            self.decide(owner.transaction, False)
        return owner.epoch

    def busy(self, name: str) -> bool:
        """Whether markers of the id's last transaction are still to be written."""
        transaction = self.owners[name].transaction
        return transaction is not None and transaction.committed is not None and bool(transaction.places)

    def send(self, name: str, epoch: int, place: Place, messages: list[Message]) -> None:
        """Write a batch in the id's transaction. Raises Fenced."""
        owner = self._owner(name, epoch)
        if owner.transaction is None or owner.transaction.committed is not None:
            owner.transaction = Transaction()
        self.append(place, messages, owner.transaction)

    def end(self, name: str, epoch: int, commit: bool) -> None:
        """Commit or roll back the id's transaction, if there is one. Raises Fenced."""
        owner = self._owner(name, epoch)
        if owner.transaction is not None and owner.transaction.committed is None:
            self.decide(owner.transaction, commit)

    def _owner(self, name: str, epoch: int) -> Owner:
        owner = self.owners[name]
        if owner.epoch != epoch:
            raise Fenced
        return owner

    # -- reading ------------------------------------------------------------------------------------------------------
    def fetch(self, place: Place, start: int, most: int) -> tuple[list[InputRecord], int]:
        """At most so many records from an offset on, and where to read on: past markers and what was rolled back."""
        records: list[InputRecord] = []
        for offset, (key, value, headers) in self.log(place).visible(start):
            if len(records) == most:
                return records, offset
            records.append(InputRecord(offset, self._received, key, value, headers))
        return records, max(start, self.log(place).stable)


@dataclass(eq=False)
class Membership:
    """One consumer in the group. ``rejoin`` tells it that a rebalance has begun, ``receive`` its share, ``lost`` that it was put out."""

    process: Process
    rejoin: Callable[[], None]
    receive: Callable[[list[int], int], None]
    lost: Callable[[], None]
    held: list[int] = field(default_factory=list)
    joined: bool = False
    out: bool = False


class Group:
    """A consumer group under the eager protocol: everybody gives up everything, joins again, and gets a share."""

    def __init__(self, scheduler: Scheduler, numbers: int) -> None:
        self._scheduler = scheduler
        self._numbers = range(numbers)
        self.members: list[Membership] = []
        self.offsets: dict[Place, int] = {}
        self.generation = 0
        self._round = 0
        self.rebalancing = False

    def join(self, member: Membership) -> None:
        """Come in, or come back for the next generation."""
        if member not in self.members:
            self.members.append(member)
        member.joined = True
        if not self.rebalancing:
            self._begin()
        self._complete()

    def leave(self, member: Membership) -> None:
        """Take a member out of the group."""
        member.out = True
        if member in self.members:
            self.members.remove(member)
            if self.rebalancing:
                self._complete()
            elif self.members:
                self._begin()

    def silent(self, member: Membership) -> None:
        """A member's process is dead or stopped: it is put out unless it is heard again within the session timeout."""

        def judge() -> None:
            if not member.process.alive or member.process.stopped:
                member.lost()
                self.leave(member)

        self._scheduler.after(SESSION, judge)

    def commit(self, member: Membership, generation: int, offsets: dict[Place, int]) -> None:
        """Take group offsets. Raises Refused for one that is no member or belongs to another generation."""
        if member.out or generation != self.generation:
            raise Refused
        self.offsets.update(offsets)

    def _begin(self) -> None:
        self.rebalancing = True
        self._round += 1
        this = self._round
        for member in self.members:
            if not member.joined:
                self._scheduler.after(self._scheduler.random.uniform(0.01, 1.0), member.rejoin)
        self._scheduler.after(REBALANCE, lambda: self._out_of_time(this))

    def _out_of_time(self, this: int) -> None:
        if self.rebalancing and this == self._round:
            for member in [member for member in self.members if not member.joined]:
                member.out = True
                member.lost()
                self.members.remove(member)
            self._complete()

    def _complete(self) -> None:
        if not self.rebalancing or not all(member.joined for member in self.members):
            return
        self.rebalancing = False
        if not self.members:
            return
        self.generation += 1
        names = {f"m{number}": member for number, member in enumerate(self.members)}
        shares = share_out(self._numbers, {name: member.held for name, member in names.items()})
        for name, member in names.items():
            member.joined = False
            member.held = shares[name]
            generation = self.generation
            self._scheduler.after(self._scheduler.random.uniform(0.001, 0.3), lambda member=member, generation=generation: self._give(member, generation))

    def _give(self, member: Membership, generation: int) -> None:
        if generation == self.generation and not self.rebalancing and not member.out:
            member.receive(member.held, generation)
