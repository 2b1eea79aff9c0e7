"""Where simulator and importers put their lines: a file or the broker, with progress on a terminal and a summary at the end."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from deploy.errors import UserError
from deploy.inputs import InputLine, InputWriter, to_records
from deploy.publish_inputs import InputPublisher
from deploy.settings import load_settings


@dataclass(frozen=True)
class Target:
    """``write`` takes lines, ``advance`` moves the progress bar on by so many steps."""

    write: Callable[[Sequence[InputLine]], None]
    advance: Callable[[int], None]


@contextmanager
def open_target(out: Path | None, total: int, unit: str, *, quiet: bool = False) -> Iterator[Target]:
    """The file ``out``, or without one the broker of the settings. Leaving it waits until everything is written or confirmed."""
    with _progress(total, unit, quiet) as advance:
        if out is not None:
            with InputWriter(out) as writer:
                yield Target(writer.write, advance)
            return
        kafka = load_settings().kafka
        registry = kafka.registry()
        publisher = InputPublisher(kafka, registry)
        yield Target(lambda lines: publisher.publish(to_records(lines, registry)), advance)
        publisher.finish()


@contextmanager
def _progress(total: int, unit: str, quiet: bool) -> Iterator[Callable[[int], None]]:
    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        yield lambda _: None
        return
    columns = (BarColumn(40), TaskProgressColumn(), TextColumn("{task.completed:,.0f} of {task.total:,.0f} {task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(unit, total=total)
        yield lambda steps: bar.advance(task, steps)


def write_labels(path: Path, labels: Iterable[dict[str, Any]]) -> None:
    """One JSON object a line."""
    try:
        path.write_text("".join(json.dumps(label, ensure_ascii=False) + "\n" for label in labels), encoding="utf-8")
    except OSError as error:
        raise UserError(f"{path}: cannot write: {error.strerror}", "choose another --labels") from None


def print_summary(summary: dict[str, Any], as_json: bool, *, to_error: bool = False) -> None:
    """The summary as JSON, or as indented lines for a person; on standard error when the lines themselves went to standard output."""
    stream = sys.stderr if to_error else sys.stdout
    if as_json:
        print(json.dumps(summary, ensure_ascii=False), file=stream)
        return
    for line in _readable(summary, 0):
        print(line, file=stream)


def _readable(values: dict[str, Any], depth: int) -> Iterator[str]:
    for name, value in values.items():
        label = "  " * depth + str(name).replace("_", " ")
        if isinstance(value, dict):
            if value:
                yield label
                yield from _readable(value, depth + 1)
        else:
            yield f"{label}: {value:,}" if type(value) is int and name != "seed" else f"{label}: {value}"
