"""The small job on Fenghuo's engine: the same framed worker and transactions as the product, with a lane that only sums.

One Kafka transaction a frame holds sums and positions, so the positions alone make a replay harmless. Events are validated by
msgspec and the garbage collector is slowed, both as in the product.
"""

from __future__ import annotations

import logging
import os
import sys
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Annotated

import msgspec
from msgspec import Meta

from deploy.collector import slow_collector
from schemas.connection import KafkaSettings
from schemas.telemetry import Telemetry
from streams.engine.ports import Processor
from streams.engine.worker import Worker
from streams.records import Output, Record
from streams.settings import WorkerSettings

POSITION = b"\x00position"


class Transaction(msgspec.Struct, gc=False):
    """What the job reads of an event, validated; as its peers do, it takes the customer from the record's key and the day as it is spelled."""

    event_id: Annotated[str, Meta(min_length=1, max_length=128)]
    occurred_at: Annotated[str, Meta(min_length=19, max_length=35)]
    amount: Annotated[str, Meta(min_length=4, max_length=18)]


validate = msgspec.json.Decoder(Transaction).decode


@dataclass
class SumFrame:
    """Sums that changed, and the position after them."""

    changelog: dict[bytes, bytes | None]
    positions: dict[str, int]
    counts: Counter[tuple[str, str]]
    outputs: Sequence[Output] = ()
    clock: int | None = None
    dead_letters_in_a_row: int = 0
    set_aside: list[object] = field(default_factory=list)

    @property
    def steps(self) -> int:
        return self.counts.total()


class SumLane:
    """Minor units per customer and day."""

    def __init__(self, states: dict[bytes, bytes]) -> None:
        position = states.pop(POSITION, None)
        self.positions = {} if position is None else {"transaction": int(position)}
        self._sums = {key: int(value) for key, value in states.items()}
        self._waiting: deque[Record] = deque()

    def offer(self, _kind: str, records: Sequence[Record]) -> None:
        first = self.positions.get("transaction", 0)
        self._waiting.extend(record for record in records if record.offset >= first)

    def ended(self, _kind: str, _at_end: bool) -> None:
        """One topic only: nothing waits for its end."""

    def in_hand(self, _kind: str) -> int:
        return len(self._waiting)

    def frame(self, limit: int) -> SumFrame | None:
        records = list(islice(self._waiting, limit))
        if not records:
            return None
        sums, touched, counts = self._sums, set(), Counter[tuple[str, str]]()
        for record in records:
            self._waiting.popleft()
            try:
                event = validate(record.value)
                minor = int(event.amount.replace(".", ""))
            except ValueError:  # of msgspec too
                counts["transaction", "dead_lettered"] += 1
                continue
            key = record.key + event.occurred_at[:10].encode()
            sums[key] = sums.get(key, 0) + minor
            touched.add(key)
        counts["transaction", "applied"] = len(records) - counts["transaction", "dead_lettered"]
        position = self.positions["transaction"] = records[-1].offset + 1
        changelog: dict[bytes, bytes | None] = {key: b"%d" % sums[key] for key in touched}
        changelog[POSITION] = b"%d" % position
        return SumFrame(changelog, dict(self.positions), counts)


def main() -> int:
    """Work until told to stop."""
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    slow_collector()
    namespace, partitions = os.environ["BENCH_NAMESPACE"], int(os.environ["BENCH_PARTITIONS"])
    processor = Processor(
        name="small",
        namespace=namespace,
        partitions=partitions,
        inputs={os.environ["BENCH_TOPIC"]: "transaction"},
        changelog=f"{namespace}.small-changelog",
        topic_name=lambda short: f"{namespace}.{short}",
        lane_factory=lambda _number, states: SumLane(states),
    )
    kafka = KafkaSettings(bootstrap_servers=os.environ["BENCH_SERVERS"], namespace=namespace, partitions=partitions, transactions="on")
    return Worker(kafka, WorkerSettings(), processor, Telemetry()).run()


if __name__ == "__main__":
    code = main()
    sys.stderr.flush()
    os._exit(code)
