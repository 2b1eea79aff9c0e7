"""What comes out is decided by what went in: not by the broker, not by how often the worker starts."""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime

import pytest

from schemas.journal import JournalEntry
from tests.contract.bad_input import TABLE
from tests.contract.conftest import Ran
from tests.contract.harness import PARTITIONS, RESULTS, Outcome

pytestmark = pytest.mark.timeout(300)  # three runs of a worker process, on a machine that may be busy

END_OF_BANK = datetime.fromisoformat("2025-08-01T00:00:00+08:00")


def by_content(outcome: Outcome, topic: str) -> dict[int, list[tuple[object, ...]]]:
    """Outputs without the namespace, which is the broker's own."""
    return {
        number: [
            (
                output.key,
                output.value,
                [(name, value.partition(b".")[2] if name == "fenghuo.errors.topic" and value else value) for name, value in output.headers],
            )
            for output in outcome.outputs[topic][number]
        ]
        for number in range(PARTITIONS)
    }


@pytest.mark.parametrize("topic", RESULTS)
def test_all_brokers_give_the_same_outputs_byte_for_byte(ran: Ran, in_memory: Ran, topic: str) -> None:
    assert by_content(ran.first, topic) == by_content(in_memory.first, topic)
    assert by_content(ran.more, topic) == by_content(in_memory.more, topic)
    assert any(by_content(ran.first, topic).values())


def test_all_brokers_give_the_same_journal_and_accounts(ran: Ran, in_memory: Ran) -> None:
    assert ran.first.journal == in_memory.first.journal
    assert ran.more.journal == in_memory.more.journal
    assert ran.more.accounts == in_memory.more.accounts


def test_a_worker_that_starts_again_on_the_same_topics_applies_nothing_twice(ran: Ran) -> None:
    for topic in RESULTS:
        assert ran.again.of(topic) == ran.first.of(topic)
    assert ran.again.journal == ran.first.journal
    assert ran.again.accounts == ran.first.accounts


def test_it_goes_on_where_it_stopped(ran: Ran) -> None:
    for topic in RESULTS:
        for number in range(PARTITIONS):
            before, after = ran.first.outputs[topic][number], ran.more.outputs[topic][number]
            assert after[: len(before)] == before
    newest = {json.loads(output.value or b"")["customer_id"]: json.loads(output.value or b"") for _, output in ran.more.of("customer-metrics")}
    assert {newest[bad.customer]["metrics"]["flow.out.amount.7d"] for bad in TABLE} == {4_250}
    assert sum(map(len, ran.more.journal.values())) == sum(map(len, ran.first.journal.values())) + len(ran.tail)


def test_six_topics_of_very_different_sizes_are_merged_into_one_order_of_time(ran: Ran) -> None:
    """Everything was loaded before the worker started, topic by topic; the simulated bank's events come out in order of time."""
    sizes = Counter(record.topic for record in ran.given)
    assert len(sizes) == 6
    assert max(sizes.values()) > 1000 * min(sizes.values())
    kinds = set()
    for number in range(PARTITIONS):
        entries = ran.first.journal[number]
        assert [entry.position for entry in entries] == list(range(len(entries)))
        of_the_bank = [entry for entry in entries if time_of(entry) < END_OF_BANK]
        kinds |= {entry.kind for entry in of_the_bank}
        times = [time_of(entry) for entry in of_the_bank]
        assert times == sorted(times)
    assert kinds == {"customer", "transaction", "interaction", "complaint", "tick"}


def time_of(entry: JournalEntry) -> datetime:
    return datetime.fromisoformat(json.loads(entry.value)["occurred_at"])
