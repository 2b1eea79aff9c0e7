"""One worker under a steady load for an hour, with nobody taking what it publishes: its memory stays within bounds, and everything is exact.

``SOAK_SECONDS`` and ``SOAK_RATE`` (records a second) change the run: ``SOAK_SECONDS=180 pytest -m long -s tests/integration/test_soak.py``.
"""

from __future__ import annotations

import os
import time
from itertools import pairwise
from pathlib import Path
from statistics import median

import pytest

from deploy.simulator import Parameters
from deploy.topic_plan import Topics
from schemas.connection import KafkaSettings
from tests.kills.campaign import undisturbed
from tests.kills.fleet import Fleet, Member
from tests.kills.load import Load
from tests.kills.verdict import assert_exact, assert_kept, held, wait_for_rest

SECONDS = float(os.environ.get("SOAK_SECONDS", "3600"))
RATE = float(os.environ.get("SOAK_RATE", "200"))
#: So many months pass in a bank while the test runs: a year, the longest window, in the third in which the worker warms up.
MONTHS = 36
#: Of the run; the first four are the warm-up.
TWELFTHS = 12
WARM_UP = 4
#: After the warm-up memory may grow by so much until the end: caches that fill with simulated time, customers who come, and steps of the allocator.
GROWTH_BYTES = 32 << 20
#: Seconds between portions of the load, few enough that the run may go on beside other work.
BEAT = 0.5
_SAMPLE_SECONDS = 1.0

pytestmark = [pytest.mark.kafka, pytest.mark.long, pytest.mark.timeout(SECONDS + 900)]


def resident_bytes(worker: Member) -> int:
    return int(Path(f"/proc/{worker.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def processor_seconds(worker: Member) -> float:
    fields = Path(f"/proc/{worker.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="the memory of another process is read from /proc")
def test_memory_stays_within_bounds(kafka: str, namespace: str, tmp_path: Path) -> None:
    settings = KafkaSettings(bootstrap_servers=kafka, namespace=namespace, partitions=2)
    topics = Topics(settings)
    topics.apply(topics.plan())
    customers = Parameters.customers_for(int(SECONDS * RATE), MONTHS, Parameters().start)
    samples: list[int] = []
    with Fleet(tmp_path, undisturbed(settings)) as fleet, Load(settings, RATE, 61, customers, BEAT) as load:
        worker = fleet.add()
        began = time.monotonic()
        while (passed := time.monotonic() - began) < SECONDS:
            assert worker.code is None, worker.words()
            samples.append(resident_bytes(worker))
            time.sleep(_SAMPLE_SECONDS)
        busy = processor_seconds(worker) / passed
        published = load.finish()
        wait_for_rest(settings)
        assert worker.code is None
        fleet.leave()
    cuts = [len(samples) * part // TWELFTHS for part in range(TWELFTHS + 1)]
    curve = [median(samples[begin:end]) for begin, end in pairwise(cuts)]
    there = held(settings)
    exact = assert_exact(settings, sum(map(len, there.values())), tmp_path)
    assert_kept(published, there)
    print(f"{customers} customers, {busy:.2f} of a core, resident MB by twelfths: {[round(part / (1 << 20), 1) for part in curve]}; exact: {exact}")
    growth = max(curve[-2:]) - curve[WARM_UP]
    assert growth <= GROWTH_BYTES, f"memory grew by {growth / (1 << 20):.1f} MB after the warm-up"
