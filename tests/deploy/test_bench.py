"""``fenghuo bench`` runs on small input and says what it measured. Nothing here asserts a speed: that depends on the machine."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from itertools import islice
from pathlib import Path

import pytest

from deploy.benchmarking.figures import Rounds, Run, Spread, table
from deploy.benchmarking.latency import paced, spread
from deploy.benchmarking.process import Commit, MeasuredProcess, Processes, between
from deploy.benchmarking.workload import PLAIN_BYTES, plain
from deploy.errors import Failed
from schemas.codec import decode
from schemas.topics import partition_of

SPREAD = {"median", "low", "high"}


def _bench(*arguments: str, seconds: float = 100) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from deploy.cli import main; main()", "bench", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=False)


def test_core_and_state_report_figures_as_json() -> None:
    done = _bench("core", "state", "--events", "12000", "--rounds", "2", "--json")  # so many that a sample of a millisecond hits each step
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)
    core, state = figures["core"], figures["state"]
    assert core["events"] > 1_500
    assert core["events_measured"] == [core["events"]] * 2
    assert all(core[name].keys() == SPREAD for name in ("events_per_second", "cpu_seconds_per_million_events", "peak_mib"))
    assert {"decode", "rules", "apply"} <= core["steps_us_per_event"].keys()
    assert sum(core["steps_us_per_event"].values()) == pytest.approx(core["cpu_seconds_per_million_events"]["median"], rel=0.02)
    assert state["steady_customer"]["transactions"] == 240
    assert sum(state["steady_customer"]["bytes_by_part"].values()) <= state["steady_customer"]["bytes"]
    sizes = state["bank"]["bytes"]
    assert sizes["p10"] <= sizes["p50"] <= sizes["p99"] <= sizes["largest"]
    assert figures["machine"]["cores"] >= 1


def test_tables_for_people_name_machine_and_load() -> None:
    done = _bench("core", "--events", "2000", "--rounds", "1")
    assert done.returncode == 0, done.stderr
    assert "| one core, everything on |" in done.stdout
    assert "load average" in done.stdout.splitlines()[-1]


@pytest.mark.long
def test_queries_are_timed_on_a_bank_made_in_clickhouse() -> None:
    done = _bench("queries", "--events", "100000", "--json")
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)["queries"]
    assert figures["rows"]["transactions"] > 75_000
    assert figures["rows"]["customer_metrics_latest"] == figures["customers"] == 1000
    assert all(query["median_ms"] > 0 for query in figures["queries"].values())
    assert all(query["rows"] for name, query in figures["queries"].items() if "a month" in name or "by outlet" in name)
    assert len(figures["plans"]) == 3


@pytest.mark.long
@pytest.mark.kafka
@pytest.mark.embedded
def test_freshness_an_outage_and_the_catch_up_are_measured_and_every_row_is_stored_once() -> None:
    done = _bench("freshness", "--events", "600000", "--away-minutes", "1.1", "--json", seconds=290)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)["freshness"]
    assert found["rows"] == 600_000 * 2 + 1
    assert 0 < found["live"]["p50_ms"] <= found["live"]["p95_ms"] <= found["live"]["worst_ms"]
    assert found["catch_up_per_second"] > 0
    assert all(found["catch_up_cpu_us_per_row"].values())
    [after_a_minute] = found["away_mib_each_minute"]
    assert 0 < after_a_minute <= found["peak_mib"]["away"]


@pytest.mark.embedded
def test_the_sink_is_measured_beside_inserts_of_both_sizes_on_the_same_rows() -> None:
    done = _bench("sink", "--events", "4000", "--rounds", "1", "--json")
    assert done.returncode == 0, done.stderr
    sink = json.loads(done.stdout)["sink"]
    assert sink["events"] > 3_000
    for way in ("sink", "large", "naive"):
        assert sink[way]["rows_per_core_second"].keys() == SPREAD
    assert sink["sink"]["parts_written"]["median"] < sink["naive"]["parts_written"]["median"]
    assert sink["large"]["parts_written"]["median"] < sink["naive"]["parts_written"]["median"]


def test_unknown_part_is_a_usage_error() -> None:
    assert _bench("nothing").returncode == 2


def test_plain_transactions_are_valid_events_of_one_size_in_order_of_time() -> None:
    records = list(islice(plain(500, 4), 500))
    assert {len(record.value) for record in records} == {PLAIN_BYTES}
    assert [record.at for record in records] == sorted(record.at for record in records)
    for record in records:
        event = decode("transaction", record.key, record.value)
        assert record.partition == partition_of(record.key, 4)
        assert int(event.occurred_at.timestamp()) == record.at // 1000


def test_spread_and_rates() -> None:
    rounds = Rounds([Run(1_000, 0.5, 0.25, 1 << 20), Run(1_000, 1.0, 0.5, 3 << 20), Run(1_000, 2.0, 0.3, 2 << 20)])
    assert rounds.rate == Spread(1_000, 500, 2_000)
    assert rounds.cpu == Spread(300, 250, 500)
    assert rounds.peak_mib == Spread(2, 1, 3)
    assert table(["a", "bb"], [["1", "2"]]).splitlines() == ["| a | bb |", "|---|----|", "| 1 | 2  |"]


def test_a_run_counts_from_the_first_commit_after_the_warm_up_to_the_last_before_the_end(tmp_path: Path) -> None:
    with MeasuredProcess("sleeper", [sys.executable, "-c", "import time; time.sleep(60)"], {}, tmp_path) as process:
        commits = [Commit(0.0, 100, 1.0), Commit(1.0, 300, 1.5), Commit(2.0, 500, 2.0), Commit(3.0, 900, 3.0), Commit(9.0, 1_000, 3.1)]
        run = between(commits, 1_000, 1.0, process)
        assert (run.events, run.seconds, run.cpu_seconds) == (600, 2.0, 1.5)
        assert between(commits, 1_000, 60.0, process).events == 400  # a third is past after 2 s, whatever the warm-up
        assert between(commits[-2:], 1_000, 0.0, process).events == 100
        with pytest.raises(Failed, match="too soon to be measured"):
            between(commits[-1:], 1_000, 0.0, process)


def test_a_process_is_measured_alone_and_ended_with_us(tmp_path: Path) -> None:
    busy = "import time\nstarted = time.process_time()\nwhile time.process_time() - started < 0.3: pass\ntime.sleep(60)"
    with MeasuredProcess("busy", [sys.executable, "-c", busy], {}, tmp_path) as process:
        while (process.cpu_seconds() or 0.0) < 0.3:
            assert not process.ended
        assert process.peak_bytes > 1 << 20
    assert process.ended


def test_processes_seen_as_one_add_up_and_one_that_ends_is_named(tmp_path: Path) -> None:
    waits, ends = [sys.executable, "-c", "import time; time.sleep(60)"], [sys.executable, "-c", "print('gone for good')"]
    with MeasuredProcess("one", waits, {}, tmp_path / "one") as one, MeasuredProcess("two", ends, {}, tmp_path / "two") as two:
        while one.cpu_seconds() is None or not two.ended:
            time.sleep(0.01)
        both = Processes([one, two])
        assert (both.name, both.ended, both.cpu_seconds()) == ("one and two", True, None)
        assert both.peak_bytes == one.peak_bytes + two.peak_bytes > 0
        assert "two stood still" in str(both.failure("stood still"))
        assert "gone for good" in str(both.failure("stood still"))


def test_customers_report_what_each_costs() -> None:
    done = _bench("customers", "--events", "1000", "--broker", "embedded", "--json")
    assert done.returncode == 0, done.stderr
    (of_a_thousand,) = json.loads(done.stdout)["customers"]["core"]
    assert of_a_thousand["customers"] == 1_000
    assert of_a_thousand["events"] > 20_000
    assert 0.5 < of_a_thousand["snapshots_per_event"] < 1
    assert of_a_thousand["changelog_bytes_per_event"] > 1_000


def test_latency_is_told_by_percentiles_in_milliseconds() -> None:
    figures = spread([number / 1000 for number in range(1, 1001)])
    assert (figures["events"], figures["p50_ms"], figures["p99_ms"], figures["p999_ms"], figures["worst_ms"]) == (1000, 501, 991, 1000, 1000)


def test_records_are_sent_when_they_are_due_and_not_before() -> None:
    records = list(islice(plain(5, 4), 5))
    began = time.monotonic()
    assert list(paced(iter(records), began, 100.0)) == records
    assert 0.04 <= time.monotonic() - began < 1.0
