"""When a customer is written and what the clock may not do: snapshots close business days, quiet customers are written until nothing is left to move."""

from __future__ import annotations

import pytest

from schemas.journal import read_chunk
from streams.lane import Lane
from streams.records import InputRecord
from streams.testing import Bank


@pytest.fixture
def bank() -> Bank:
    return Bank("bank-cn")


def written(bank: Bank) -> list[str]:
    return [snapshot.as_of.astimezone(bank.pack.timezone).isoformat(timespec="seconds") for snapshot in bank.snapshots()]


def test_a_snapshot_closes_the_business_day(bank: Bank):
    for time in ("09:00:00", "11:00:00", "23:30:00"):
        bank.transaction("c1", "10.00", "card_purchase", f"2026-03-01T{time}")
    bank.clock("2026-03-02T02:00:00")
    [snapshot] = bank.snapshots()
    assert written(bank) == ["2026-03-01T23:59:59+08:00"]
    assert snapshot.business_day == "2026-03-01"
    assert snapshot.metrics["flow.out.count.1d"] == 3


def test_a_bank_is_written_one_customer_after_the_other_each_as_of_the_close(bank: Bank):
    """At midnight every active customer's day closes: written at once they would hold up every alert."""
    customers = [f"c{number}" for number in range(40)]
    for customer in customers:
        bank.transaction(customer, "10.00", "card_purchase", "2026-03-01T12:00:00")
    so_far = []
    for time in ("00:00:00", "00:30:00", "01:00:00", "01:30:00", "02:00:00"):
        bank.clock(f"2026-03-02T{time}")
        so_far.append(len(bank.snapshots()))
    assert so_far[0] == 0
    assert 5 <= so_far[1] < so_far[2] - 4 < so_far[3] - 8 < so_far[4] - 12
    assert sorted(snapshot.customer_id for snapshot in bank.snapshots()) == sorted(customers)
    assert set(written(bank)) == {"2026-03-01T23:59:59+08:00"}


@pytest.mark.parametrize("next_event", ["2026-03-02T00:00:01", "2026-03-02T00:59:00", "2026-03-02T12:00:00"])
def test_what_comes_before_a_snapshot_is_written_does_not_show_in_it(bank: Bank, next_event: str):
    alone = Bank("bank-cn")
    for each in (bank, alone):
        for customer in ("c1", "c2", "c3"):
            each.transaction(customer, "10.00", "card_purchase", "2026-03-01T12:00:00")
    for customer in ("c1", "c2", "c3"):
        bank.transaction(customer, "99.00", "card_purchase", next_event)
    alone.clock("2026-03-02T02:00:00")
    first = {snapshot.customer_id: snapshot for snapshot in reversed(bank.snapshots())}
    assert len(first) == 3
    assert {customer: snapshot.metrics for customer, snapshot in first.items()} == {snapshot.customer_id: snapshot.metrics for snapshot in alone.snapshots()}


def test_a_quiet_customer_is_written_as_its_last_day_leaves_each_window_and_then_no_more(bank: Bank):
    bank.transaction("c1", "10.00", "card_purchase", "2026-01-01T09:00:00")
    bank.clock("2029-01-01T00:00:00")
    assert [day[:10] for day in written(bank)] == ["2026-01-01", "2026-01-31", "2026-04-01", "2027-01-01"]
    assert [snapshot.metrics.get("flow.out.count.365d") for snapshot in bank.snapshots()] == [1, 1, 1, None]
    bank.transaction("c1", "10.00", "card_purchase", "2029-01-01T09:00:00")
    bank.clock("2029-02-05T00:00:00")
    assert [day[:10] for day in written(bank)[4:]] == ["2029-01-01", "2029-01-31"]


def test_an_unpaid_loan_is_written_as_long_as_it_is_unpaid(bank: Bank):
    bank.transaction("c1", "500.00", "instalment_due", "2026-01-01T09:00:00", loan_id="l1", product_line="loan")
    bank.clock("2028-01-01T00:00:00")
    assert [snapshot.metrics["loan.dpd"] for snapshot in bank.snapshots()] == [0, 30, 90, 365, 455, 545, 635, 725]


def test_a_second_copy_is_a_duplicate_whatever_time_it_states(bank: Bank):
    bank.transaction("c1", "10.00", "card_purchase", "2026-03-01T09:00:00", event_id="same")
    bank.transaction("c1", "10.00", "card_purchase", "2026-03-05T09:00:00", event_id="same")
    assert bank.count("duplicate") == 1
    assert bank.metrics("c1")["flow.out.count.30d"] == 1


def test_a_wild_tick_moves_the_clock_only_to_its_place(bank: Bank):
    records = []
    for at in ("2026-03-01T00:00:00+08:00", "2031-01-01T00:00:00+08:00", "2026-03-02T00:00:00+08:00"):
        value = b'{"event_id":"%s","source":"t","occurred_at":"%s","partition":0}' % (at.encode(), at.encode())
        records.append(InputRecord(len(records), 1 << 50, b"0", value))
    bank.lane.offer("tick", records)
    frame = bank.lane.frame(10)
    assert frame is not None
    assert frame.counts["tick", "applied"] == 3
    assert bank.time("2026-03-02T00:00:00").timestamp() * 1000 == frame.clock
    again = Lane(0, bank.lane.registry, bank.pack, {})
    (replayed,) = again.replay([entry for output in frame.outputs if output.topic == "journal" for entry in read_chunk(output.value or b"")], 10)
    assert replayed.clock == frame.clock
    assert replayed.outputs == frame.outputs


def test_dead_letters_in_a_row_are_counted_until_a_good_record_comes(bank: Bank):
    for bad in (3, 5):
        for _ in range(bad):
            bank.raw("complaint", b"c1", b"{")
        assert bank.frames[-1].dead_letters_in_a_row == bad
        bank.transaction("c1", "10.00", "card_purchase", "2026-03-01T09:00:00")
        assert bank.frames[-1].dead_letters_in_a_row == 0


def test_an_alert_raised_by_an_event_that_came_behind_the_clock_expires_in_time(bank: Bank):
    """The first midnight after such an event has passed already; the ones to come are what counts."""
    bank.complaint("c1", "TS-1", "received", "2026-07-01T10:00:00", complex=False)
    bank.clock("2026-07-05T12:00:00")
    bank.survey("c1", 1, "2026-07-03T10:00:00")
    assert [alert.state for alert in bank.alerts("churn.dissatisfied-complainant")] == ["raised"]
    bank.clock("2026-08-02T09:59:00")
    assert [alert.state for alert in bank.alerts("churn.dissatisfied-complainant")] == ["raised"]
    bank.clock("2026-08-02T10:00:00")
    assert [alert.state for alert in bank.alerts("churn.dissatisfied-complainant")] == ["expired"]
