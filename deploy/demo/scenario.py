"""The demo from start to summary: servers up, the bank's events loaded, then worker and sink live through them while alerts are told.

Everything is loaded before the worker starts: simulated months pass in seconds, and only what is in the topics has one order.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import msgspec
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn
from rich.text import Text

from alerting.pack import Pack
from deploy.demo.alert_view import Language
from deploy.demo.story_score import score
from deploy.demo.tally import Rows, Tally, count_rows
from deploy.demo.teller import Teller
from deploy.errors import Failed
from deploy.inputs import to_records
from deploy.pipeline.alert_feed import AlertFeed
from deploy.pipeline.audit import audit
from deploy.pipeline.children import Child, Children
from deploy.pipeline.interrupts import interruptible
from deploy.pipeline.servers import Servers, open_servers
from deploy.publish_inputs import InputPublisher
from deploy.replaying import load_policy
from deploy.running import SETTLED
from deploy.settings import load_settings
from deploy.simulator import Parameters, Simulation
from streams.partition_record import OUTCOMES

_STORE_SECONDS = 60.0


@dataclass(frozen=True)
class Options:
    """What the command line says."""

    parameters: Parameters
    pack: str | None
    language: Language
    workers: int
    exit_when_done: bool
    as_json: bool


def play(options: Options) -> None:
    """Play the demo. Raises Failed when the audit finds a difference or a process ends before its time."""
    pack = load_policy(options.pack)
    folder = load_settings().embedded.data_dir
    console = Console(quiet=options.as_json, highlight=False)
    with interruptible(), ExitStack() as running:
        tally: Tally | None = None
        try:
            servers = running.enter_context(open_servers(pack, options.pack, folder))
            tally = _play(options, pack, servers, console, running)
            if not options.exit_when_done:
                console.print("Broker and ClickHouse stay up, worker and sink go on: look around, then Ctrl-C.")
                if servers.reading:
                    console.print(f"  {servers.reading}", soft_wrap=True)
                while True:
                    time.sleep(1)
        except KeyboardInterrupt:
            console.print("ending what was started …")
            if tally is None:
                raise Failed("stopped before its end") from None
    if not tally.audit.clean:
        raise Failed("the audit found a difference", tally.audit.text)


def _play(options: Options, pack: Pack, servers: Servers, console: Console, running: ExitStack) -> Tally:
    simulation = Simulation(options.parameters)
    console.print(f"[green]✓[/] broker {servers.broker}   [green]✓[/] ClickHouse {servers.clickhouse}   [green]✓[/] logs {servers.folder}/")
    for line in _about(simulation):
        console.print(line, soft_wrap=True)
    children = running.enter_context(Children())
    feed = running.enter_context(AlertFeed(servers.settings.kafka))
    with _Bar(console) as bar:
        events = _load(simulation, servers, bar)
        bar.show(Text(f"{events:,} events are in the topics; now worker and sink live through them.\n", "dim"))
        sink = children.add(servers.child("sink", "sink"))
        workers = [children.add(servers.child(f"worker {number}", "worker")) for number in range(1, options.workers + 1)]
        teller = Teller(bar.show, pack.timezone, options.language)
        outcomes, seconds = _live(workers, children, feed, teller, bar, events)
        teller.tell()
        rows = _stored(servers, sink, outcomes["applied"], len(feed.revisions))
    tally = Tally(score(simulation.labels, feed.revisions), len(feed.revisions), events, outcomes, seconds, rows, audit(servers), simulation.summary())
    if options.as_json:
        print(msgspec.json.encode(tally.as_json()).decode(), flush=True)
    for line in tally.lines():
        console.print(Text.assemble(("■ ", "bold green" if tally.audit.clean else "bold red"), line), soft_wrap=True)
    return tally


def _about(simulation: Simulation) -> Iterator[str]:
    made, stories = simulation.parameters, len(simulation.labels)
    bank = f"A bank of {made.customers:,} customers, {made.outlets} outlets and {stories} planted stories"
    yield f"{bank} lives through {made.months} months (seed {made.seed})."
    for story, why in simulation.left_out.items():
        yield f"Not told: {story.replace('_', ' ')} {why}."


class _Bar:
    """One progress bar with a rate; lines shown meanwhile stand above it. On anything but a terminal there is no bar."""

    def __init__(self, console: Console) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(30), TaskProgressColumn(), TextColumn("{task.fields[rate]}"))
        self._progress = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
        self._console = console
        self._task = self._progress.add_task("", total=None, rate="")

    def begin(self, what: str, total: int) -> None:
        """Start over with another task."""
        self._progress.update(self._task, description=what, total=total, completed=0, rate="")

    def tell(self, what: str) -> None:
        """What is going on now."""
        self._progress.update(self._task, description=what)

    def reach(self, done: int, seconds: float | None = None) -> None:
        """So much is done, in so many seconds where a rate is to be shown."""
        self._progress.update(self._task, completed=done, rate=f"{done / seconds:,.0f} events/s" if seconds else "")

    def show(self, text: Text) -> None:
        """A line or more above the bar."""
        self._console.print(text, soft_wrap=True)

    def __enter__(self) -> _Bar:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()


def _load(simulation: Simulation, servers: Servers, bar: _Bar) -> int:
    registry = servers.settings.kafka.registry()
    publisher = InputPublisher(servers.settings.kafka, registry)
    bar.begin("its events are loaded", simulation.parameters.days)
    for day, lines in enumerate(simulation.days(), 1):
        publisher.publish(to_records(lines, registry))
        bar.reach(day)
    return publisher.finish()


def _live(workers: list[Child], children: Children, feed: AlertFeed, teller: Teller, bar: _Bar, events: int) -> tuple[dict[str, int], float]:
    """Until the workers have settled every event; the four counters, and the seconds from the first event to the last."""
    bar.begin("the worker joins", events)
    began = time.monotonic()
    while True:
        children.check()
        teller.hear(feed.poll(0.4))
        looked = time.monotonic()
        counted = sum((worker.counted(*SETTLED) for worker in workers), Counter[str]())
        outcomes: dict[str, int] = {outcome: counted[outcome] for outcome in OUTCOMES}
        settled = counted.total()
        if not settled:
            began = looked
            continue
        bar.tell("its days pass")
        bar.reach(settled, looked - began)
        if settled >= events:
            while fresh := feed.poll(1.0):
                teller.hear(fresh)
            return outcomes, looked - began


def _stored(servers: Servers, sink: Child, applied: int, revisions: int) -> Rows:
    """Wait until ClickHouse holds what the workers wrote; what it holds then, or when a minute is over."""
    deadline = time.monotonic() + _STORE_SECONDS
    while True:
        sink.check()
        rows = count_rows(servers)
        if (rows.events >= applied and rows.alert_revisions >= revisions) or time.monotonic() > deadline:
            return rows
        time.sleep(0.5)
