"""The simulated bank: the same bytes for a seed, balances that close, valid events in order of time, every story with its label."""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from deploy.errors import UserError
from deploy.inputs import InputLine, InputWriter, read_inputs
from deploy.simulator import STORIES, Parameters, Simulation
from deploy.simulator.story_names import EXPECTED_RULES
from schemas.codec import decode
from schemas.rejection import Rejected
from schemas.topics import load_registry

BANK = Parameters(customers=150, seed=5)


def live(parameters: Parameters) -> tuple[Simulation, list[InputLine]]:
    simulation = Simulation(parameters)
    return simulation, [line for day in simulation.days() for line in day]


@pytest.fixture(scope="module")
def bank() -> tuple[Simulation, list[InputLine]]:
    return live(BANK)


def of_topic(lines: list[InputLine], topic: str) -> list[dict[str, Any]]:
    return [json.loads(line.value) for line in lines if line.topic == topic]


def test_the_same_seed_gives_the_same_bytes_and_another_seed_another_bank(bank: tuple[Simulation, list[InputLine]]) -> None:
    assert live(BANK)[1] == bank[1]
    assert live(Parameters(customers=150, seed=6))[1] != bank[1]


def test_every_line_is_a_valid_event_with_an_id_of_its_own(bank: tuple[Simulation, list[InputLine]], tmp_path: Path) -> None:
    registry = load_registry(partitions=3)
    kinds = {topic.short: kind for kind, topic in registry.inputs.items()}
    with InputWriter(tmp_path / "bank.jsonl") as writer:
        writer.write(bank[1])
    seen: set[str] = set()
    for record in read_inputs([tmp_path / "bank.jsonl"], registry):
        event = decode(kinds[record.topic], record.key, record.value)
        assert event.event_id not in seen
        seen.add(event.event_id)
    ticks = sum(line.topic == "ticks" for line in bank[1])
    assert len(seen) == len(bank[1]) + 2 * ticks  # a tick goes to each of the three partitions


def test_events_come_in_order_of_time_over_the_whole_bank_and_end_with_the_closing_tick(bank: tuple[Simulation, list[InputLine]]) -> None:
    times = [json.loads(line.value)["occurred_at"] for line in bank[1]]
    assert times == sorted(times)
    assert times[0].startswith("2025-01-01")
    assert times[-2].startswith("2025-06-30")
    assert bank[1][-1].topic == "ticks"
    assert times[-1] == "2025-07-02T00:00:00+08:00"
    assert sum(line.topic == "ticks" for line in bank[1]) == BANK.days


def test_balances_close_on_every_account(bank: tuple[Simulation, list[InputLine]]) -> None:
    balances: dict[str, Decimal] = {}
    for event in of_topic(bank[1], "transactions"):
        if event["direction"] == "none":
            assert "balance_after" not in event
            continue
        change = Decimal(event["amount"]) * (1 if event["direction"] == "in" else -1)
        before = balances.get(event["account_id"])
        if before is not None:
            assert before + change == Decimal(event["balance_after"])
        balances[event["account_id"]] = Decimal(event["balance_after"])
    assert len(balances) == BANK.customers
    assert min(balances.values()) > 0


def test_customers_bank_at_their_own_rhythm_about_twenty_transactions_a_month(bank: tuple[Simulation, list[InputLine]]) -> None:
    counts: defaultdict[str, int] = defaultdict(int)
    for event in of_topic(bank[1], "transactions"):
        counts[event["customer_id"]] += 1
    mean = sum(counts.values()) / BANK.customers / 6
    assert 15 < mean < 30
    assert max(counts.values()) > 3 * min(counts.values())


def test_salaries_come_monthly_around_the_tenth(bank: tuple[Simulation, list[InputLine]]) -> None:
    days: defaultdict[str, list[date]] = defaultdict(list)
    for event in of_topic(bank[1], "transactions"):
        if event["kind"] == "salary":
            days[event["customer_id"]].append(datetime.fromisoformat(event["occurred_at"]).date())
    assert len(days) > 70
    assert {day.day for each in days.values() for day in each} == {9, 10, 11}
    stopped = {label.customer_id for label in bank[0].labels if label.story == "salary_gone"}
    for customer, each in days.items():
        months = [day.month for day in each]
        assert months == list(range(months[0], months[0] + len(months)))
        assert (months[-1] == 6) == (customer not in stopped)


def test_every_story_is_planted_and_labelled(bank: tuple[Simulation, list[InputLine]]) -> None:
    labels = bank[0].labels
    assert [label.story for label in labels] == list(STORIES)
    assert len({label.customer_id for label in labels}) == len(labels)
    for label in labels:
        assert label.expected_rules == EXPECTED_RULES[label.story]
        assert "2025-01-01" < label.starts_at < label.detect_by < "2025-07-01"
    assert Simulation(Parameters(customers=1500)).summary()["stories"] == dict.fromkeys(STORIES, 2)


def test_the_stories_happen_as_labelled(bank: tuple[Simulation, list[InputLine]]) -> None:
    label_of = {label.story: label for label in bank[0].labels}
    transactions, complaints = of_topic(bank[1], "transactions"), of_topic(bank[1], "complaints")

    silent = label_of["wealthy_silent"]
    later = [event for line in bank[1] if line.key == silent.customer_id and (event := json.loads(line.value))["occurred_at"] >= silent.starts_at]
    assert {event["kind"] for event in later} <= {"salary", "pension", "interest", "insurance_premium", "care_contact", "campaign_contact"}

    drain = label_of["deposits_drain"]
    balances = [
        Decimal(event["balance_after"]) for event in transactions if event["customer_id"] == drain.customer_id and event["occurred_at"] > drain.starts_at
    ]
    assert balances[0] > 500_000
    assert min(balances) < balances[0] * Decimal("0.3")

    loan = label_of["instalment_rolls_90"]
    of_loan = [event for event in transactions if event.get("loan_id") == loan.subject and event["occurred_at"] >= loan.starts_at]
    assert len(of_loan) >= 3
    assert {event["kind"] for event in of_loan} == {"instalment_due"}

    passed = label_of["complaint_passes_limit"]
    steps = {event["step"]: event["occurred_at"] for event in complaints if event["case_id"] == passed.subject}
    open_for = datetime.fromisoformat(steps["answered"]) - datetime.fromisoformat(steps["received"])
    assert open_for.days > 30

    ignored = label_of["ignored_complaint_reopened"]
    assert [event["step"] for event in complaints if event["case_id"] == ignored.subject] == [
        "received", "classified", "accepted", "closed", "reopened", "escalated",
    ]  # fmt: skip

    cash = label_of["structured_cash"]
    paid_in = [
        Decimal(event["amount"])
        for event in transactions
        if event["customer_id"] == cash.customer_id and event["kind"] == "deposit" and event["occurred_at"][:10] == cash.starts_at[:10]
    ]
    assert sum(45_000 <= amount < 50_000 for amount in paid_in) >= 3


def test_ordinary_complaints_are_answered() -> None:
    steps: defaultdict[str, list[str]] = defaultdict(list)
    for event in of_topic(live(Parameters(customers=350, stories=()))[1], "complaints"):
        steps[event["case_id"]].append(event["step"])
    assert steps
    early = sorted(steps)[: len(steps) // 2]
    assert all(steps[case][-1] in ("closed", "withdrawn") for case in early)


def test_a_story_that_does_not_fit_the_span_is_left_out_and_said() -> None:
    simulation = Simulation(Parameters(customers=200, months=2))
    assert set(simulation.left_out) == {
        "salary_gone", "wealthy_silent", "deposits_drain", "instalment_rolls_90", "complaint_passes_limit", "ignored_complaint_reopened", "structured_cash",
    }  # fmt: skip
    assert "days" in simulation.left_out["salary_gone"]


def test_dirt_is_beside_the_good_events_and_counted(bank: tuple[Simulation, list[InputLine]]) -> None:
    simulation, lines = live(Parameters(customers=150, seed=5, dirt=0.01))
    counts = simulation.summary()["dirt"]
    assert set(counts) == {"duplicate", "late", "malformed", "out_of_order"}
    assert set(bank[1]) <= set(lines)
    assert len(lines) == len(bank[1]) + counts["duplicate"] + counts["late"] + counts["malformed"]
    registry = load_registry()
    kinds = {topic.short: kind for kind, topic in registry.inputs.items()}
    refused = 0
    for line in lines:
        if line.key is not None:
            try:
                decode(kinds[line.topic], line.key.encode(), line.value)
            except Rejected:
                refused += 1
    assert refused == counts["malformed"]


def test_a_wish_for_events_is_met_about() -> None:
    customers = Parameters.customers_for(30_000, 6, date(2025, 1, 1))
    _, lines = live(Parameters(customers=customers))
    assert 25_000 < len(lines) < 35_000


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"customers": 0}, "customers"),
        ({"months": 0}, "months"),
        ({"dirt": 0.5}, "dirt"),
        ({"stories": ("nosuch",)}, "nosuch"),
        ({"start": date(1960, 1, 1)}, "start"),
    ],
)
def test_parameters_out_of_range_are_refused_in_one_line(wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(UserError, match=says):
        Parameters(**wrong)
