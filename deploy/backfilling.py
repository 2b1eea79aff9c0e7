"""Fills tables anew from the journal: what stands behind ``fenghuo backfill``.

Event tables come from the journal's lines as they are. Snapshots and alerts come from the core, which replays the journal and
gives every value it gave before, and those of metrics that it had not then.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient
from rich.console import Console

from alerting.pack import Pack
from deploy.clickhouse import clickhouse
from deploy.errors import DependencyLost, Failed, UserError
from deploy.pipeline.reading import TopicReader, committed_offsets
from deploy.replaying import load_policy
from deploy.settings import Settings, load_settings
from schemas.topics import Registry
from sinks.backfill import Comparison, Shadow, ShadowExists
from sinks.migrate import Migrator
from sinks.rows import json_rows
from sinks.tables import EVENT_TABLES, Table, declared_tables
from streams.records import InputRecord
from streams.replay import replay_journal

_BATCH: Final = 20_000
_ANSWER_SECONDS: Final = 15
#: Tables that a replay fills, with their topic and the table that keeps the newest of each.
REPLAYED: Final = {"customer_metrics": ("customer-metrics", "customer_metrics_latest"), "alerts": ("alerts", "alerts_latest")}
TABLES: Final = (*(name for name in EVENT_TABLES.values() if name != "ticks"), *REPLAYED)


def backfill(
    table: str, columns: list[str], journals: list[Path], pack_name: str | None, *, dry_run: bool, swap: bool, keep_old: bool, restart: bool, as_json: bool
) -> None:
    """Fill, compare, swap. Raises UserError for a wrong request, Failed where the tables differ in more than ``columns``."""
    if table not in TABLES:
        raise UserError(f"no backfill of {table}", f"tables: {', '.join(TABLES)}")
    settings, pack = load_settings(), load_policy(pack_name)
    declared = {one.name: one for one in declared_tables(settings.clickhouse.business_timezone)}
    tables = [declared[table], *([declared[REPLAYED[table][1]]] if table in REPLAYED else [])]
    unknown = [name for name in columns if name not in {column.name for column in tables[0].columns}]
    if unknown:
        raise UserError(f"{table} has no column {unknown[0]}", "name columns as ClickHouse does: flow_out_amount_30d")
    console = Console(stderr=True)
    with ExitStack() as opened:
        client = opened.enter_context(clickhouse(settings.clickhouse))
        behind = Migrator(client, settings.clickhouse).pending()
        if behind:
            raise UserError(f"{settings.clickhouse.database} is {len(behind)} steps behind", "fenghuo migrate up, so that the column is there to be filled")
        live = not journals
        if live:
            _require_sink_done(settings)
            folder = Path(opened.enter_context(TemporaryDirectory(prefix="fenghuo-backfill-")))
            journals = _fetch(settings, folder, console)
        entries = _count(journals)
        if dry_run:
            _say(as_json, {"table": table, "entries": entries, "dry_run": True}, f"{entries:,} journal entries would fill {table} anew; nothing was done")
            return
        shadows = [Shadow(client, settings.clickhouse.database, one) for one in tables]
        try:
            _make(shadows, restart)
        except ShadowExists as there:
            raise UserError(str(there)) from there
        with console.status("") as status:
            _fill(shadows, table, journals, settings.kafka.registry(), pack, entries, status.update)
            found = [shadow.compare(status.update) for shadow in shadows]
        problems = [problem for one in found for problem in one.unexpected(columns)]
        report = _report(found, shadows)
        if problems or not swap:
            _say(as_json, report | {"swapped": False, "problems": problems}, _text(found, shadows, "not swapped"))
            if problems:
                raise Failed(
                    f"{'; '.join(problems[:5])}; {table} is unchanged, its shadow is kept as {shadows[0].name}",
                    "the same policy pack and the whole journal? Columns that are meant to change: --column NAME. Start over: --restart",
                )
            return
        if live:
            _require_no_sink(settings)
        for shadow in shadows:
            shadow.swap()
        if not keep_old:
            for shadow in shadows:
                shadow.drop()
        _say(as_json, report | {"swapped": True, "problems": []}, _text(found, shadows, "swapped"))


def _make(shadows: list[Shadow], restart: bool) -> None:
    for shadow in shadows:
        if restart:
            shadow.drop()
        shadow.create()


def _fill(shadows: list[Shadow], table: str, journals: list[Path], registry: Registry, pack: Pack, entries: int, progress: Callable[[str], None]) -> None:
    shadow = shadows[0]
    rows: list[bytes] = []
    made = _replayed_rows(shadow, journals, registry, pack) if table in REPLAYED else _event_rows(shadow.table, journals)
    for row in made:
        rows.append(row)
        if len(rows) >= _BATCH:
            shadow.insert(rows)
            rows.clear()
            progress(f"filling {table}: {shadow.rows:,} rows of {entries:,} journal entries")
    if rows:
        shadow.insert(rows)
    for latest in shadows[1:]:
        latest.fill_from_history(shadow)


def _event_rows(table: Table, journals: Iterable[Path]) -> Iterator[bytes]:
    kind = next(kind for kind, name in EVENT_TABLES.items() if name == table.name)
    head = b'{"kind":"%b"' % kind.encode()
    for path in journals:
        partition = _partition(path)
        with path.open("rb") as lines:
            for line in lines:
                if line.startswith(head):
                    malformed: list[object] = []
                    yield from json_rows("journal", partition, [InputRecord(0, 0, None, line.rstrip(b"\n"))], malformed).get(table.name, [])  # type: ignore[arg-type]
                    if malformed:
                        raise UserError(f"{path}: a line is no journal line", "give journal files as `fenghuo run --journal` writes them")


def _replayed_rows(shadow: Shadow, journals: list[Path], registry: Registry, pack: Pack) -> Iterator[bytes]:
    """A replay gives the records in their order; which offsets they have is known from the old rows, in the same order."""
    topic = REPLAYED[shadow.table.name][0]
    offsets: Iterator[int] = iter(())
    partition = -1
    try:
        for lane, frame in replay_journal(journals, registry, pack):
            if lane.number != partition:
                partition, offsets = lane.number, iter(shadow.offsets(lane.number))
            for output in frame.outputs:
                if output.topic == topic:
                    record = InputRecord(next(offsets, 0), 0, output.key, output.value)
                    yield json_rows(topic, partition, [record], [])[shadow.table.name][0]
    except (ValueError, OSError) as error:
        raise UserError(f"journal cannot be replayed: {error}", "give whole journals from their first entry, one file a partition") from None


def _group(settings: Settings) -> str:
    return f"{settings.kafka.namespace}-{settings.sink.group}"


def _require_no_sink(settings: Settings) -> None:
    """Rows that a sink inserts into the old table after it was read would be gone with it."""
    group = _group(settings)
    admin = AdminClient(dict(settings.kafka.client_config()))  # held: its futures end with it
    try:
        members = len(admin.describe_consumer_groups([group], request_timeout=_ANSWER_SECONDS)[group].result().members)
    except KafkaException as error:
        raise DependencyLost(f"Kafka does not say who is in group {group}: {error.args[0].name()}", "check FENGHUO_KAFKA__BOOTSTRAP_SERVERS") from error
    if members:
        raise UserError(f"the sink runs: group {group} has {members} members", "stop it for the time of the backfill; rows wait in Kafka")


def _require_sink_done(settings: Settings) -> None:
    """Nobody may insert meanwhile, and nothing may be in doubt: a retry would not find its token in the new table."""
    _require_no_sink(settings)
    group = _group(settings)
    registry = settings.kafka.registry()
    topics = [registry.name(short) for short in ("journal", "customer-metrics", "alerts")]
    committed = committed_offsets(settings.kafka, group, topics, registry.partitions)
    reader = TopicReader(settings.kafka)
    try:
        for _ in reader.read(topics, registry.partitions):
            pass
    finally:
        reader.close()
    waiting = {place: end for place, end in reader.ends.items() if committed.get(place, 0) < end}
    if waiting:
        (topic, partition), _ = sorted(waiting.items())[0]
        raise UserError(f"the sink has not stored all of {topic}[{partition}]", "run it to its end first: fenghuo sink --until-drained")


def _fetch(settings: Settings, folder: Path, console: Console) -> list[Path]:
    """The broker's journal, one file a partition."""
    registry = settings.kafka.registry()
    paths = [folder / f"journal-{number}.jsonl" for number in range(registry.partitions)]
    reader = TopicReader(settings.kafka)
    with ExitStack() as opened, console.status("reading the journal"):
        files = [opened.enter_context(path.open("wb")) for path in paths]
        opened.callback(reader.close)
        for message in reader.read([registry.name("journal")], registry.partitions):
            value = message.value() or b""
            files[message.partition() or 0].write((value.encode() if isinstance(value, str) else value) + b"\n")
    return paths


def _count(journals: list[Path]) -> int:
    total = 0
    for path in journals:
        _partition(path)
        try:
            with path.open("rb") as lines:
                total += sum(1 for line in lines if not line.isspace())
        except OSError as error:
            raise UserError(f"{path}: {error.strerror}", "give journal files as `fenghuo run --journal` writes them") from None
    return total


def _partition(path: Path) -> int:
    number = path.name.removesuffix(".jsonl").rpartition("-")[2]
    if not number.isdecimal():
        raise UserError(f"{path}: a journal file is named journal-<partition>.jsonl", "give them as `fenghuo run --journal` writes them")
    return int(number)


def _report(found: list[Comparison], shadows: list[Shadow]) -> dict[str, object]:
    return {
        "tables": [
            {"table": one.table, "rows": one.old_rows, "new_rows": one.new_rows, "only_old": one.only_old, "only_new": one.only_new, "differing": one.differing}
            for one in found
        ],
        "refused": sum(shadow.refused for shadow in shadows),
    }


def _text(found: list[Comparison], shadows: list[Shadow], outcome: str) -> str:
    lines = []
    for one, shadow in zip(found, shadows, strict=True):
        changed = ", ".join(f"{column} in {rows:,} rows" for column, rows in one.differing.items()) or "nothing"
        refused = f", {shadow.refused:,} rows refused" if shadow.refused else ""
        lines.append(f"{one.table}: {one.old_rows:,} rows, {one.new_rows:,} in the shadow{refused}; differs: {changed}")
    return "\n".join([*lines, outcome])


def _say(as_json: bool, report: dict[str, object], text: str) -> None:
    print(json.dumps(report, indent=2) if as_json else text)
