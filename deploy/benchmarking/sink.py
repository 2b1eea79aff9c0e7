"""The sink into the embedded ClickHouse, side by side with inserts of JSONEachRow: one for each table and poll, or large ones.

All get the same journal in turn, from memory: Kafka's client is left out. The sink is the whole one (ranges, tokens, commits);
the others keep nothing for a restart. Each time is a process of its own, that merges and memory of one way are not counted with
another; it stores a part of the journal before it is measured, for a sink runs for months. CPU is that of the process, ClickHouse's
merges of that time included.
"""

from __future__ import annotations

import pickle
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final

from clickhouse_connect.driver.client import Client

from deploy.benchmarking.figures import Spread, table
from deploy.benchmarking.workload import bank
from schemas import journal
from schemas.connection import KafkaSettings
from schemas.telemetry import Telemetry
from schemas.topics import load_registry
from sinks.connection import connect
from sinks.migrate import Migrator
from sinks.rows import rows_of
from sinks.settings import ClickHouseSettings, SinkSettings
from sinks.sink import Sink
from sinks.source import End, Fetched, Place
from sinks.tables import EVENT_TABLES, declared_tables

#: Events of a worker's frame, and so of a journal record; what a live partition gives a poll.
_CHUNK: Final = 500
_LIVE: Final = 20_000
_MONTHS: Final = 1
_TABLES: Final = (*EVENT_TABLES.values(), "journal_records")
_LARGE: Final = 100_000
_QUIET_LOOKS: Final = 10
TITLES: Final = {"sink": "fenghuo sink", "large": f"inserts of {_LARGE:,} rows, JSONEachRow", "naive": "an insert a poll, JSONEachRow"}


def bench_sink(events: int, rounds: int, folder: Path, progress: Callable[[str], None]) -> dict[str, Any]:
    """Measure all ways in turn and return the figures."""
    progress("sink: simulating a bank")
    chunks = list(_journal(events))
    rows = _events(chunks)
    journal_file = folder / "journal"
    journal_file.write_bytes(pickle.dumps(chunks))
    runs: dict[str, list[dict[str, float]]] = {way: [] for way in TITLES}
    for number in range(rounds):
        for way in TITLES:
            progress(f"sink: round {number + 1} of {rounds}, {TITLES[way]}, {rows:,} events")
            with ProcessPoolExecutor(1, get_context("spawn")) as process:  # its files stay: for minutes after many were deleted a new one costs more
                runs[way].append(process.submit(_measured, way, journal_file, folder / f"{way}-{number}").result())
    return {"events": rows, **{way: {name: Spread.of([run[name] for run in made]).as_json(1) for name in made[0]} for way, made in runs.items()}}


def sink_text(figures: dict[str, Any]) -> str:
    """The figures as a table."""
    headings = ["into ClickHouse", "rows/s a core", "rows/s", "CPU us a row", "catch-up to live", "parts written", "parts at the end"]
    names = ["rows_per_core_second", "rows_per_second", "cpu_us_per_row", "catch_up_to_live", "parts_written", "parts_at_the_end"]
    return table(headings, [[title, *(_cell(figures[way][name]) for name in names)] for way, title in TITLES.items()])


def _cell(spread: Mapping[str, float]) -> str:
    middle, low, high = (f"{spread[name]:,.0f}" if spread[name] >= 100 else f"{spread[name]:.1f}" for name in ("median", "low", "high"))
    return middle if low == high else f"{middle} ({low}-{high})"


def _events(chunks: Sequence[Fetched]) -> int:
    return sum((record.value or b"").count(b"\n") + 1 for record in chunks)


def _measured(way: str, journal_file: Path, folder: Path) -> dict[str, float]:
    chunks: list[Fetched] = pickle.loads(journal_file.read_bytes())
    owner = connect(ClickHouseSettings(url=f"chdb://{folder}"))
    for name, some in (("warm_up", chunks[: len(chunks) // 4]), ("measured", chunks)):
        settings = ClickHouseSettings(url=f"chdb://{folder}", database=name)
        for _ in Migrator(owner, settings).up():
            pass
        _wait_for_merges(owner)
        figures = _run(way, some, settings, owner)
    owner.close()
    return figures


def _wait_for_merges(owner: Client) -> None:
    quiet = 0
    while quiet < _QUIET_LOOKS:
        quiet = 0 if owner.query("SELECT count() FROM system.merges").result_rows[0][0] else quiet + 1
        time.sleep(0.1)


def _run(way: str, chunks: Sequence[Fetched], settings: ClickHouseSettings, owner: Client) -> dict[str, float]:
    client, rows = connect(settings), _events(chunks)
    started, cpu = time.perf_counter(), time.process_time()
    if way == "sink":
        source = _Memory(chunks)
        Sink(SinkSettings(), settings, KafkaSettings(), Telemetry(), client, source=source).run(threading.Event(), until_drained=True)
    else:
        _inserts(chunks, _LARGE if way == "large" else 1, settings, client)
    seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
    found = owner.query(
        "SELECT count(), sum(if(table = 'journal_records', 0, rows)), max(max_block_number) FROM system.parts"
        f" WHERE active AND database = '{settings.database}' AND table IN {_TABLES} GROUP BY table"
    ).result_rows
    if sum(stored for _, stored, _ in found) != rows:
        raise RuntimeError(f"{way} stored {sum(stored for _, stored, _ in found):,} of {rows:,} rows")
    client.close()
    return {
        "rows_per_core_second": rows / cpu,
        "rows_per_second": rows / seconds,
        "cpu_us_per_row": cpu / rows * 1e6,
        "catch_up_to_live": rows / seconds / _LIVE,
        "parts_written": sum(last for _, _, last in found),
        "parts_at_the_end": sum(active for active, _, _ in found),
    }


def _inserts(chunks: Sequence[Fetched], least: int, settings: ClickHouseSettings, client: Client) -> None:
    """Rows of a table go as soon as there are ``least``, at the latest at the end."""
    tables = {one.name: one for one in declared_tables(settings.business_timezone)}
    held: dict[str, list[bytes]] = {}
    for number, record in enumerate(chunks, 1):
        for name, made in rows_of("journal", record.place[1], [record], []).items():
            held.setdefault(name, []).extend(made if isinstance(made, list) else made.rows())
        for name in [name for name, rows in held.items() if len(rows) >= least or number == len(chunks)]:
            client.raw_insert(f"{settings.database}.{name}", tables[name].given, b"\n".join(held.pop(name)), fmt="JSONEachRow")


def _journal(events: int) -> Iterator[Fetched]:
    """The bank's events as the workers' journal, partitions in turn."""
    registry = load_registry()
    kinds = {topic.short: kind for kind, topic in registry.inputs.items()}
    lines: dict[int, list[bytes]] = {number: [] for number in range(registry.partitions)}
    for record in bank(events, registry, _MONTHS):
        if record.value is not None:
            position = len(lines[record.partition])
            lines[record.partition].append(journal.line(kinds[record.topic], position, position, record.value))
    offsets: Counter[int] = Counter()
    pieces = [iter([(number, b"\n".join(part)) for part in (held[at : at + _CHUNK] for at in range(0, len(held), _CHUNK))]) for number, held in lines.items()]
    while pieces:
        for piece in pieces[:]:
            if (made := next(piece, None)) is None:
                pieces.remove(piece)
                continue
            number, value = made
            yield Fetched(("journal", number), offsets[number], 0, None, value, [])
            offsets[number] += 1


class _Memory:
    """The journal, read like Kafka by one member that owns all of it: a poll gives what a fetch would."""

    def __init__(self, chunks: Sequence[Fetched]) -> None:
        self._chunks = list(reversed(chunks))
        self._ends = Counter(record.place for record in chunks)
        self._paused = False
        self._ended = False

    def open(self, assigned: Callable[[list[Place]], None], revoked: Callable[[list[Place]], None]) -> None:  # noqa: ARG002
        assigned(list(self._ends))

    def incarnations(self) -> dict[str, str]:
        return {"journal": "bench"}

    def poll(self, timeout: float) -> list[Fetched | End]:
        if self._paused or self._ended:
            time.sleep(timeout)
            return []
        self._ended = not self._chunks
        found: list[Fetched | End] = [self._chunks.pop() for _ in range(min(50, len(self._chunks)))]
        return found or [End(place, end) for place, end in self._ends.items()]

    def pause(self) -> None:
        self._paused = True

    def resume(self) -> None:
        self._paused = False

    def commit(self, positions: Mapping[Place, int]) -> None: ...

    def lag(self, place: Place, position: int) -> int | None:
        return self._ends[place] - position

    def close(self) -> None: ...
