"""What must be true once everything is at rest, whatever was done to workers and brokers before."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from pathlib import Path

from confluent_kafka import Consumer, TopicPartition

from alerting.pack import load_pack
from deploy.audit.published import read_published
from deploy.output_files import OutputFiles
from deploy.pipeline.collecting import collect
from deploy.pipeline.reading import TopicReader, committed_offsets
from schemas.connection import KafkaSettings
from streams.processors import customer_processor
from streams.replay import replay_journal
from tests.kills.load import Sequences, fingerprint

PACK = load_pack("bank-cn")
Offsets = dict[tuple[str, int], int]


def input_ends(kafka: KafkaSettings) -> Offsets:
    """The end offset of every input partition that holds something."""
    registry = kafka.registry()
    consumer = Consumer(kafka.client_config() | {"group.id": f"{kafka.namespace}-ends", "log_level": 0})
    try:
        places = [(topic.name, number) for topic in registry.inputs.values() for number in range(registry.partitions)]
        ends = {place: int(consumer.get_watermark_offsets(TopicPartition(*place), timeout=15)[1]) for place in places}
        return {place: end for place, end in ends.items() if end}
    finally:
        consumer.close()


def committed(kafka: KafkaSettings) -> Offsets:
    """The workers' committed offsets."""
    registry = kafka.registry()
    return committed_offsets(kafka, customer_processor(registry, PACK).group, [topic.name for topic in registry.inputs.values()], registry.partitions)


def wait_for_rest(kafka: KafkaSettings, seconds: float = 90.0) -> None:
    """Until the group has committed the end of every input partition."""
    ends, deadline = input_ends(kafka), time.monotonic() + seconds
    while (done := committed(kafka)) != ends:
        behind = {place: (done.get(place), end) for place, end in ends.items() if done.get(place) != end}
        assert time.monotonic() < deadline, f"not at rest: committed and end differ for {behind}"
        time.sleep(0.3)


def held(kafka: KafkaSettings) -> Sequences:
    """What the brokers hold of the inputs."""
    registry = kafka.registry()
    found: dict[tuple[str, int], list[bytes]] = defaultdict(list)
    reader = TopicReader(kafka)
    try:
        for message in reader.read([topic.name for topic in registry.inputs.values()], registry.partitions):
            found[message.topic() or "", message.partition() or 0].append(fingerprint(message.key(), message.value()))
    finally:
        reader.close()
    return found


def assert_kept(published: Sequences, there: Sequences) -> None:
    """The brokers hold what they confirmed, each record once and in its order, and nothing else.

    Beside ``assert_exact``, which holds the workers to what is there, this tells whose fault it is when records and accounts differ.
    """
    differing = []
    for place in sorted({*published, *there}):
        sent, kept = published.get(place, []), there.get(place, [])
        if sent == kept:
            continue
        lost, more = Counter(sent) - Counter(kept), Counter(kept) - Counter(sent)
        copies = sum(count for one, count in more.items() if one in sent)
        first = next((offset for offset, pair in enumerate(zip(sent, kept, strict=False)) if pair[0] != pair[1]), min(len(sent), len(kept)))
        differing.append(
            f"{place[0]}[{place[1]}]: {len(sent)} confirmed, {len(kept)} there; {lost.total()} lost, {copies} there once more, "
            f"{more.total() - copies} that nobody sent; different from offset {first}"
        )
    assert not differing, "\n".join(["the brokers do not hold what they confirmed to the publisher:", *differing])


def assert_exact(kafka: KafkaSettings, records: int, folder: Path) -> dict[str, int]:
    """All ``records`` are accounted for, counters equal offsets, nothing is there twice, and the journal replayed gives the same bytes.

    Some figures for the report.
    """
    registry = kafka.registry()
    reader = TopicReader(kafka)
    try:
        published = read_published(reader, registry)
    finally:
        reader.close()
    assert not +published.journal_faults
    ends, done = input_ends(kafka), committed(kafka)
    assert done == ends
    settled = 0
    for kind, topic in registry.inputs.items():
        for number in range(registry.partitions):
            where = f"{topic.name}[{number}]"
            record = published.records.get(number)
            progress = None if record is None else record.inputs.get(kind)
            if progress is None:
                assert (topic.name, number) not in ends, where
                continue
            counted = progress.applied + progress.duplicate + progress.late + progress.dead_lettered
            assert (progress.start, progress.gaps, counted) == (0, 0, progress.next), where
            assert progress.next == ends[topic.name, number], where
            assert progress.applied == published.applied[number, kind], where
            assert progress.dead_lettered == len(published.aside["dead-letters"][topic.name, number]), where
            assert progress.late == len(published.aside["late-events"][topic.name, number]), where
            settled += counted
    assert settled == records, f"{settled} records are accounted for, {records} are there"
    for number, record in published.records.items():
        assert record.position == published.journal_ends.get(number, 0)
    for short in ("customer-metrics", "alerts"):
        for number, revisions in published.revisions[short].items():
            assert published.rows[short][number] == len(revisions), f"{short}[{number}] holds something twice"
    for short in ("dead-letters", "late-events"):
        places = [coordinates for place in published.aside[short].items() for coordinates in place[1]]
        assert published.rows[short].total() == len(places), f"{short} holds something twice"
    _assert_same_as_replayed(kafka, folder)
    return {
        "records": records,
        "snapshots": published.rows["customer-metrics"].total(),
        "alerts": published.rows["alerts"].total(),
        "dead letters": published.rows["dead-letters"].total(),
        "late": published.rows["late-events"].total(),
        "duplicates": sum(progress.duplicate for record in published.records.values() for progress in record.inputs.values()),
    }


def _assert_same_as_replayed(kafka: KafkaSettings, folder: Path) -> None:
    """The pure core over the journal, undisturbed in one go, gives the very bytes that the workers published."""
    with OutputFiles(folder / "run", PACK, journal=True) as run:
        collect(kafka, run, journal=True)
        run.finish()
    with OutputFiles(folder / "replay", PACK) as undisturbed:
        for lane, frame in replay_journal((folder / "run").glob("journal-*.jsonl"), kafka.registry(), PACK):
            for output in frame.outputs:
                undisturbed.write(lane.number, output)
        undisturbed.finish()
    for name in ("metrics.jsonl", "alerts.jsonl"):
        made, expected = (folder / "run" / name).read_bytes(), (folder / "replay" / name).read_bytes()
        assert made == expected, f"{name} differs from the replayed journal"
