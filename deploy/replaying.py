"""Runs the core over files and shows how far it is: what stands behind ``fenghuo replay``."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from alerting.pack import Pack, load_pack
from alerting.problems import PackError
from deploy.collector import slow_collector
from deploy.errors import UserError
from deploy.inputs import InputRecord, read_inputs
from deploy.output_files import OutputFiles
from deploy.settings import load_settings
from schemas.topics import Registry, load_registry
from streams.lane import Frame, Lane
from streams.replay import replay, replay_journal


def load_policy(name: str | None) -> Pack:
    """The pack of this name, or the configured one. Raises UserError with every problem of the pack."""
    try:
        return load_pack(name or load_settings().policy.pack)
    except PackError as error:
        raise UserError(str(error), "`fenghuo policy check` shows what to put right") from None


def replay_files(files: list[Path], out: Path, pack_name: str | None, *, journal: bool, from_journal: bool, as_json: bool) -> None:
    """Replay input files or journals into ``out`` and print the summary."""
    settings = load_settings()
    pack = load_policy(pack_name)
    registry = load_registry(settings.kafka.namespace, settings.kafka.partitions)
    console = Console(stderr=True)
    started = time.perf_counter()
    slow_collector()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with OutputFiles(out, pack, journal) as written, Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        frames = _journal_frames(files, registry, pack) if from_journal else _input_frames(files, registry, pack, progress)
        task = progress.add_task("replaying", total=None)
        applied = 0
        for lane, frame in frames:
            for output in frame.outputs:
                written.write(lane.number, output)
            written.account(lane.number, lane.record)
            applied += frame.records
            progress.update(task, completed=applied)
        summary = written.finish()
    seconds = time.perf_counter() - started
    if as_json:
        print(msgspec.json.encode(summary).decode())
        return
    lines = summary["lines"]
    print(
        f"{applied:,} records in {seconds:.1f} s ({applied / max(seconds, 1e-9):,.0f}/s): {summary['alerts']:,} alerts, {lines['metrics.jsonl']:,} snapshots, ",
        end="",
    )
    print(f"{lines['dead-letters.jsonl']:,} dead letters, {lines['late.jsonl']:,} late. Written to {out}")


def _input_frames(files: list[Path], registry: Registry, pack: Pack, progress: Progress) -> Iterator[tuple[Lane, Frame]]:
    reading = progress.add_task("reading", total=None)

    def counted() -> Iterator[InputRecord]:
        for number, record in enumerate(read_inputs(files, registry), 1):
            if number % 10_000 == 0:
                progress.update(reading, completed=number)
            yield record

    return replay(counted(), registry, pack, int(time.time() * 1000))


def _journal_frames(files: list[Path], registry: Registry, pack: Pack) -> Iterator[tuple[Lane, Frame]]:
    try:
        yield from replay_journal(files, registry, pack)
    except (ValueError, OSError) as error:
        raise UserError(f"journal cannot be replayed: {error}", "give whole journal files, one a partition, as `--journal` writes them") from None
