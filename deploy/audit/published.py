"""What the workers say they did and what they published, read from the broker."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
from confluent_kafka import Message

from deploy.pipeline.reading import TopicReader
from schemas import journal
from schemas.events import EventKind
from schemas.outputs import dead_letter
from schemas.topics import Registry
from streams.partition_record import KEY, PartitionRecord, decode_record


@dataclass(slots=True)
class Published:
    """Everything the audit compares, per partition; topics by short name.

    ``faults`` counts what must never be: gaps or repetitions of journal positions, offsets applied out of order, lines that
    are none. ``revisions`` are distinct pairs of subject and revision, hashed: without transactions a crash may publish one
    twice. ``first`` is the lowest offset (journal: position) the broker still has.
    """

    records: dict[int, PartitionRecord] = field(default_factory=dict)
    applied: Counter[tuple[int, EventKind]] = field(default_factory=Counter)
    journal_ends: dict[int, int] = field(default_factory=dict)
    journal_faults: Counter[int] = field(default_factory=Counter)
    first: dict[str, dict[int, int]] = field(default_factory=lambda: defaultdict(dict))
    rows: dict[str, Counter[int]] = field(default_factory=lambda: defaultdict(Counter))
    revisions: dict[str, dict[int, set[int]]] = field(default_factory=lambda: defaultdict(dict))
    subjects: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    aside: dict[str, dict[tuple[str, int], set[tuple[str, int]]]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(set)))
    refused: Counter[tuple[str, int]] = field(default_factory=Counter)
    unread: Counter[tuple[str, int]] = field(default_factory=Counter)
    ends: dict[tuple[str, int], int] = field(default_factory=dict)


class _Snapshot(msgspec.Struct):
    customer_id: str
    revision: int


class _Alert(msgspec.Struct):
    alert_id: str
    revision: int


_SUBJECT: Final[dict[str, Callable[[bytes], _Snapshot | _Alert]]] = {
    "customer-metrics": msgspec.json.Decoder(_Snapshot).decode,
    "alerts": msgspec.json.Decoder(_Alert).decode,
}


def read_published(reader: TopicReader, registry: Registry) -> Published:
    """Read the changelog's partition records, the journal and all outputs to their ends. Raises DependencyLost."""
    found = Published()
    offsets: dict[tuple[int, EventKind], int] = {}
    shorts = {registry.name(short): short for short in ("customer-changelog", "journal", *_SUBJECT, "dead-letters", "late-events")}
    for message in reader.read(list(shorts), registry.partitions):
        short, partition = shorts[message.topic() or ""], message.partition() or 0
        value = _bytes(message.value() or b"")
        if short == "customer-changelog":
            if message.key() == KEY and value:
                found.records[partition] = decode_record(value)
        elif short == "journal":
            _add_chunk(found, offsets, partition, value)
        else:
            found.first[short].setdefault(partition, message.offset() or 0)
            found.rows[short][partition] += 1
            if short in _SUBJECT:
                one = _SUBJECT[short](value)
                subject = one.alert_id if isinstance(one, _Alert) else one.customer_id
                found.revisions[short].setdefault(partition, set()).add(hash((subject, one.revision)))
                found.subjects[short].add(subject)
            else:
                _add_set_aside(found, short, message)
    inputs = {topic.name: kind for kind, topic in registry.inputs.items()}
    start = {(name, number): record.inputs[kind].next for number, record in found.records.items() for name, kind in inputs.items() if kind in record.inputs}
    for message in reader.read(list(inputs), registry.partitions, start):  # only what nobody has accounted for yet
        found.unread[message.topic() or "", message.partition() or 0] += 1
    found.ends = reader.ends
    return found


def _add_chunk(found: Published, offsets: dict[tuple[int, EventKind], int], partition: int, chunk: bytes) -> None:
    for entry in journal.read_chunk(chunk):
        expected = found.journal_ends.get(partition)
        if expected is None:
            found.first["journal"][partition] = entry.position
        elif entry.position != expected:
            found.journal_faults[partition] += 1
        if entry.offset <= offsets.get((partition, entry.kind), -1):
            found.journal_faults[partition] += 1
        offsets[partition, entry.kind] = entry.offset
        found.journal_ends[partition] = entry.position + 1
        found.applied[partition, entry.kind] += 1


def _add_set_aside(found: Published, short: str, message: Message) -> None:
    given: Any = message.headers() or []
    headers = {name: _bytes(value or b"").decode("utf-8", "replace") for name, value in given if name.startswith(dead_letter.PREFIX)}
    topic, stage, offset = (headers.get(dead_letter.PREFIX + name, "") for name in ("topic", "stage", "offset"))
    place = (topic, message.partition() or 0)
    coordinates = (stage, int(offset) if offset.isdigit() else -1)
    known = found.aside[short][place]
    if stage == "insert" and coordinates not in known:
        found.refused[place] += 1
    known.add(coordinates)


def _bytes(value: str | bytes) -> bytes:
    return value.encode() if isinstance(value, str) else value
