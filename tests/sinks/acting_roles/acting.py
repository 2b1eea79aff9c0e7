"""A process that is one role: ``migrate``, ``fill FOLDER``, ``backfill FOLDER``, or answer the statements on its input, a line of JSON each.

Started with the address of a folder and its configuration file. What it answers is JSON; errors are ClickHouse's numbers.
"""

from __future__ import annotations

import json
import re
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import chdb
from clickhouse_connect.driver.exceptions import DatabaseError

from alerting.pack import load_pack
from deploy.backfilling import backfill
from deploy.complaint_limits import clock_lines
from deploy.inputs import InputLine, InputWriter, read_inputs
from deploy.output_files import OutputFiles
from deploy.simulator import Parameters, Simulation
from schemas.connection import KafkaSettings
from schemas.telemetry import Telemetry
from schemas.topics import load_registry
from sinks.connection import ServerUnfit, connect
from sinks.dead_letters import MemoryDeadLetters
from sinks.migrate import Migrator
from sinks.settings import ClickHouseSettings, SinkSettings
from sinks.sink import Sink
from streams.replay import replay
from tests.questions.hard_cases import hard_cases
from tests.sinks.memory import MemorySource, Topics

_PACK = "bank-cn"


def migrate(settings: ClickHouseSettings) -> Any:
    client = connect(settings)
    done = [step.name for step in Migrator(client, settings, clock_lines(load_pack(_PACK))).up()]
    client.close()
    return done


def _profiles() -> Iterator[InputLine]:
    """Profiles of a customer who complains, and of two who change their outlet; not every change states it."""
    changes = (
        ("complains", "2025-01-02T09:00:00+08:00", {"change": "recorded", "outlet_id": "outlet-hard", "display_name": "苦**"}),
        ("moves-in", "2025-01-02T10:00:00+08:00", {"change": "recorded", "outlet_id": "outlet-05", "display_name": "来*"}),
        ("moves-out", "2025-01-02T11:00:00+08:00", {"change": "recorded", "outlet_id": "outlet-hard", "display_name": "去*"}),
        ("moves-in", "2025-01-20T09:00:00+08:00", {"change": "change_approved", "outlet_id": "outlet-hard", "request_id": "r1", "approver": "head"}),
        ("moves-out", "2025-01-20T10:00:00+08:00", {"change": "change_approved", "outlet_id": "outlet-05", "request_id": "r2", "approver": "head"}),
        ("complains", "2025-01-21T09:00:00+08:00", {"change": "change_approved", "tier": "gold", "request_id": "r3", "approver": "head"}),
    )
    for number, (customer, at, facts) in enumerate(changes):
        event = {"event_id": f"profile-{number}", "customer_id": customer, "occurred_at": at, "source": "hard", **facts}
        yield InputLine("customers", customer, json.dumps(event).encode())


def fill(settings: ClickHouseSettings, folder: Path) -> Any:
    """What a sink stores of a small bank with two months of life."""
    pack, registry, topics = load_pack(_PACK), load_registry(), Topics()
    with InputWriter(folder / "bank.jsonl") as bank, InputWriter(folder / "hard.jsonl") as hard, InputWriter(folder / "profiles.jsonl") as profiles:
        hard.write(hard_cases())
        profiles.write(list(_profiles()))
        for lines in Simulation(Parameters(seed=3, customers=40, months=2)).days():
            bank.write(lines)
    inputs = read_inputs([folder / f"{name}.jsonl" for name in ("bank", "hard", "profiles")], registry)
    with OutputFiles(folder, pack, journal=True) as files:
        for lane, frame in replay(inputs, registry, pack, 1 << 50):
            for output in frame.outputs:
                files.write(lane.number, output)
                topics.put(output.topic, lane.number, output.value, output.key, output.headers)
    sink = Sink(SinkSettings(), settings, KafkaSettings(), Telemetry(), source=MemorySource(topics), dead_letters=MemoryDeadLetters())
    return sink.run(threading.Event(), until_drained=True)


def answers(settings: ClickHouseSettings, statements: list[str]) -> list[Any]:
    """Rows, or the number of the error."""
    connection = chdb.connect(settings.url.removeprefix("chdb://"))
    found: list[Any] = []
    for statement in statements:
        try:
            lines = connection.query(statement, "JSONCompactEachRow").bytes() or b""
            found.append([json.loads(line) for line in lines.splitlines()])
        except Exception as refused:  # the engine raises several kinds
            code = re.search(r"Code: (\d+)", str(refused))
            found.append(int(code[1]) if code else str(refused))
    connection.close()
    return found


def main() -> None:
    settings = ClickHouseSettings(url=sys.argv[1])
    match sys.argv[2:]:
        case ["migrate"]:
            answer = migrate(settings)
        case ["fill", folder]:
            answer = fill(settings, Path(folder))
        case ["backfill", folder]:
            backfill("alerts", [], sorted(Path(folder).glob("journal-*.jsonl")), _PACK, dry_run=False, swap=True, keep_old=False, restart=False, as_json=True)
            return
        case ["sink"]:
            try:
                connect(settings)
                answer = "connected"
            except (ServerUnfit, DatabaseError) as refused:
                answer = str(refused)
        case _:
            answer = answers(settings, [json.loads(line) for line in sys.stdin])
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
