"""The small job on Fenghuo's engine: the same framed worker and transactions as the product, with a lane that only sums.

One Kafka transaction a frame holds sums and positions, so the positions alone make a replay harmless.
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

from pydantic import BaseModel, Field, ValidationError

from schemas.connection import KafkaSettings
from schemas.telemetry import Telemetry
from streams.engine.ports import Processor
from streams.engine.worker import Worker
from streams.records import Output, Record
from streams.settings import WorkerSettings

POSITION = b"\x00position"


class Transaction(BaseModel):
    """What the job reads of an event, validated."""

    event_id: Annotated[str, Field(min_length=1, max_length=128)]
    customer_id: Annotated[str, Field(min_length=1, max_length=128)]
    occurred_at: Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")]
    amount: Annotated[str, Field(pattern=r"^\d{1,15}\.\d\d$")]


validate = Transaction.__pydantic_validator__.validate_json


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
            except ValidationError:
                counts["transaction", "dead_lettered"] += 1
                continue
            key = f"{event.customer_id}|{event.occurred_at[:10]}".encode()
            sums[key] = sums.get(key, 0) + int(event.amount.replace(".", ""))
            touched.add(key)
        counts["transaction", "applied"] = len(records) - counts["transaction", "dead_lettered"]
        position = self.positions["transaction"] = records[-1].offset + 1
        changelog: dict[bytes, bytes | None] = {key: b"%d" % sums[key] for key in touched}
        changelog[POSITION] = b"%d" % position
        return SumFrame(changelog, dict(self.positions), counts)


def main() -> int:
    """Work until told to stop."""
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
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
