"""What the full job's records cost alone: Fenghuo's engine writes as many of them as the product would, and computes nothing.

The product's own lane makes one large frame before the worker joins its group. After that every so many transactions, unread, write that frame
again: the same journal, snapshots and states, byte for byte. What is left of the full job's cost is the core's.
"""

from __future__ import annotations

import logging
import os
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from alerting.pack import load_pack
from deploy.benchmarking.workload import plain
from deploy.collector import slow_collector
from schemas.connection import KafkaSettings
from schemas.telemetry import Telemetry
from streams.engine.ports import Processor
from streams.engine.worker import Worker
from streams.lane import Lane
from streams.records import InputRecord, Output, Record
from streams.settings import WorkerSettings

POSITION = b"\x00position"
EVENTS_A_CUSTOMER = 30
FRAME = 500


@dataclass
class WrittenFrame:
    """The same records again and again, and the position after them."""

    outputs: Sequence[Output]
    changelog: dict[bytes, bytes | None]
    positions: dict[str, int]
    counts: Counter[tuple[str, str]]
    clock: int | None = None
    dead_letters_in_a_row: int = 0
    set_aside: list[object] = field(default_factory=list)

    @property
    def steps(self) -> int:
        return self.counts.total()


class WritingLane:
    """Counts transactions, and writes what ``FRAME`` of them made once."""

    def __init__(self, states: dict[bytes, bytes], outputs: Sequence[Output], changed: dict[bytes, bytes | None]) -> None:
        position = states.get(POSITION)
        self.positions = {} if position is None else {"transaction": int(position)}
        self._waiting: list[Record] = []
        self._outputs, self._changed, self._owed = outputs, changed, 0

    def offer(self, _kind: str, records: Sequence[Record]) -> None:
        first = self.positions.get("transaction", 0)
        self._waiting.extend(record for record in records if record.offset >= first)

    def ended(self, _kind: str, _at_end: bool) -> None:
        """One topic only: nothing waits for its end."""

    def in_hand(self, _kind: str) -> int:
        return len(self._waiting)

    def frame(self, limit: int) -> WrittenFrame | None:
        records, self._waiting = self._waiting[:limit], self._waiting[limit:]
        if not records:
            return None
        position = self.positions["transaction"] = records[-1].offset + 1
        times, self._owed = divmod(self._owed + len(records), FRAME)
        changelog: dict[bytes, bytes | None] = {POSITION: b"%d" % position}
        for time in range(times):
            changelog |= {b"%d.%s" % (time, key): value for key, value in self._changed.items()}
        return WrittenFrame(list(self._outputs) * times, changelog, dict(self.positions), Counter({("transaction", "applied"): len(records)}))


def one_frame(kafka: KafkaSettings) -> tuple[Sequence[Output], dict[bytes, bytes | None]]:
    """What the last ``FRAME`` of many transactions come to, of customers as busy as the benchmark's."""
    registry = kafka.registry()
    customers = 2 * FRAME * registry.partitions
    lane = Lane(0, registry, load_pack("bank-cn"), {})
    records = [record for record in plain(customers * EVENTS_A_CUSTOMER, registry.partitions, customers) if record.partition == 0]
    for kind in registry.inputs:
        lane.offer(kind, [InputRecord(n, r.at, r.key, r.value) for n, r in enumerate(records)] if kind == "transaction" else [])
        lane.ended(kind, True)
    frame, last = lane.frame(FRAME), None
    while frame is not None:
        if frame.steps >= FRAME:
            last = frame
        frame = lane.frame(FRAME)
    assert last is not None
    return last.outputs, dict(last.changelog)


def main() -> int:
    """Work until told to stop."""
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    slow_collector()
    namespace, partitions = os.environ["BENCH_NAMESPACE"], int(os.environ["BENCH_PARTITIONS"])
    kafka = KafkaSettings(bootstrap_servers=os.environ["BENCH_SERVERS"], namespace=namespace, partitions=partitions, transactions="on")
    outputs, changed = one_frame(kafka)
    processor = Processor(
        name="written",
        namespace=namespace,
        partitions=partitions,
        inputs={os.environ["BENCH_TOPIC"]: "transaction"},
        changelog=f"{namespace}.written-changelog",
        topic_name=kafka.registry().name,
        lane_factory=lambda _number, states: WritingLane(states, outputs, changed),
    )
    return Worker(kafka, WorkerSettings(), processor, Telemetry()).run()


if __name__ == "__main__":
    code = main()
    sys.stderr.flush()
    os._exit(code)
