"""Runs input files through broker, workers and sink until drained: what stands behind ``fenghuo run``."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from deploy.errors import Failed, UserError
from deploy.inputs import read_inputs
from deploy.output_files import OutputFiles
from deploy.pipeline.audit import Audit, audit
from deploy.pipeline.children import Child, Children
from deploy.pipeline.collecting import collect
from deploy.pipeline.interrupts import interruptible
from deploy.pipeline.servers import Servers, open_servers
from deploy.publish_inputs import InputPublisher
from deploy.replaying import load_policy

#: The counters that say how far workers and sink are, and the label to sum them by.
SETTLED = ("crm_events_settled_total", "outcome")
STORED = ("crm_sink_rows_total", "table")


def run_files(files: list[Path], out: Path, pack_name: str | None, *, workers: int, journal: bool, keep: bool, as_json: bool) -> None:
    """Run the files, write the output files and print a summary. With ``keep`` the servers stay up until Ctrl-C."""
    pack = load_policy(pack_name)
    for path in files:
        if str(path) != "-" and not os.access(path, os.R_OK):
            raise UserError(f"{path}: cannot read it", "give readable input files")
    console = Console(stderr=True)
    started = time.perf_counter()
    with interruptible(), ExitStack() as running, OutputFiles(out, pack, journal) as written:
        folder = running.enter_context(_own_folder())
        servers = running.enter_context(open_servers(pack, pack_name, folder))
        children = running.enter_context(Children())
        console.print(f"[green]✓[/] broker {servers.broker}   [green]✓[/] ClickHouse {servers.clickhouse}", highlight=False)
        with _progress(console) as progress:
            sent = _publish(files, servers, progress)
            working = time.perf_counter()
            _work(servers, children, workers, sent, progress)
            seconds = max(time.perf_counter() - working, 1e-9)
            _store(servers, children, progress)
            collect(servers.settings.kafka, written, journal=journal)
        summary = written.finish()
        checked = audit(servers)
        _report(summary, checked, sent, seconds, time.perf_counter() - started, out, as_json)
        if keep:
            console.print("Broker and ClickHouse stay up: look around, then Ctrl-C.")
            _stay()
    if not checked.clean:
        raise Failed("the audit found a difference", checked.text)


@contextmanager
def _own_folder() -> Iterator[Path]:
    """A folder for logs and data, removed at the end; after a failure it stays, for the logs in it."""
    folder = Path(tempfile.mkdtemp(prefix="fenghuo-run-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def _progress(console: Console) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed:,.0f} of {task.total:,.0f}"), TimeElapsedColumn())
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)


def _publish(files: list[Path], servers: Servers, progress: Progress) -> int:
    task = progress.add_task("loading", total=None, visible=False)
    registry = servers.settings.kafka.registry()
    publisher = InputPublisher(servers.settings.kafka, registry, lambda sent: progress.update(task, completed=sent))
    publisher.publish(read_inputs(files, registry))
    return publisher.finish()


def _work(servers: Servers, children: Children, workers: int, records: int, progress: Progress) -> None:
    fleet = [children.add(servers.child(f"worker {number}", "worker", "--until-drained")) for number in range(1, workers + 1)]
    task = progress.add_task("applying", total=records)
    children.wait_until_done(fleet, lambda: progress.update(task, completed=_count(fleet, SETTLED)))
    progress.update(task, completed=records)


def _store(servers: Servers, children: Children, progress: Progress) -> None:
    sink = children.add(servers.child("sink", "sink", "--until-drained"))
    task = progress.add_task("storing rows", total=None, visible=False)
    children.wait_until_done([sink], lambda: progress.update(task, completed=_count([sink], STORED)))


def _count(children: list[Child], counter: tuple[str, str]) -> int:
    return sum(child.counted(*counter).total() for child in children)


def _report(summary: dict[str, Any], checked: Audit, sent: int, seconds: float, whole: float, out: Path, as_json: bool) -> None:
    if as_json:
        more = {"seconds": round(whole, 3), "worker_seconds": round(seconds, 3), "audit": checked.report}
        print(msgspec.json.encode(summary | more).decode())
        return
    lines = summary["lines"]
    print(f"{sent:,} records in {whole:.1f} s, {sent / seconds:,.0f}/s by the workers: {summary['alerts']:,} alerts, ", end="")
    print(f"{lines['metrics.jsonl']:,} snapshots, {lines['dead-letters.jsonl']:,} dead letters, {lines['late.jsonl']:,} late. Written to {out}")
    print(f"audit: {checked.text}")


def _stay() -> None:
    try:
        while True:
            time.sleep(1)
    except KeyboardInterrupt:
        return
