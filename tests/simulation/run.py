"""Schedules of a range of seeds, one line a hundred, for as long as one likes: ``python -m tests.simulation.run 20000 100000``.

What is wrong is printed with its seed and does not end the run; the exit code says whether anything was.
"""

from __future__ import annotations

import argparse
import gc
import sys
import time
from collections import Counter
from collections.abc import Iterator

from tests.simulation.invariants import check
from tests.simulation.schedule import Schedule

#: Schedules between two collections: each leaves garbage in cycles, thousands of objects, and is over in some hundredths of a second.
COLLECT_EVERY = 50
#: After so many every bank has been met, and what it must come to is known for good.
ALL_BANKS_MET = 500
REPORT_EVERY = 100

Struck = Counter[tuple[str, str]]


def schedules(seeds: range) -> Iterator[tuple[int, str, Struck, list[str]]]:
    """Of each seed: its mode, how often each fault struck at each step, and what is wrong."""
    for done, seed in enumerate(seeds):
        if done % COLLECT_EVERY == 0:
            gc.collect()
        if done == ALL_BANKS_MET:
            gc.collect()  # once more: what the first left running has ended by now, and must not be kept
            gc.freeze()
        ended = Schedule(seed).run()
        yield seed, ended.mode, Counter(ended.faults.counts), check(ended)


def main(first: int, last: int) -> int:
    gc.disable()
    began = time.monotonic()
    struck: Struck = Counter()
    failures = 0
    for done, (seed, mode, faults, wrong) in enumerate(schedules(range(first, last)), 1):
        struck += faults
        if wrong:
            failures += 1
            print("\n".join([f"seed {seed} ({mode}) is wrong:", *wrong]), flush=True)
        if done % REPORT_EVERY == 0 or seed == last - 1:
            rate = done / (time.monotonic() - began) * 60
            print(f"{first} to {seed}: {done} schedules, {struck.total()} faults, {failures} wrong, {rate:.0f} a minute", flush=True)
    return 1 if failures else 0


if __name__ == "__main__":
    asked = argparse.ArgumentParser(prog="python -m tests.simulation.run", description=__doc__)
    asked.add_argument("first", type=int, help="the first seed")
    asked.add_argument("last", type=int, help="the seed to end before")
    given = asked.parse_args()
    sys.exit(main(given.first, given.last))
