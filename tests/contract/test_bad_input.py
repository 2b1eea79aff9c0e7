"""Each bad record costs itself only: set aside byte for byte, with a reason and no personal data, and the next event is applied."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from schemas.codec import REASONS
from schemas.outputs.dead_letter import PREFIX
from schemas.topics import load_registry
from streams.partition_record import OUTCOMES
from tests.contract.bad_input import DIGITS, MARK, TABLE, Bad
from tests.contract.batch import CASH_ALERT
from tests.contract.conftest import Ran
from tests.contract.harness import PARTITIONS, Given

pytestmark = pytest.mark.timeout(300)  # three runs of a worker process, on a machine that may be busy

SHORTS = {kind: topic.short for kind, topic in load_registry().inputs.items()}


def bad_record(ran: Ran, bad: Bad) -> Given:
    _, expected, _ = bad.records()
    [record] = [record for record in ran.given if record == expected]
    return record


@pytest.mark.parametrize("bad", TABLE, ids=lambda bad: bad.name)
def test_a_bad_record_is_set_aside_byte_for_byte_and_costs_itself_only(ran: Ran, bad: Bad) -> None:
    record = bad_record(ran, bad)
    [(letter, ours)] = ran.dead_letters[ran.place(record)]
    assert letter.key == record.key
    assert letter.value == record.value
    assert letter.headers[: len(record.headers)] == list(record.headers)
    assert all(name.startswith(PREFIX) for name, _ in letter.headers[len(record.headers) :])

    assert (ours["reason"], ours["stage"], ours.get("field")) == (bad.reason, bad.stage, bad.field)
    assert bad.reason in REASONS
    told = " ".join(ours.values())
    assert MARK not in told
    assert DIGITS not in told

    assert ran.applied[bad.customer] == [f"good-{bad.customer}-2025-08-10-{hour}" for hour in (9, 11)]
    assert ran.metrics[bad.customer]["flow.out.amount.7d"] == 4_200


def test_nothing_else_is_set_aside(ran: Ran) -> None:
    wanted = {ran.place(bad_record(ran, bad)) for bad in TABLE}
    assert ran.dead_letters.keys() - wanted == {ran.place(record) for record in ran.given if record.topic == "ticks" and b'"lost"' in (record.value or b"")}


def test_every_record_ends_as_exactly_one_outcome_up_to_the_last_offset(ran: Ran) -> None:
    published = Counter((record.topic, record.partition) for record in ran.given)
    counted: Counter[str] = Counter()
    for number in range(PARTITIONS):
        for kind, progress in ran.first.accounts[number].inputs.items():
            assert (progress.start, progress.next) == (0, published.pop((SHORTS[kind], number))), (kind, number)
            counts = {outcome: getattr(progress, outcome) for outcome in OUTCOMES}
            assert sum(counts.values()) + progress.gaps == progress.next
            counted.update(counts)
    assert not published
    assert counted == {"applied": len(ran.given) - len(TABLE) - 1 - 2 - 1, "dead_lettered": len(TABLE) + 1, "duplicate": 2, "late": 1}
    assert counted["applied"] == sum(len(entries) for entries in ran.first.journal.values())


def test_a_second_copy_of_an_event_is_counted_and_skipped(ran: Ran) -> None:
    assert ran.metrics["duplicate"]["flow.out.amount.7d"] == 500
    assert ran.applied["duplicate"] == ["good-duplicate-2025-08-10-10"]


def test_an_answer_before_its_receipt_is_applied_and_flagged(ran: Ran) -> None:
    assert ran.applied["out-of-order"] == ["o-2", "o-1"]
    assert ran.metrics["out-of-order"]["complaint.out_of_order.count"] == 1
    assert ran.metrics["out-of-order"]["complaint.open.count"] == 0


def test_unknown_fields_are_kept(ran: Ran) -> None:
    [record] = [record for record in ran.given if record.key == b"unknown-fields"]
    assert record.value in [entry.value for entry in ran.first.journal[record.partition]]
    assert ran.metrics["unknown-fields"]["flow.out.amount.7d"] == 300


@pytest.mark.parametrize("customer", ["escaped", "pretty"])
def test_a_value_that_would_break_a_line_stands_in_the_journal_as_it_came(ran: Ran, customer: str) -> None:
    [record] = [record for record in ran.given if record.key == customer.encode()]
    assert record.value in [entry.value for entry in ran.first.journal[record.partition]]


def test_a_trace_goes_with_the_event_and_a_broken_one_costs_nothing(ran: Ran) -> None:
    traces = [entry.trace for entries in ran.first.journal.values() for entry in entries if b'"customer_id": "traced"' in entry.value]
    assert traces[0] == "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    assert len(traces) == 3
    assert traces[1] is None
    assert ran.metrics["traced"]["flow.out.amount.7d"] == 300


def test_a_late_event_goes_to_its_own_topic(ran: Ran) -> None:
    [record] = [record for record in ran.given if record.headers == [("own", b"header")]]
    [(output, ours)] = ran.late_events[ran.place(record)]
    assert len(ran.first.of("late-events")) == 1
    assert (output.key, output.value, output.headers[0]) == (record.key, record.value, ("own", b"header"))
    assert (ours["reason"], ours["stage"], ours["field"]) == ("late", "time", "occurred_at")
    assert ran.applied["late"] == ["good-late-2025-08-10-10"]


def test_feedback_finds_the_alert_that_the_same_batch_raised(ran: Ran) -> None:
    lives = [json.loads(output.value or b"") for _, output in ran.first.of("alerts") if output.key == b"cash"]
    assert [(alert["alert_id"], alert["state"]) for alert in lives] == [(CASH_ALERT, "raised"), (CASH_ALERT, "dismissed")]


def test_no_personal_data_is_logged(ran: Ran) -> None:
    for log in (ran.first.log, ran.again.log, ran.more.log):
        assert MARK not in log
        assert DIGITS not in log
        assert "张伟" not in log
        assert "Traceback" not in log
