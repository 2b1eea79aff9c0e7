"""A bank's outputs on a real Kafka, a ClickHouse in a process of its own, sinks as processes; and the look whether the tables are exact.

What the workers would have published is made by the pure core (``fenghuo replay``), cut into slices, and published a slice at a
time while things break. The measure is twofold: the core's own outputs, and a second database that one sink filled undisturbed.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any

import clickhouse_connect
from clickhouse_connect.driver.client import Client
from confluent_kafka import Producer

from alerting.pack import load_pack
from deploy.audit.auditing import audit
from deploy.embedded import guard
from deploy.embedded.clickhouse import WRITER
from deploy.inputs import to_records
from deploy.real_kafka.cluster import free_port
from deploy.settings import Settings
from deploy.simulator import Parameters, Simulation
from deploy.topic_plan import Topics
from schemas import journal
from schemas.connection import KafkaSettings
from schemas.telemetry import Telemetry
from sinks.migrate import Migrator
from sinks.milestones import Milestone
from sinks.settings import ClickHouseSettings, SinkSettings
from sinks.sink import Sink
from sinks.tables import EVENT_TABLES, declared_tables
from sinks.views import declared_views
from streams.records import Output
from streams.replay import replay
from tests.sinks.kills.proxy import Proxy

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
PARTITIONS = 2
ZONE = "Asia/Shanghai"
Slice = list[tuple[int, Output]]


def bank_outputs(customers: int, months: int, per_frame: int) -> list[Slice]:
    """What the workers write for a simulated bank with its dirt, a frame a slice, partitions in turn."""
    registry = KafkaSettings(partitions=PARTITIONS).registry()
    simulation = Simulation(Parameters(seed=77, customers=customers, months=months, dirt=0.02))
    inputs = list(to_records((line for day in simulation.days() for line in day), registry))
    frames: list[list[Slice]] = [[] for _ in range(PARTITIONS)]
    for lane, frame in replay(inputs, registry, load_pack("bank-cn"), int(time.time() * 1000), per_frame):
        frames[lane.number].append([(lane.number, output) for output in frame.outputs])
    return [made for pair in zip_longest(*frames) for made in pair if made]


class Process:
    """A Python program of the tests, ended with us."""

    def __init__(self, log: Path, environ: dict[str, str], *arguments: str) -> None:
        self.log = log
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-S", "-E", guard.__file__, sys.executable, *arguments],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": str(ROOT), **environ},
                start_new_session=True,
            )

    @property
    def code(self) -> int | None:
        return self._process.poll()

    def send(self, number: int) -> None:
        os.killpg(self._process.pid, number)

    def kill(self) -> None:
        if self.code is None:
            self.send(signal.SIGKILL)
        self._process.wait(20)

    def wait(self, seconds: float) -> int:
        """Its exit code. Raises AssertionError, with the end of its log, if it does not end."""
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"still running after {seconds} s:\n{self.tail()}") from None

    def tail(self) -> str:
        return self.log.read_text(errors="replace")[-3000:]


class Holder:
    """The process that holds ClickHouse. ``start`` again after ``kill`` keeps folder and port."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.password = "of-the-test"
        self._log = folder.parent / "holder.log"
        self._process: Process | None = None

    def start(self) -> None:
        self._process = Process(self._log, {}, str(HERE / "holder.py"), str(self.folder), str(self.port), self.password)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            assert self._process.code is None, self._process.tail()
            time.sleep(0.05)
        raise AssertionError("ClickHouse did not start:\n" + self._process.tail())

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()

    def client(self) -> Client:
        return clickhouse_connect.get_client(host="127.0.0.1", port=self.port, username=WRITER, password=self.password)


class World:
    """One namespace and one database under test. ``faults`` counts what was done to it, by kind."""

    def __init__(self, kafka: str, holder: Holder, folder: Path) -> None:
        name = uuid.uuid4().hex[:8]
        self.kafka = KafkaSettings(bootstrap_servers=kafka, namespace=f"k-{name}", partitions=PARTITIONS)
        self.holder = holder
        self.proxy = Proxy(holder.port)
        self.database, self.measure = f"k_{name}", f"measure_{name}"
        self.folder = folder
        self.published: list[tuple[int, Output]] = []
        self.faults: Counter[str] = Counter()
        self._sinks: list[Process] = []
        self._launcher: subprocess.Popen[str] | None = None
        self._number = 0
        client = holder.client()
        for database in (self.database, self.measure):
            for _ in Migrator(client, self._settings(database)).up():
                pass
        client.close()
        topics = Topics(self.kafka)
        topics.apply(topics.plan())

    def _settings(self, database: str) -> ClickHouseSettings:
        return ClickHouseSettings(
            url=f"http://127.0.0.1:{self.proxy.port}",
            user=WRITER,
            password=self.holder.password,
            database=database,
            business_timezone=ZONE,  # type: ignore[arg-type]
        )

    # -- what goes in ---------------------------------------------------------------------------------------------------------

    def publish(self, slices: Sequence[Slice]) -> None:
        """Each slice in a Kafka transaction; before each third one, the same in a transaction that is aborted."""
        registry = self.kafka.registry()
        producer = Producer({**self.kafka.client_config(), "transactional.id": f"{self.kafka.namespace}-{len(self.published)}"})
        producer.init_transactions(60)
        for number, made in enumerate(slices):
            for commit in (False, True) if number % 3 == 0 else (True,):
                producer.begin_transaction()
                for partition, output in made:
                    producer.produce(registry.name(output.topic), output.value, output.key, partition, headers=output.headers)  # type: ignore[arg-type]
                if commit:
                    producer.commit_transaction(60)
                else:
                    producer.flush(60)
                    producer.abort_transaction(60)
            self.published += made

    # -- sinks ----------------------------------------------------------------------------------------------------------------

    def sink(self, *arguments: str) -> Process:
        """``fenghuo sink`` as a process."""
        started = Process(self._log(), self._environ(), "-c", "from deploy.cli import main; main()", "sink", *arguments)
        self._sinks.append(started)
        return started

    def kill_at(self, milestone: Milestone, times: int) -> bool:
        """Run a sink until it kills itself at a milestone. Whether it came to that; False where everything was stored before."""
        if self._launcher is None:
            command, environ = [sys.executable, str(HERE / "launcher.py")], {**os.environ, "PYTHONPATH": str(ROOT), **self._environ()}
            self._launcher = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT, env=environ, text=True)
        assert self._launcher.stdin is not None
        assert self._launcher.stdout is not None
        log = self._log()
        self._launcher.stdin.write(f"{milestone}\t{times}\t{log}\n")
        self._launcher.stdin.flush()
        code = int(self._launcher.stdout.readline())
        assert code in (0, -signal.SIGKILL), log.read_text()[-3000:]
        self.faults[f"sink killed: {milestone}"] += code != 0
        return code != 0

    def _log(self) -> Path:
        self._number += 1
        return self.folder / f"sink-{self._number}.log"

    def _environ(self) -> dict[str, str]:
        return {
            "FENGHUO_KAFKA__BOOTSTRAP_SERVERS": self.kafka.bootstrap_servers,
            "FENGHUO_KAFKA__NAMESPACE": self.kafka.namespace,
            "FENGHUO_KAFKA__PARTITIONS": str(PARTITIONS),
            "FENGHUO_CLICKHOUSE__URL": f"http://127.0.0.1:{self.proxy.port}",
            "FENGHUO_CLICKHOUSE__USER": WRITER,
            "FENGHUO_CLICKHOUSE__PASSWORD": self.holder.password,
            "FENGHUO_CLICKHOUSE__DATABASE": self.database,
            "FENGHUO_CLICKHOUSE__TIMEOUT_SECONDS": "20",
            "FENGHUO_SINK__BATCH_SECONDS": "0.05",
            "FENGHUO_SINK__BATCH_ROWS": "120",
            "FENGHUO_SINK__RETRY_SECONDS": "0.5",
            "FENGHUO_SINK__SESSION_TIMEOUT_SECONDS": "1.5",
            "FENGHUO_PROBES__ENABLED": "false",
        }

    def drain(self) -> None:
        """Let an ordinary sink store what is left, after all others have ended."""
        self.stop_sinks()
        process = self.sink("--until-drained")
        assert process.wait(120) == 0, process.tail()

    def stop_sinks(self) -> None:
        for process in self._sinks:
            process.kill()
        self._sinks.clear()

    def close(self) -> None:
        self.stop_sinks()
        if self._launcher is not None:
            self._launcher.kill()
            self._launcher.communicate()
        self.proxy.close()

    # -- what came out --------------------------------------------------------------------------------------------------------

    def assert_exact(self) -> dict[str, int]:
        """Without FINAL: as many rows as were published, all distinct, in every table; every view as in the database that was filled undisturbed."""
        assert Sink(SinkSettings(group="measure"), self._settings(self.measure), self.kafka, Telemetry()).run(threading.Event(), until_drained=True)
        client = self.holder.client()
        expected = self._expected()
        for table in declared_tables(ZONE):
            identity = ", ".join(f"`{name}`" for name in (("source", "event_id") if table.name in EVENT_TABLES.values() else table.identity))
            count, distinct = client.query(f"SELECT count(), uniqExact({identity}) FROM {self.database}.{table.name}").result_rows[0]
            if table.latest:
                assert distinct == expected[table.name], table.name
            else:
                assert (count, distinct) == (expected[table.name], expected[table.name]), table.name
        asked = {view.name: f"{view.name}(day = '2025-01-20')" for view in declared_views(self.database, ZONE) if view.parameters == ("day",)}
        asked |= {view.name: f"{view.name}(partition = 1, position = 7)" for view in declared_views(self.database, ZONE) if view.withheld}
        named = client.query(f"SELECT name FROM system.tables WHERE database = '{self.database}' AND engine = 'View'").result_rows
        views = [asked.get(name, name) for (name,) in named]
        assert views
        for view in views:  # as_of may be the time of asking
            columns = client.query(f"SELECT * FROM {self.database}.{view} LIMIT 0").column_names
            chosen = "* EXCEPT as_of" if "as_of" in columns else "*"
            rows = [sorted(map(repr, client.query(f"SELECT {chosen} FROM {database}.{view}").result_rows)) for database in (self.database, self.measure)]
            assert rows[0] == rows[1], view
        self._assert_latest(client)
        stored = client.query(f"SELECT _partition, lines FROM {self.database}.journal_records ORDER BY _partition, _offset").result_rows
        written = sorted(((partition, output.value or b"") for partition, output in self.published if output.topic == "journal"), key=lambda one: one[0])
        assert [(partition, lines.encode()) for partition, lines in stored] == written
        client.close()
        return dict(expected)

    def audited(self) -> int:
        """How many numbers ``fenghuo audit`` compared of sink and ClickHouse, all equal. No worker ran here, so none of a worker's progress is."""
        client = self.holder.client()
        report = audit(Settings(kafka=self.kafka, clickhouse=self._settings(self.database)), load_pack("bank-cn"), client)
        client.close()
        lines = [line for line in report.lines if line.what != "journal positions"]
        assert [line for line in lines if line.verdict != "ok"] == []
        return len(lines)

    def _expected(self) -> Counter[str]:
        rows: Counter[str] = Counter()
        customers, alerts = set(), set()
        for _, output in self.published:
            value = output.value or b""
            if output.topic == "journal":
                rows.update(EVENT_TABLES[entry.kind] for entry in journal.read_chunk(value))
                rows["journal_records"] += 1
            else:
                rows[output.topic.replace("-", "_")] += 1
            if output.topic == "customer-metrics":
                customers.add(json.loads(value)["customer_id"])
            if output.topic == "alerts":
                alerts.add(json.loads(value)["alert_id"])
        return rows + Counter(customer_metrics_latest=len(customers), alerts_latest=len(alerts))

    def _assert_latest(self, client: Client) -> None:
        """The newest snapshot of each customer and the newest revision of each alert are those of the replay."""
        newest: dict[str, dict[str, tuple[Any, ...]]] = {"customer-metrics": {}, "alerts": {}}
        for _, output in self.published:
            if output.topic in newest:
                value = json.loads(output.value or b"")
                if output.topic == "alerts":
                    newest["alerts"][value["alert_id"]] = (value["revision"], value["state"], value["grade"])
                else:
                    newest["customer-metrics"][value["customer_id"]] = (value["revision"],)
        shown = client.query(f"SELECT alert_id, revision, state, grade FROM {self.database}.v_alerts_latest").result_rows
        assert {row[0]: tuple(row[1:]) for row in shown} == newest["alerts"]
        shown = client.query(f"SELECT customer_id, revision FROM {self.database}.v_customers_latest").result_rows
        assert len(shown) == len(newest["customer-metrics"])
        assert {row[0]: tuple(row[1:]) for row in shown} == newest["customer-metrics"]


def in_turn(slices: list[Slice], parts: int) -> Iterator[list[Slice]]:
    """The slices in about that many parts, in order."""
    size = max(1, len(slices) // parts)
    for first in range(0, len(slices), size):
        yield slices[first : first + size]
