"""Every shipped rule at its threshold, just under and just over, on plain facts; and what the alert then says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from alerting.episode import Trigger, evaluate
from alerting.facts import Facts
from alerting.pack import Pack, load_pack
from schemas.outputs.alert import Alert

NOW = "2026-07-20T12:00"
CLEAN = {"flow.out.norm.30d": 20_000_000, "balance.average.90d": 50_000_00, "complaint.open.count": 0}

#: rule, facts under which it raises, [(facts changed, whether it still raises)]
WHEN: list[tuple[str, dict[str, Any], list[tuple[dict[str, Any], bool]]]] = [
    (
        "anomaly.outflow",
        {"flow.out.amount.30d": 60_000_001, "flow.out.norm.30d": 20_000_000},
        [
            ({"flow.out.amount.30d": 60_000_000}, False),  # three times is not above three times
            ({"flow.out.amount.30d": 50_000_00, "flow.out.norm.30d": 1}, True),  # the floor itself
            ({"flow.out.amount.30d": 49_999_99, "flow.out.norm.30d": 1}, False),
            ({"flow.out.norm.30d": None}, False),
        ],
    ),
    (
        "churn.balance-attrition",
        {"balance.attrition.30d": 0.4, "balance.average.90d": 50_000_00},
        [
            ({"balance.attrition.30d": 0.399999}, False),
            ({"balance.attrition.30d": 0.400001}, True),
            ({"balance.average.90d": 49_999_99}, False),
            ({"balance.average.90d": None}, False),
        ],
    ),
    (
        "churn.dissatisfied-complainant",
        {"complaint.open.count": 1, "satisfaction.csat.mean.90d": 2.5, "satisfaction.csat.n.90d": 1},
        [
            ({"complaint.open.count": 0}, False),
            ({"satisfaction.csat.mean.90d": 2.51}, False),
            ({"satisfaction.csat.mean.90d": None, "satisfaction.csat.n.90d": 0}, False),
            ({"satisfaction.csat.mean.90d": 4.0, "satisfaction.nps.90d": -0.1, "satisfaction.nps.n.90d": 1}, True),
            ({"satisfaction.csat.mean.90d": 4.0, "satisfaction.nps.90d": 0.0, "satisfaction.nps.n.90d": 1}, False),
        ],
    ),
    (
        "anomaly.near-threshold-cash",
        {"cash.near_threshold.count.1d": 3, "cash.near_threshold.amount.1d": 14_400_000},
        [({"cash.near_threshold.count.1d": 2}, False), ({"cash.near_threshold.count.1d": 4}, True), ({"cash.near_threshold.count.1d": None}, False)],
    ),
]

Facts_ = Callable[..., Facts]
Triggers = Callable[..., Trigger]


def raised(pack: Pack, rule_id: str, facts: Facts, trigger: Trigger) -> Alert | None:
    rule = pack.rule(rule_id)
    assert rule is not None
    _, alerts = evaluate(rule, pack, facts, None, trigger)
    return alerts[0] if alerts else None


@pytest.mark.parametrize(("rule_id", "base", "cases"), WHEN, ids=[case[0] for case in WHEN])
def test_a_rule_on_conditions_at_under_and_over_its_threshold(
    pack: Pack, facts_at: Facts_, trigger: Triggers, rule_id: str, base: dict[str, Any], cases: list[tuple[dict[str, Any], bool]]
) -> None:
    at_threshold = facts_at(NOW, CLEAN | base)
    alert = raised(pack, rule_id, at_threshold, trigger(at_threshold["now"], "transaction"))
    assert alert is not None
    assert Alert.model_validate_json(alert.model_dump_json()) == alert
    for change, expected in cases:
        facts = facts_at(NOW, CLEAN | base | change)
        assert (raised(pack, rule_id, facts, trigger(facts["now"], "transaction")) is not None) is expected, change


#: rule, facts with the instants as local times, the instant at which it falls due
ABSENT: list[tuple[str, dict[str, Any], str]] = [
    ("churn.salary-gone", {"salary.expected_at": "2026-07-10", "salary.regular_months": 3, "salary.amount": 3_200_000, "salary.day": 10}, "2026-07-20"),
    ("churn.silence", {"activity.last_day": "2026-06-01", "activity.typical_gap": 9, "balance.average.90d": 50_000_00}, "2026-07-07"),
    ("churn.silence", {"activity.last_day": "2026-06-01", "activity.typical_gap": 2, "balance.average.90d": 50_000_00}, "2026-07-01"),
    ("credit.overdue-1", {"one_loan.due_since": "2026-07-05", "one_loan.dpd": 1}, "2026-07-06"),
    ("credit.overdue-30", {"one_loan.due_since": "2026-07-05", "one_loan.dpd": 30}, "2026-08-04"),
    ("credit.overdue-90", {"one_loan.due_since": "2026-07-05", "one_loan.dpd": 90}, "2026-10-03"),
    ("complaint.limit-50", {"one_complaint.started_at": "2026-07-01", "one_complaint.due_at": "2026-07-17"}, "2026-07-09"),
    ("complaint.limit-80", {"one_complaint.started_at": "2026-07-01", "one_complaint.due_at": "2026-07-17"}, "2026-07-13T19:12"),
    ("complaint.limit-passed", {"one_complaint.started_at": "2026-07-01", "one_complaint.due_at": "2026-07-17"}, "2026-07-17"),
]


@pytest.fixture
def waiting(facts_at: Facts_, at: Callable[[str], int]) -> Callable[[str | int, dict[str, Any]], Facts]:
    """Facts whose instants are written as local times."""
    instants = ("salary.expected_at", "activity.last_day", "one_loan.due_since", "one_complaint.started_at", "one_complaint.due_at")
    return lambda now, values: facts_at(now, {key: at(value) if key in instants and value else value for key, value in values.items()})


@pytest.mark.parametrize(("rule_id", "values", "due"), ABSENT)
def test_an_absence_falls_due_at_its_instant_and_not_a_millisecond_before(
    pack: Pack, waiting: Callable[..., Facts], trigger: Triggers, at: Callable[[str], int], rule_id: str, values: dict[str, Any], due: str
) -> None:
    rule = pack.rule(rule_id)
    assert rule is not None

    assert rule.wake(waiting("2026-07-02", values)) == at(due)
    assert raised(pack, rule_id, waiting(at(due) - 1, values), trigger(at(due) - 1)) is None
    alert = raised(pack, rule_id, waiting(at(due), values), trigger(at(due)))
    assert alert is not None
    assert Alert.model_validate_json(alert.model_dump_json()) == alert
    assert raised(pack, rule_id, waiting(at(due) + 1, values), trigger(at(due) + 1)) is not None


@pytest.mark.parametrize(
    ("rule_id", "values", "change"),
    [
        ("churn.salary-gone", ABSENT[0][1], {"salary.regular_months": 2}),
        ("churn.salary-gone", ABSENT[0][1], {"salary.expected_at": None}),
        ("churn.silence", ABSENT[1][1], {"balance.average.90d": 49_999_99}),
        ("churn.silence", ABSENT[1][1], {"activity.typical_gap": None}),
        ("credit.overdue-1", ABSENT[3][1], {"one_loan.dpd": 30}),
        ("credit.overdue-30", ABSENT[4][1], {"one_loan.dpd": 90}),
        ("credit.overdue-90", ABSENT[5][1], {"one_loan.due_since": None}),
        ("complaint.limit-50", ABSENT[6][1], {"one_complaint.started_at": None, "one_complaint.due_at": None}),
    ],
)
def test_an_absence_long_due_is_no_warning_where_what_it_needs_is_missing(
    pack: Pack, waiting: Callable[..., Facts], trigger: Triggers, at: Callable[[str], int], rule_id: str, values: dict[str, Any], change: dict[str, Any]
) -> None:
    later = at("2027-01-01")

    assert raised(pack, rule_id, waiting(later, values), trigger(later)) is not None
    assert raised(pack, rule_id, waiting(later, values | change), trigger(later)) is None


@pytest.mark.parametrize("name", ["bank-cn", "bank-cz"])
def test_no_rule_fails_on_facts_that_say_nothing(name: str, trigger: Triggers, facts_at: Facts_) -> None:
    pack = load_pack(name)
    facts = facts_at(NOW, {})
    for rule in pack.rules:
        assert rule.wake(facts) is None
        assert evaluate(rule, pack, facts, None, trigger(facts["now"])) == (None, [])


def test_a_rule_is_in_force_from_its_effective_date_on(pack: Pack, waiting: Callable[..., Facts], trigger: Triggers, at: Callable[[str], int]) -> None:
    rule = pack.rule("churn.salary-gone")
    assert rule is not None
    values = ABSENT[0][1] | {"salary.expected_at": "2023-11-10"}

    assert rule.wake(waiting("2023-11-11", values)) == at("2024-01-01")
    assert raised(pack, rule.id, waiting("2023-12-31T23:59", values), trigger(at("2023-12-31T23:59"))) is None
    assert raised(pack, rule.id, waiting("2024-01-01", values), trigger(at("2024-01-01"))) is not None

    outflow = {"flow.out.amount.30d": 90_000_000, "flow.out.norm.30d": 20_000_000}
    assert raised(pack, "anomaly.outflow", waiting("2023-12-31T23:59", outflow), trigger(0)) is None
    assert raised(pack, "anomaly.outflow", waiting("2024-01-01", outflow), trigger(0)) is not None


def test_the_reason_reads_as_a_banker_would_say_it(pack: Pack, facts_at: Facts_, trigger: Triggers) -> None:
    facts = facts_at(NOW, {"flow.out.amount.30d": 82_000_000, "flow.out.norm.30d": 20_000_000, "balance.attrition.30d": 0.61, "balance.current": 48_200_000})

    alert = raised(pack, "anomaly.outflow", facts, trigger(facts["now"], "transaction"))

    assert alert is not None
    assert [reason.en for reason in alert.reasons] == [
        "Outflow of ¥ 820,000.00 in 30 days is 4.1× the 6-month norm of ¥ 200,000.00 (threshold 3×)",
        "Balance 61 % below its average of 30 days, now ¥ 482,000.00 (threshold 40 %)",
    ]
    assert alert.reasons[0].zh == "30 天流出 ¥ 820,000.00，为此前六个月常态 ¥ 200,000.00 的 4.1×（阈值 3×）"
    first = alert.reasons[0]
    assert (first.observed, first.baseline, first.threshold, first.unit, first.window_days) == (82_000_000, 20_000_000, 60_000_000, "money", 30)
    assert (alert.score, alert.grade, alert.value_at_stake, alert.owner) == (90, "high", 82_000_000, "risk-officer")
    assert (alert.subject.display_name, alert.evidence.positions, alert.evidence.partition) == ("张*伟", [7, 9], 2)


def test_an_open_complaint_bars_offers_in_every_alert(pack: Pack, facts_at: Facts_, trigger: Triggers) -> None:
    values = {"cash.near_threshold.count.1d": 3}
    without = raised(pack, "anomaly.near-threshold-cash", facts_at(NOW, values), trigger(0))
    barred = raised(pack, "anomaly.near-threshold-cash", facts_at(NOW, values | {"complaint.open.count": 1}), trigger(0))

    assert without is not None
    assert barred is not None
    assert without.action.do_not is not None
    assert barred.action.do_not is not None
    assert without.action.do_not.en == "tell the customer about the review"
    assert barred.action.do_not.en == "offer products: a complaint is open; tell the customer about the review"


def test_reasons_are_at_most_four_weightiest_first_and_the_score_at_most_100(pack: Pack, waiting: Callable[..., Facts], trigger: Triggers) -> None:
    facts = waiting(
        "2026-07-20",
        {
            "complaint.open.count": 3,
            "satisfaction.csat.mean.90d": 1.5,
            "satisfaction.csat.n.90d": 2,
            "satisfaction.nps.90d": -100.0,
            "satisfaction.nps.n.90d": 2,
            "complaint.received.count.90d": 3,
        },
    )

    alert = raised(pack, "churn.dissatisfied-complainant", facts, trigger(facts["now"], "interaction"))

    assert alert is not None
    assert [reason.contribution for reason in alert.reasons] == [40, 30, 20, 20]
    assert alert.score == 100
    assert alert.reasons[1].en == "CSAT mean 1.5 on 1 to 5 over 90 days, n = 2 (threshold 2.5)"
