"""What the jobs on Fenghuo's engine share here: a lane over one topic, whose changelog keeps its position, and the worker around it.

The garbage collector is slowed, as in the product.
"""

from __future__ import annotations

import logging
import os
import sys
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from deploy.collector import slow_collector
from schemas.connection import KafkaSettings
from schemas.telemetry import Telemetry
from streams.engine.ports import LaneLike, Processor
from streams.engine.worker import Worker
from streams.records import Output, Record
from streams.settings import WorkerSettings

POSITION = b"\x00position"
TRANSACTION = "transaction"


@dataclass
class OneTopicFrame:
    """What a lane wants made durable, and the position after it."""

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


class OneTopicLane:
    """Holds records in offset order; a job says what becomes of those taken."""

    def __init__(self, states: dict[bytes, bytes]) -> None:
        position = states.pop(POSITION, None)
        self.positions = {} if position is None else {TRANSACTION: int(position)}
        self._waiting: deque[Record] = deque()

    def offer(self, _kind: str, records: Sequence[Record]) -> None:
        first = self.positions.get(TRANSACTION, 0)
        self._waiting.extend(record for record in records if record.offset >= first)

    def ended(self, _kind: str, _at_end: bool) -> None:
        """One topic only: nothing waits for its end."""

    def in_hand(self, _kind: str) -> int:
        return len(self._waiting)

    def take(self, limit: int) -> list[Record]:
        """Up to so many records; the position moves past them."""
        records = [self._waiting.popleft() for _ in range(min(limit, len(self._waiting)))]
        if records:
            self.positions[TRANSACTION] = records[-1].offset + 1
        return records

    def made(self, changelog: dict[bytes, bytes | None], counts: Counter[tuple[str, str]], outputs: Sequence[Output] = ()) -> OneTopicFrame:
        """The frame of what was taken."""
        changelog[POSITION] = b"%d" % self.positions[TRANSACTION]
        return OneTopicFrame(changelog, dict(self.positions), counts, outputs)


def settings() -> KafkaSettings:
    """Of the benchmark's broker."""
    namespace, partitions = os.environ["BENCH_NAMESPACE"], int(os.environ["BENCH_PARTITIONS"])
    return KafkaSettings(bootstrap_servers=os.environ["BENCH_SERVERS"], namespace=namespace, partitions=partitions, transactions="on")


def work(name: str, kafka: KafkaSettings, lane: Callable[[dict[bytes, bytes]], LaneLike]) -> None:
    """Be a worker of the job until told to stop; ends the process."""
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    slow_collector()
    processor = Processor(
        name=name,
        namespace=kafka.namespace,
        partitions=kafka.partitions,
        inputs={os.environ["BENCH_TOPIC"]: TRANSACTION},
        changelog=f"{kafka.namespace}.{name}-changelog",
        topic_name=kafka.registry().name,
        lane_factory=lambda _number, states: lane(states),
    )
    code = Worker(kafka, WorkerSettings(), processor, Telemetry()).run()
    sys.stderr.flush()
    os._exit(code)
