"""The pure core on one CPU core: decode, merge, metrics, rules, journal, snapshots, state; no broker, no other process."""

from __future__ import annotations

import gc
import resource
import sys
import time
from collections.abc import Callable
from types import CodeType
from typing import Any, Final

from alerting.pack import Pack
from deploy.benchmarking.figures import HEADINGS, Rounds, Run, cells, table
from deploy.benchmarking.sampling import Sampler
from deploy.benchmarking.workload import bank
from deploy.collector import slow_collector
from deploy.inputs import InputRecord
from schemas.events import EventKind
from schemas.topics import Registry
from streams.customer.customer import CustomerInHand
from streams.customer.snapshot import snapshot
from streams.customer.state import decode as decode_state
from streams.customer.warnings import Warnings
from streams.lane import Lane
from streams.merge import Head, Merge
from streams.records import InputRecord as LaneRecord

_FRAME: Final = 4_000
_RECEIVED_AT: Final = 1 << 45
_FUNCTIONS: Final = 15
By = dict[EventKind, list[LaneRecord]]

_BEGINS: Final[dict[str, tuple[Callable[..., Any], ...]]] = {
    "decode": (Head.__init__,),
    "merge": (Merge.next,),
    "apply": (CustomerInHand.apply, CustomerInHand.advance),
    "rules": (Warnings.event_applied, Warnings.clock_passed, Warnings.wake),
    "snapshot": (snapshot,),
    "take in hand": (decode_state, CustomerInHand.__init__, Warnings.take_in_hand),
    "journal": (Lane._append, Lane._close_chunk),
    "encode state": (Lane._finish,),
}
#: By the code of the function that begins a step; a compiled core has none that could be seen on the stack.
_STEPS: Final[dict[CodeType, str]] = {
    code: step for step, functions in _BEGINS.items() for function in functions if (code := getattr(function, "__code__", None)) is not None
}


def bench_core(events: int, rounds: int, registry: Registry, pack: Pack, progress: Callable[[str], None]) -> dict[str, Any]:
    """Measure and return the figures. ``progress`` is told what is being done."""
    progress("core: simulating a bank")
    held = _hold(bank(events, registry), registry)
    records = sum(len(of_kind) for by_kind in held for of_kind in by_kind.values())
    slow_collector()  # as a worker does; and the input at rest belongs to the benchmark, not to what it measures
    try:
        progress("core: warming up")
        _apply(held[:1], registry, pack)
        runs = []
        for number in range(rounds):
            progress(f"core: round {number + 1} of {rounds}, {records:,} events")
            runs.append(_apply(held, registry, pack))
        measured = Rounds(runs)
        if not _STEPS:
            return {"events": records, **measured.as_json()}
        progress("core: sampling the steps")
        with Sampler(_STEPS) as sampler:
            sampled = _apply(held, registry, pack)
    finally:
        gc.unfreeze()
    per_sample = measured.cpu.middle / max(sampler.samples, 1)
    return {
        "events": records,
        **measured.as_json(),
        "steps_us_per_event": {step: round(count * per_sample, 2) for step, count in sampler.by_step.most_common()},
        "functions_us_per_event": {name: round(count * per_sample, 2) for name, count in sampler.by_function.most_common(_FUNCTIONS)},
        "samples": sampler.samples,
        "sampling_slows_by": round(sampled.cpu_per_event / measured.cpu.middle - 1, 3),
    }


def core_text(figures: dict[str, Any]) -> str:
    """The figures as tables."""
    whole = table(["pure core", *HEADINGS], [["one core, everything on", *cells(figures)]])
    if "steps_us_per_event" not in figures:
        return f"{whole}\n\nThe core is compiled; where its time goes shows in an uncompiled run: fenghuo bench core."
    steps, functions = figures["steps_us_per_event"], figures["functions_us_per_event"]
    return "\n\n".join(
        (
            whole,
            table(["step", "us per event"], [[step, f"{us:.2f}"] for step, us in steps.items()]),
            table(["function, without what it calls in Python", "us per event"], [[name, f"{us:.2f}"] for name, us in functions.items()]),
        )
    )


def _hold(inputs: list[InputRecord], registry: Registry) -> list[By]:
    kinds = {topic.short: kind for kind, topic in registry.inputs.items()}
    held: list[By] = [{kind: [] for kind in registry.inputs} for _ in range(registry.partitions)]
    for item in inputs:
        records = held[item.partition][kinds[item.topic]]
        records.append(LaneRecord(len(records), _RECEIVED_AT, item.key, item.value))
    return held


def _apply(held: list[By], registry: Registry, pack: Pack) -> Run:
    events = 0
    wall, cpu = time.perf_counter(), time.process_time()
    for number, by_kind in enumerate(held):
        lane = Lane(number, registry, pack, {})
        for kind, records in by_kind.items():
            lane.offer(kind, records)
            lane.ended(kind, True)
        while (frame := lane.frame(_FRAME)) is not None:
            events += frame.records
    seconds, cpu_seconds = time.perf_counter() - wall, time.process_time() - cpu
    return Run(events, seconds, cpu_seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024))
