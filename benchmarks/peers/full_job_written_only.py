"""What the full job's records cost alone: Fenghuo's engine writes as many of them as the product would, and computes nothing.

The product's own lane makes one large frame before the worker joins its group. After that every so many transactions, unread, write that frame
again: the same journal, snapshots and states, byte for byte. What is left of the full job's cost is the core's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from one_topic import TRANSACTION, OneTopicFrame, OneTopicLane, settings, work

from alerting.pack import load_pack
from deploy.benchmarking.workload import plain
from schemas.topics import Registry
from streams.lane import Lane
from streams.records import InputRecord, Output

EVENTS_A_CUSTOMER = 30
FRAME = 500


class WritingLane(OneTopicLane):
    """Counts transactions, and writes what ``FRAME`` of them made once."""

    def __init__(self, states: dict[bytes, bytes], outputs: Sequence[Output], changed: dict[bytes, bytes | None]) -> None:
        super().__init__(states)
        self._outputs, self._changed, self._owed = outputs, changed, 0

    def frame(self, limit: int) -> OneTopicFrame | None:
        records = self.take(limit)
        if not records:
            return None
        times, self._owed = divmod(self._owed + len(records), FRAME)
        changelog: dict[bytes, bytes | None] = {b"%d.%s" % (time, key): value for time in range(times) for key, value in self._changed.items()}
        return self.made(changelog, Counter({(TRANSACTION, "applied"): len(records)}), list(self._outputs) * times)


def one_frame(registry: Registry) -> tuple[Sequence[Output], dict[bytes, bytes | None]]:
    """What the last ``FRAME`` of many transactions come to, of customers as busy as the benchmark's."""
    customers = 2 * FRAME * registry.partitions
    lane = Lane(0, registry, load_pack("bank-cn"), {})
    records = [record for record in plain(customers * EVENTS_A_CUSTOMER, registry.partitions, customers) if record.partition == 0]
    for kind in registry.inputs:
        lane.offer(kind, [InputRecord(n, r.at, r.key, r.value) for n, r in enumerate(records)] if kind == TRANSACTION else [])
        lane.ended(kind, True)
    frame, last = lane.frame(FRAME), None
    while frame is not None:
        if frame.steps >= FRAME:
            last = frame
        frame = lane.frame(FRAME)
    assert last is not None
    return last.outputs, dict(last.changelog)


if __name__ == "__main__":
    kafka = settings()
    outputs, changed = one_frame(kafka.registry())
    work("written", kafka, lambda states: WritingLane(states, outputs, changed))
