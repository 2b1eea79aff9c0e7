"""Runs the engine over input lines into a directory, as ``fenghuo replay --journal`` does, its partitions on all cores."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import polars as pl

from alerting.pack import load_pack
from deploy.inputs import InputLine, InputWriter, read_inputs
from deploy.output_files import OutputFiles
from schemas.topics import load_registry
from streams.replay import replay
from tests.recompute.compare import differences
from tests.recompute.ground import lay, read_snapshots

_PARTITIONS = 4
_RECEIVED_AT = 1 << 50  # the broker's time of every record: late enough that no event is in its future


def replay_into(directory: Path, lines: Iterable[InputLine], pack: str) -> None:
    """Write the lines to ``input.jsonl`` in the directory and replay it there: outputs and journal of partition P in ``P/``."""
    with InputWriter(directory / "input.jsonl") as written:
        written.write(lines)
    workers = min(_PARTITIONS, os.cpu_count() or 1)
    with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) as pool:
        for done in [pool.submit(_replay_partition, directory, pack, number) for number in range(_PARTITIONS)]:
            done.result()


def _replay_partition(directory: Path, pack_name: str, number: int) -> None:
    pack, registry = load_pack(pack_name), load_registry(partitions=_PARTITIONS)
    inputs = (record for record in read_inputs([directory / "input.jsonl"], registry) if record.partition == number)
    with OutputFiles(directory / str(number), pack, journal=True) as written:
        for lane, frame in replay(inputs, registry, pack, _RECEIVED_AT):
            for output in frame.outputs:
                written.write(lane.number, output)


def recomputed_differences(directory: Path, pack: str, sample: int | None = None) -> tuple[int, int, pl.DataFrame]:
    """How many snapshots and values were recomputed, and where they differ. ``sample`` as in ``read_snapshots``, of each partition."""
    snapshots, values, found = 0, 0, []
    for place in sorted(path for path in directory.iterdir() if path.is_dir()):
        published = read_snapshots(place / "metrics.jsonl", sample)
        snapshots += len(published.snapshots)
        values += len(published.values)
        found.append(differences(lay(place, load_pack(pack), published), published))
    return snapshots, values, pl.concat(found)
