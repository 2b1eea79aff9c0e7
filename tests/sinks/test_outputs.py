"""Metrics, alerts and cases as BI sees them: through the views, whatever was inserted twice."""

from __future__ import annotations

import json
import threading
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client

from schemas.connection import KafkaSettings
from schemas.outputs import Alert
from schemas.telemetry import Telemetry
from sinks.dead_letters import MemoryDeadLetters
from sinks.settings import ClickHouseSettings, SinkSettings
from sinks.sink import Sink
from tests.sinks.memory import MemorySource, Topics, transaction

pytestmark = pytest.mark.embedded


def fill(topics: Topics, clickhouse: ClickHouseSettings, client: Client) -> MemoryDeadLetters:
    letters = MemoryDeadLetters()
    settings = SinkSettings(batch_seconds=0.01)
    sink = Sink(settings, clickhouse, KafkaSettings(), Telemetry(), client, source=MemorySource(topics), dead_letters=letters)
    assert sink.run(threading.Event(), until_drained=True)
    return letters


def one(client: Client, query: str) -> dict[str, Any]:
    [row] = client.query(query, query_tz="UTC", tz_mode="aware").named_results()
    return dict(row)


def snapshot(customer: str, revision: int, metrics: dict[str, Any], currency: str = "CNY") -> bytes:
    return json.dumps(
        {
            "customer_id": customer,
            "as_of": "2026-03-01T16:00:00.5Z",
            "business_day": "2026-03-02",
            "revision": revision,
            "partition": 0,
            "position": 9,
            "currency": currency,
            "metrics": metrics,
        }
    ).encode()


def alert(alert_id: str, revision: int, **changes: Any) -> bytes:
    moment = "2026-03-01T16:00:00Z"
    text = {"zh": "代发工资中断", "en": "Salary gone"}
    fields: dict[str, Any] = {
        "alert_id": alert_id,
        "revision": revision,
        "state": "raised",
        "rule": "churn.salary-gone",
        "rule_version": 3,
        "pack": "bank-cn",
        "pack_version": "1",
        "type": "churn",
        "title": text,
        "grade": "high",
        "score": 70,
        "subject": {"kind": "customer", "id": "c1", "customer_id": "c1", "display_name": "张*伟"},
        "episode": 1,
        "occurrences": 1,
        "raised_at": moment,
        "occurred_at": moment,
        "watermark": moment,
        "expires_at": moment,
        "currency": "CNY",
        "value_at_stake": 48_200_000,
        "reasons": [{"code": "r", **text, "metric": "salary.late", "unit": "days", "observed": 10, "baseline": 0.5, "threshold": "10 d", "contribution": 100}],
        "cause": {"kind": "clock", "position": 7},
        "evidence": {"partition": 2, "positions": [88412, 88417]},
        "action": {"code": "call", "do": text, "do_not": None},
        "owner": "relationship-manager",
        **changes,
    }
    return Alert.model_validate(fields).model_dump_json().encode()


def test_the_newest_snapshot_is_shown_with_money_in_decimals(clickhouse: ClickHouseSettings, client: Client) -> None:
    topics = Topics()
    metrics = {
        "balance.current": 123_456_789,
        "flow.out.amount.30d": 5_050,
        "flow.out.count.30d": 2,
        "flow.kind.amount.7d": {"salary": 3_200_000},
        "balance.attrition.30d": 0.25,
        "salary.expected_at": 1_783_612_800_000,
        "from.a.newer.version": {"x": 1},
    }
    topics.put("customer-metrics", 0, snapshot("c1", 1, {}), b"c1")
    topics.put("customer-metrics", 0, snapshot("c1", 2, metrics), b"c1")
    topics.put("customer-metrics", 0, snapshot("c2", 1, {"balance.current": 500}, "JPY"), b"c2")
    topics.journal(
        0, [("customer", {"event_id": "p", "customer_id": "c1", "source": "s", "occurred_at": "2026-01-01T00:00:00Z", "change": "recorded", "outlet_id": "o7"})]
    )
    fill(topics, clickhouse, client)
    d = clickhouse.database
    row = one(client, f"SELECT * FROM {d}.v_customers_latest WHERE customer_id = 'c1'")
    assert (row["revision"], row["business_day"], row["outlet_id"]) == (2, date(2026, 3, 2), "o7")
    assert row["as_of"] == datetime(2026, 3, 1, 16, 0, 0, 500_000, tzinfo=UTC)
    assert (row["balance_current"], row["flow_out_amount_30d"], row["flow_out_count_30d"]) == (Decimal("1234567.89"), Decimal("50.5"), 2)
    assert row["flow_kind_amount_7d"] == {"salary": Decimal("32000")}
    assert row["balance_attrition_30d"] == 0.25
    assert row["salary_expected_at"] == datetime(2026, 7, 9, 16, tzinfo=UTC)
    assert (row["salary_amount"], row["flow_in_count_7d"], row["satisfaction_nps_90d"]) == (None, 0, None)
    assert one(client, f"SELECT balance_current FROM {d}.v_customers_latest WHERE customer_id = 'c2'") == {"balance_current": Decimal(500)}
    assert one(client, f"SELECT count() AS n FROM {d}.v_customers_history") == {"n": 3}
    for narrow, wide in (("v_customer_card", "v_customers_latest"), ("v_customer_balances", "v_customers_history")):
        found = client.query(f"SELECT * FROM {d}.{narrow} ORDER BY ALL")
        assert found.result_rows
        assert found.result_rows == client.query(f"SELECT {', '.join(found.column_names)} FROM {d}.{wide} ORDER BY ALL").result_rows
    assert json.loads(one(client, f"SELECT _unknown FROM {d}.customer_metrics WHERE _unknown != ''")["_unknown"]) == {"from.a.newer.version": {"x": 1}}


def test_an_alert_is_shown_as_it_stands_with_its_life_behind_it(clickhouse: ClickHouseSettings, client: Client) -> None:
    topics = Topics()
    for revision, state in enumerate(("raised", "acknowledged", "resolved"), 1):
        topics.put("alerts", 1, alert("a1", revision, state=state), b"c1")
    topics.put("alerts", 1, alert("a2", 1, grade="critical"), b"c1")
    fill(topics, clickhouse, client)
    d = clickhouse.database
    assert one(client, f"SELECT revision, state, is_open FROM {d}.v_alerts_latest WHERE alert_id = 'a1'") == {"revision": 3, "state": "resolved", "is_open": 0}
    row = one(client, f"SELECT * FROM {d}.v_alerts_latest WHERE is_open")
    assert (row["alert_id"], row["grade_rank"], row["title_zh"], row["display_name"], row["owner"]) == (
        "a2",
        4,
        "代发工资中断",
        "张*伟",
        "relationship-manager",
    )
    assert (row["value_at_stake"], row["business_day"]) == (Decimal(482_000), date(2026, 3, 2))
    assert (row["reasons"][0]["observed"], row["reasons"][0]["threshold"], row["reasons_en"]) == ("10", "10 d", ["Salary gone"])
    assert (row["evidence_partition"], row["evidence_positions"], row["cause_kind"], row["do_not_en"]) == (2, [88412, 88417], "clock", "")
    assert one(client, f"SELECT count() AS n, uniqExact(alert_id, revision) AS d FROM {d}.v_alerts_history") == {"n": 4, "d": 4}


def test_a_case_is_open_until_it_ends_and_again_when_reopened(clickhouse: ClickHouseSettings, client: Client) -> None:
    def step(number: int, case: str, what: str, at: str, **more: Any) -> tuple[Any, dict[str, Any]]:
        return "complaint", {"event_id": f"k{number}", "customer_id": "c1", "source": "desk", "occurred_at": at, "case_id": case, "step": what, **more}

    topics = Topics()
    steps = [
        step(1, "TS-1", "received", "2026-03-01T09:00:00+08:00", business="card"),
        step(2, "TS-1", "classified", "2026-03-02T09:00:00+08:00", reason="pricing", business="loan"),
        step(3, "TS-1", "extended", "2026-03-10T09:00:00+08:00", approver="h"),
        step(4, "TS-1", "answered", "2026-03-20T23:30:00+08:00", at_fault=True),
        step(5, "TS-2", "received", "2026-03-01T09:00:00+08:00"),
        step(6, "TS-2", "closed", "2026-03-03T09:00:00+08:00"),
        step(7, "TS-2", "reopened", "2026-03-05T09:00:00+08:00"),
    ]
    topics.journal(0, steps)
    fill(topics, clickhouse, client)
    view = f"{clickhouse.database}.v_complaints"
    closed = one(client, f"SELECT * FROM {view} WHERE case_id = 'TS-1'")
    assert (closed["is_open"], closed["age_days"], closed["age_band"], closed["extensions"], closed["last_step"]) == (0, 19, "16-30", 1, "answered")
    assert (closed["business"], closed["reason"], closed["at_fault"], closed["business_day"]) == ("loan", "pricing", True, date(2026, 3, 1))
    again = one(client, f"SELECT * FROM {view} WHERE case_id = 'TS-2'")
    assert (again["is_open"], again["ended_at"], again["reopenings"]) == (1, None, 1)
    assert again["started_at"] == datetime(2026, 3, 5, 1, tzinfo=UTC)


def test_daily_business_takes_reversals_off_and_counts_no_declined_amount(clickhouse: ClickHouseSettings, client: Client) -> None:
    topics = Topics()
    at = {"occurred_at": "2026-03-01T23:59:59+08:00", "channel": "pos", "customer_id": "c1"}
    booked = [
        transaction(1, amount="10.10", **at),
        transaction(2, amount="20.20", **at),
        transaction(3, amount="20.20", status="reversed", reverses="t2", **at),
        transaction(4, amount="99.00", status="declined", **at),
    ]
    topics.journal(0, [("transaction", event) for event in booked])
    fill(topics, clickhouse, client)
    row = one(client, f"SELECT * FROM {clickhouse.database}.v_daily_business")
    assert (row["business_day"], row["amount"], row["n"], row["customers"]) == (date(2026, 3, 1), Decimal("10.10"), 4, 1)
    assert (row["posted"], row["reversed"], row["declined"]) == (2, 1, 1)


def test_the_documented_queries_run(clickhouse: ClickHouseSettings, client: Client) -> None:
    page = (Path(__file__).parents[2] / "docs" / "clickhouse.md").read_text(encoding="utf-8")
    queries = page.partition("```sql")[2].partition("```")[0].replace("fenghuo.", f"{clickhouse.database}.").split(";")
    assert [client.query(query).result_rows for query in queries if query.strip()] == [[], [], []]


def test_a_metrics_row_that_clickhouse_refuses_is_set_aside_once_with_its_record(clickhouse: ClickHouseSettings, client: Client) -> None:
    topics = Topics()
    wrong = snapshot("c9", 1, {}).replace(b"2026-03-01T16", b"soon")
    topics.put("customer-metrics", 0, snapshot("c1", 1, {}), b"c1")
    topics.put("customer-metrics", 0, wrong, b"c9")
    letters = fill(topics, clickhouse, client)
    rows = one(client, f"SELECT count() AS n FROM {clickhouse.database}.customer_metrics")
    assert [(letter.key, letter.value, letter.why.topic, letter.why.offset) for letter in letters.refused] == [(b"c9", wrong, "crm.customer-metrics", 1)]
    assert rows == {"n": 1}
