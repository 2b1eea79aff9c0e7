"""Who owns which partition number: the same number of every input topic goes to one worker, and stays where it is if it can.

Kafka's round-robin would give customers' transactions to one worker and their complaints to another. Members send the numbers
they hold, so a rebalance moves only what balance demands: a lane that stays need not read its state again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from aiokafka.coordinator.assignors.abstract import AbstractPartitionAssignor  # type: ignore[import-untyped]
from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment, ConsumerProtocolMemberMetadata  # type: ignore[import-untyped]


def share_out(numbers: Iterable[int], claims: Mapping[str, Iterable[int]]) -> dict[str, list[int]]:
    """Partition numbers per member: counts differ by one at most, and as many numbers as possible stay with who claims them."""
    free = set(numbers)
    least, extra = divmod(len(free), len(claims))
    wanted = {member: sorted(set(claimed) & free) for member, claimed in claims.items()}
    order = sorted(wanted, key=lambda member: (-len(wanted[member]), member))
    quota = {member: least + (rank < extra) for rank, member in enumerate(order)}
    shares: dict[str, list[int]] = {}
    for member in order:
        shares[member] = [number for number in wanted[member] if number in free][: quota[member]]
        free.difference_update(shares[member])
    left = sorted(free, reverse=True)
    for member in order:
        while len(shares[member]) < quota[member]:
            shares[member].append(left.pop())
        shares[member].sort()
    return shares


class CopartitionAssignor(AbstractPartitionAssignor):  # type: ignore[misc]
    """The group's assignment strategy; every worker of a processor uses it."""

    name = "fenghuo-copartition"
    version = 0

    def __init__(self) -> None:
        self._held: tuple[int, ...] = ()

    def metadata(self, topics: Iterable[str]) -> Any:
        """What this worker tells the group when it joins: its topics, and the numbers it holds."""
        return ConsumerProtocolMemberMetadata(self.version, sorted(topics), b",".join(b"%d" % number for number in self._held))

    def assign(self, cluster: Any, members: Mapping[str, Any]) -> dict[str, Any]:
        """The leader's work: all topics of the group, number by number. Topics that the broker does not know yet are left out."""
        topics = sorted({topic for member in members.values() for topic in member.subscription})
        known = {topic: cluster.partitions_for_topic(topic) or set() for topic in topics}
        claims = {member: [int(number) for number in metadata.user_data.split(b",") if number] for member, metadata in members.items()}
        shares = share_out(set().union(*known.values()), claims)
        return {
            member: ConsumerProtocolMemberAssignment(
                self.version, [(topic, [number for number in shares[member] if number in known[topic]]) for topic in topics], b""
            )
            for member in members
        }

    def on_assignment(self, assignment: Any) -> None:
        """Remember what this worker was given."""
        self._held = tuple(sorted({number for _topic, numbers in assignment.assignment for number in numbers}))
