"""Each broker is given the batch once, its worker runs twice; the tests look at what came of it."""

from __future__ import annotations

import json
import uuid
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack
from copy import deepcopy
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import pytest

from deploy.errors import UserError
from schemas.outputs.dead_letter import PREFIX
from streams.records import Output
from tests.contract import batch
from tests.contract.harness import Given, Harness, InMemory, OnBroker, Outcome, embedded

Place = tuple[str, int, int]  # short topic, partition, offset


class SetAside(NamedTuple):
    """A dead letter or late event, and our headers on it by their names without prefix."""

    output: Output
    ours: dict[str, str]


@dataclass
class Ran:
    """``first`` after the whole batch, ``again`` after a second run of the worker on the same topics, ``more`` after a third with the tail."""

    broker: str
    given: list[Given]
    tail: list[Given]
    first: Outcome
    again: Outcome
    more: Outcome

    @cached_property
    def dead_letters(self) -> dict[Place, list[SetAside]]:
        """What the first run set aside as dead letters, by where it came from."""
        return _by_place(self.first, "dead-letters")

    @cached_property
    def late_events(self) -> dict[Place, list[SetAside]]:
        """What the first run set aside as late, by where it came from."""
        return _by_place(self.first, "late-events")

    @cached_property
    def metrics(self) -> dict[str, dict[str, Any]]:
        """Every customer's newest metrics after the first run."""
        snapshots = [json.loads(output.value or b"") for _, output in self.first.of("customer-metrics")]
        return {snapshot["customer_id"]: snapshot["metrics"] for snapshot in snapshots}

    @cached_property
    def applied(self) -> dict[str, list[str]]:
        """Every customer's event ids in the order of the journal after the first run."""
        ids: dict[str, list[str]] = defaultdict(list)
        for entries in self.first.journal.values():
            for entry in entries:
                event = json.loads(entry.value)
                ids[event.get("customer_id", "")].append(event["event_id"])
        return ids

    def place(self, record: Given) -> Place:
        """Where the broker put a record of the batch."""
        return record.topic, record.partition, batch.offset_of(record, self.given)


def _by_place(outcome: Outcome, topic: str) -> dict[Place, list[SetAside]]:
    found: dict[Place, list[SetAside]] = defaultdict(list)
    for number, output in outcome.of(topic):
        ours = {name.removeprefix(PREFIX): value.decode() for name, value in output.headers if name.startswith(PREFIX)}
        assert int(ours["partition"]) == number
        found[ours["topic"].partition(".")[2], number, int(ours["offset"])].append(SetAside(output, ours))
    return found


def run(broker: str, harness: Harness) -> Ran:
    given, tail = batch.whole(), batch.tail()
    harness.publish(given)
    first = deepcopy(harness.work())
    again = deepcopy(harness.work())
    harness.publish(tail)
    return Ran(broker, given, tail, first, again, harness.work())


@pytest.fixture(scope="session")
def in_memory() -> Ran:
    return run("memory", InMemory())


@pytest.fixture(scope="session", params=["memory", pytest.param("embedded", marks=pytest.mark.embedded), pytest.param("kafka", marks=pytest.mark.kafka)])
def ran(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ran]:
    """The batch on each of the three brokers."""
    namespace = f"t-{uuid.uuid4().hex[:10]}"
    folder = tmp_path_factory.mktemp(request.param)
    with ExitStack() as running:
        if request.param == "memory":
            yield request.getfixturevalue("in_memory")
        elif request.param == "kafka":
            yield run("kafka", OnBroker(request.getfixturevalue("kafka"), namespace, folder))
        else:
            try:
                harness = running.enter_context(embedded(namespace, folder))
            except UserError as missing:
                pytest.skip(str(missing))
            yield run("embedded", harness)
