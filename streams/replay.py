"""The core over records at rest, without a broker: what a run over the same input must agree with, byte for byte."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, Protocol

from alerting.pack import Pack
from schemas.events import EventKind
from schemas.journal import read_line
from schemas.topics import Registry
from streams.lane import Frame, Lane
from streams.merge import RANK
from streams.records import InputRecord

_FRAME: Final = 5000


class Input(Protocol):
    """One record of an input topic: short topic name, partition, key and value."""

    @property
    def topic(self) -> str: ...
    @property
    def partition(self) -> int: ...
    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...


def replay(inputs: Iterable[Input], registry: Registry, pack: Pack, received_at: int, frame_limit: int = _FRAME) -> Iterator[tuple[Lane, Frame]]:
    """Run every partition over the inputs, one after the other; each frame with the lane it came from.

    Records get the offsets that a broker would give them. ``received_at`` (epoch ms) stands for the broker's time of every
    record. All inputs are held in memory: their one order is known only when all have been read.
    """
    kinds = {topic.short: kind for kind, topic in registry.inputs.items()}
    held: list[dict[EventKind, list[InputRecord]]] = [{kind: [] for kind in RANK} for _ in range(registry.partitions)]
    for item in inputs:
        records = held[item.partition][kinds[item.topic]]
        records.append(InputRecord(len(records), received_at, item.key, item.value))
    for number, by_kind in enumerate(held):
        lane = Lane(number, registry, pack, {})
        for kind, records in by_kind.items():
            lane.offer(kind, records)
            lane.ended(kind, True)
        by_kind.clear()
        while (frame := lane.frame(frame_limit)) is not None:
            yield lane, frame


def replay_journal(files: Iterable[Path], registry: Registry, pack: Pack, frame_limit: int = _FRAME) -> Iterator[tuple[Lane, Frame]]:
    """Run journal files, one a partition, named ``journal-<partition>.jsonl``; the order in them is settled. Partitions come by number.

    Raises ValueError for a file name without a partition, a line that is no journal line, or a gap between positions.
    """
    for number, path in sorted((_partition_of(path), path) for path in files):
        lane = Lane(number, registry, pack, {})
        with path.open("rb") as lines:
            entries = (read_line(text) for text in lines if not text.isspace())
            for frame in lane.replay(entries, frame_limit):
                yield lane, frame


def _partition_of(path: Path) -> int:
    stem = path.name.removesuffix(".jsonl").rpartition("-")[2]
    if not stem.isdecimal():
        raise ValueError(f"{path}: a journal file is named journal-<partition>.jsonl")
    return int(stem)
