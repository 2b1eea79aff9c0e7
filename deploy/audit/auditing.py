"""The audit itself: the four counters against offsets, the journal, the output topics and ClickHouse."""

from __future__ import annotations

from clickhouse_connect.driver.client import Client

from alerting.pack import Pack
from deploy.audit.published import Published, read_published
from deploy.audit.report import Report
from deploy.pipeline.reading import TopicReader, committed_offsets
from deploy.settings import Settings
from schemas.topics import Registry
from sinks.audit import first_positions, held, latest, originals
from sinks.rows import TOPICS
from sinks.tables import EVENT_TABLES, Table, declared_tables
from streams.processors import customer_processor

_LATEST = {"customer-metrics": "v_customers_latest", "alerts": "v_alerts_latest"}
_HISTORY = {"customer-metrics": "customer_metrics", "alerts": "alerts"}
_SET_ASIDE = {"dead-letters": "dead_letters", "late-events": "late_events"}


def audit(settings: Settings, pack: Pack, client: Client) -> Report:
    """Compare everything. Reads the outputs of the namespace from beginning to end. Raises DependencyLost."""
    registry = settings.kafka.registry()
    reader = TopicReader(settings.kafka)
    report = Report()
    try:
        published = read_published(reader, registry)
        begins = {(topic.name, number): reader.begin(topic.name, number) for topic in registry.inputs.values() for number in range(registry.partitions)}
    finally:
        reader.close()
    worker = committed_offsets(settings.kafka, customer_processor(registry, pack).group, [one.name for one in registry.inputs.values()], registry.partitions)
    _inputs(report, registry, published, begins, worker)
    _journal(report, registry, published)
    group = f"{settings.kafka.namespace}-{settings.sink.group}"
    sink = committed_offsets(settings.kafka, group, [registry.name(short) for short in TOPICS], registry.partitions)
    done = _sink_positions(report, registry, published, sink)
    _clickhouse(report, registry, published, client, settings, done)
    return report


def _inputs(report: Report, registry: Registry, published: Published, begins: dict[tuple[str, int], int], committed: dict[tuple[str, int], int]) -> None:
    """Every offset of an input is one of applied, duplicate, late, dead-lettered, or holds no record."""
    for kind, topic in registry.inputs.items():
        for number in range(registry.partitions):
            where = f"{topic.name}[{number}]"
            record = published.records.get(number)
            progress = record.inputs.get(kind) if record else None
            report.wait("records not read", where, published.unread[topic.name, number])
            if progress is None:
                continue
            settled = progress.applied + progress.duplicate + progress.late + progress.dead_lettered + progress.gaps
            report.compare("four counters and gaps", where, progress.next - progress.start, settled)
            if progress.start > begins[topic.name, number]:
                report.compare("first offset read", where, begins[topic.name, number], progress.start)
            if (topic.name, number) in committed:
                report.compare("group offset", where, progress.next, committed[topic.name, number], behind=True)
            aside = published.aside["dead-letters"][topic.name, number]
            report.compare("dead letters", where, progress.dead_lettered, sum(stage != "insert" for stage, _ in aside))
            report.compare("late events", where, progress.late, len(published.aside["late-events"][topic.name, number]))


def _journal(report: Report, registry: Registry, published: Published) -> None:
    """What was applied stands in the journal, once, in one unbroken order."""
    for number in range(registry.partitions):
        record = published.records.get(number)
        where = f"{registry.name('journal')}[{number}]"
        report.compare("journal positions", where, record.position if record else 0, published.journal_ends.get(number, 0))
        report.compare("breaks in the order", where, 0, published.journal_faults[number])
        if record and not published.first["journal"].get(number):
            for kind, progress in record.inputs.items():
                report.compare(f"applied {kind}s", where, progress.applied, published.applied[number, kind])


def _sink_positions(report: Report, registry: Registry, published: Published, committed: dict[tuple[str, int], int]) -> set[tuple[str, int]]:
    """Which partitions the sink has read to their ends: only there ClickHouse can be held to the topic."""
    done = set()
    for short in TOPICS:
        for number in range(registry.partitions):
            place = (registry.name(short), number)
            end, position = published.ends.get(place, 0), committed.get(place, 0)
            report.compare("sink's group offset", f"{place[0]}[{number}]", end, position, behind=True)
            if position >= end:
                done.add((short, number))
    return done


def _clickhouse(report: Report, registry: Registry, published: Published, client: Client, settings: Settings, done: set[tuple[str, int]]) -> None:
    """Without FINAL: as many rows as were published, all distinct; the latest views as many as there are subjects."""
    database = settings.clickhouse.database
    tables = {table.name: table for table in declared_tables(settings.clickhouse.business_timezone)}
    for kind, name in EVENT_TABLES.items():
        topic = registry.inputs[kind].name
        since = dict(published.first["journal"])
        if kind == "tick":  # kept for a time only
            since = {number: max(since.get(number, 0), first) for number, first in first_positions(client, database, tables[name]).items()}
        expected = {number: published.applied[number, kind] - published.refused[topic, number] for number in range(registry.partitions)}
        _rows(report, client, database, tables[name], since, "_position", expected, {number for short, number in done if short == "journal"})
    for number, (first, covered) in originals(client, database, published.first["journal"]).items():
        if ("journal", number) in done:
            report.compare("events with their original JSON", f"{database}.journal_records[{number}]", published.journal_ends.get(number, 0) - first, covered)
    for short, name in (_HISTORY | _SET_ASIDE).items():
        repeated = {number: published.rows[short][number] - len(seen) for number, seen in published.revisions[short].items()}
        refused = {number: published.refused[registry.name(short), number] for number in range(registry.partitions)}
        expected = {number: published.rows[short][number] - refused[number] for number in range(registry.partitions)}
        complete = {number for one, number in done if one == short}
        _rows(report, client, database, tables[name], published.first[short], "_offset", expected, complete, repeated)
    for short, view in _LATEST.items():
        if all((short, number) in done for number in range(registry.partitions)) and not any(published.first[short].values()):
            report.compare("subjects", f"{database}.{view}", len(published.subjects[short]), latest(client, database, view))


def _rows(
    report: Report,
    client: Client,
    database: str,
    table: Table,
    since: dict[int, int],
    column: str,
    expected: dict[int, int],
    done: set[int],
    repeated: dict[int, int] | None = None,
) -> None:
    """``repeated`` of the expected rows were published twice: they may be stored twice until a merge, and count once."""
    found = held(client, database, table, since, column)
    complete = [number for number in expected if number in done]
    rows = sum(found[number].rows for number in complete if number in found)
    distinct = sum(found[number].distinct for number in complete if number in found)
    most = sum(expected[number] for number in complete)
    least = most - sum((repeated or {}).get(number, 0) for number in complete)
    where = f"{database}.{table.name}"
    report.compare("rows", where, min(max(rows, least), most), rows)
    report.compare("distinct rows", where, least, distinct)
