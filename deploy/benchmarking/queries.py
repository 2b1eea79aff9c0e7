"""How long the views take on a bank of ten million events: a month of each, a customer's whole picture, and today's standing."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path
from statistics import median
from typing import Any, Final

from clickhouse_connect.driver.client import Client

from alerting.pack import Pack
from deploy.benchmarking.figures import table
from deploy.benchmarking.rows import LAST_DAY, Size, statements
from deploy.complaint_limits import clock_lines
from sinks.connection import connect
from sinks.migrate import Migrator
from sinks.settings import ClickHouseSettings

_ROUNDS: Final = 5
_PAGE_ROUNDS: Final = 15
_MONTH: Final = "business_day BETWEEN '2025-11-01' AND '2025-11-30'"
_CUSTOMER: Final = "c0000042"

#: Name: statement. A customer's whole picture is the first five: each names what a page shows, for planning a hundred columns takes
#: longer than reading them.
QUERIES: Final[dict[str, str]] = {
    "customer 360: facts and metrics": f"""SELECT display_name, outlet_id, relationship_manager, nature, tier, as_of, business_day, currency, silent_days,
        days_past_due, amount_past_due, past_due_band, balance_current, balance_average_90d, balance_attrition_30d, balance_attrition_90d, flow_in_amount_30d,
        flow_out_amount_30d, flow_in_count_30d, flow_out_count_30d, complaint_open_count, activity_last_day, loan_due_amount
        FROM {{d}}.v_customer_card WHERE customer_id = '{_CUSTOMER}'""",
    "customer 360: 50 events of a year": f"""SELECT occurred_at, event_kind, what, channel, outlet_id, amount, currency, reference FROM {{d}}.v_events
        WHERE customer_id = '{_CUSTOMER}' AND occurred_at >= '2025-01-01' ORDER BY occurred_at DESC LIMIT 50""",
    "customer 360: balance of 90 days": f"""SELECT business_day, balance_current FROM {{d}}.v_customer_balances
        WHERE customer_id = '{_CUSTOMER}' AND business_day >= '2025-10-01' ORDER BY business_day""",
    "customer 360: open alerts": f"""SELECT alert_id, title_zh, title_en, grade, state, raised_at, due_at, owner, value_at_stake, reasons_zh, do_zh
        FROM {{d}}.v_alerts_latest WHERE customer_id = '{_CUSTOMER}' AND is_open""",
    "customer 360: complaints": f"""SELECT case_id, business, reason, severity, last_step, received_at, is_open, age_days, due_at, in_time
        FROM {{d}}.v_complaints WHERE customer_id = '{_CUSTOMER}'""",
    "a customer's facts and metrics, every column": f"SELECT * FROM {{d}}.v_customers_latest WHERE customer_id = '{_CUSTOMER}'",
    "v_events: a month by day and kind": f"SELECT business_day, event_kind, count() AS n FROM {{d}}.v_events WHERE {_MONTH} GROUP BY ALL ORDER BY ALL",
    "v_customers_latest: by outlet": """SELECT outlet_id, count() AS n, sum(balance_current) AS balance, countIf(silent_days >= 30) AS silent,
        sum(amount_past_due) AS past_due FROM {d}.v_customers_latest GROUP BY outlet_id ORDER BY outlet_id""",
    "v_customers_as_of: a day, by outlet": """SELECT outlet_id, count() AS n, sum(balance_current) AS balance, countIf(balance_attrition_90d >= 0.4) AS draining
        FROM {d}.v_customers_as_of(day = '2025-06-30') GROUP BY outlet_id ORDER BY outlet_id""",
    "v_customers_history: a month by day": f"""SELECT business_day, count() AS n, sum(balance_current) AS balance, avg(balance_attrition_30d) AS attrition
        FROM {{d}}.v_customers_history WHERE {_MONTH} GROUP BY business_day ORDER BY business_day""",
    "v_alerts_latest: open by owner and grade": """SELECT owner, grade, count() AS n, sum(value_at_stake) AS at_stake
        FROM {d}.v_alerts_latest WHERE is_open GROUP BY ALL""",
    "v_alerts_history: a month by day and state": f"""SELECT business_day, state, count() AS n
        FROM {{d}}.v_alerts_history WHERE {_MONTH} GROUP BY ALL ORDER BY ALL""",
    "v_complaints: received in a month, in time": f"""SELECT business, count() AS n, countIf(in_time) AS answered_in_time, countIf(NOT in_time) AS late
        FROM {{d}}.v_complaints WHERE {_MONTH} GROUP BY business""",
    "v_complaints: open by age and outlet": "SELECT outlet_id, age_band, count() AS n FROM {d}.v_complaints WHERE is_open GROUP BY ALL",
    "v_daily_business: a month by outlet and line": f"""SELECT outlet_id, product_line, sum(n) AS bookings, sumIf(amount, direction = 'in') AS paid_in
        FROM {{d}}.v_daily_business WHERE {_MONTH} GROUP BY ALL ORDER BY ALL""",
    "v_daily_business: a month, every row": f"SELECT count(), sum(customers), sum(amount) FROM (SELECT * FROM {{d}}.v_daily_business WHERE {_MONTH})",
    "v_daily_contacts: a month, every row": f"SELECT count(), max(wait_seconds_p90) FROM (SELECT * FROM {{d}}.v_daily_contacts WHERE {_MONTH})",
    "v_outlet_service: a month by hour": f"""SELECT hour, sum(n) AS contacts, sum(abandoned) / contacts AS abandonment, sum(answered_in_20s) / contacts AS level
        FROM {{d}}.v_outlet_service WHERE {_MONTH} GROUP BY hour ORDER BY hour""",
    "v_dead_letters: by reason": "SELECT topic, stage, reason, count() AS n FROM {d}.v_dead_letters GROUP BY ALL",
    "v_clock": "SELECT * FROM {d}.v_clock",
    "v_dictionary: labels of a view": "SELECT * FROM {d}.v_dictionary WHERE view = 'v_complaints'",
}
#: What a customer's page asks for.
PAGE: Final = tuple(name for name in QUERIES if name.startswith("customer 360"))
_EXPLAINED: Final = 3
#: Lines of a plan that say what is read; the others repeat the statement.
_TELLING: Final = re.compile(
    r"ReadFrom|Aggregating|Join|Sorting|LimitBy|Min-Max|Partition|PrimaryKey|Skip|Name:|Keys:|Condition: [^t]|Parts:|Granules:|Ranges:"
)


def bench_queries(events: int, folder: Path, pack: Pack, progress: Callable[[str], None]) -> dict[str, Any]:
    """Make the bank and ask each question several times. Milliseconds: the first time, then the median of five."""
    settings = ClickHouseSettings(url=f"chdb://{folder / 'queries'}")
    client = connect(settings)
    try:
        for _ in Migrator(client, settings, clock_lines(pack)).up():
            pass
        started = time.perf_counter()
        made = fill(client, settings.database, Size(events), lambda done: progress(f"queries: making {events:,} events, {done:.0%}"))
        settle(client, settings.database)
        filled = time.perf_counter() - started
        progress("queries: asking")
        times = {name: _timed(client, sql.replace("{d}", settings.database)) for name, sql in QUERIES.items()}
        together = _together(settings)
        slowest = sorted(times, key=lambda name: -times[name]["median_ms"])[:_EXPLAINED]
        plans = {name: _plan(client, QUERIES[name].replace("{d}", settings.database)) for name in slowest}
    finally:
        client.close()
    return {
        "events": events,
        "customers": Size(events).customers,
        "fill_seconds": round(filled, 1),
        "rows": made,
        "queries": times,
        "page": together,
        "plans": plans,
    }


def fill(client: Client, database: str, size: Size, progress: Callable[[float], None]) -> dict[str, int]:
    """Insert the bank's rows; how many each table has then."""
    inserts = list(statements(database, size))
    for number, insert in enumerate(inserts):
        client.command(insert)
        progress((number + 1) / len(inserts))
    query = "SELECT name, total_rows FROM system.tables WHERE database = {d:String} AND engine LIKE '%MergeTree' AND total_rows > 0 ORDER BY name"
    return {str(name): int(rows) for name, rows in client.query(query, parameters={"d": database}).result_rows}


def settle(client: Client, database: str) -> None:
    """What tables do by themselves with months that have had no new row for a week: each becomes one part. The newest month stays as it is."""
    query = """SELECT DISTINCT table, partition_id, max(partition_id) OVER (PARTITION BY table) AS newest FROM system.parts
        JOIN system.tables ON tables.database = parts.database AND tables.name = parts.table
        WHERE active AND database = {d:String} AND engine_full LIKE '%min_age_to_force_merge_seconds%'"""
    for table_name, partition, newest in client.query(query, parameters={"d": database}).result_rows:
        if partition != newest:
            client.command(f"OPTIMIZE TABLE {database}.{table_name} PARTITION ID '{partition}' FINAL")


def _timed(client: Client, sql: str) -> dict[str, float]:
    taken = []
    for _ in range(_ROUNDS + 1):
        started = time.perf_counter()
        rows = len(client.query(sql).result_rows)
        taken.append((time.perf_counter() - started) * 1000)
    return {"rows": rows, "first_ms": round(taken[0], 1), "median_ms": round(median(taken[1:]), 1), "highest_ms": round(max(taken[1:]), 1)}


def _together(settings: ClickHouseSettings) -> dict[str, dict[str, float]]:
    """A customer's whole picture: its queries one after the other, and all at once as a dashboard's page asks. Milliseconds."""
    asked = [QUERIES[name].replace("{d}", settings.database) for name in PAGE]
    one_by_one, at_once = [], []
    with ExitStack() as stack:
        clients = [stack.enter_context(closing(connect(settings))) for _ in asked]
        pool = stack.enter_context(ThreadPoolExecutor(len(asked)))
        for _ in range(_PAGE_ROUNDS):
            started = time.perf_counter()
            for sql in asked:
                clients[0].query(sql)
            one_by_one.append((time.perf_counter() - started) * 1000)
            started = time.perf_counter()
            list(pool.map(lambda client, sql: client.query(sql), clients, asked))
            at_once.append((time.perf_counter() - started) * 1000)
    return {
        way: {"lowest_ms": round(min(taken), 1), "median_ms": round(median(taken), 1), "highest_ms": round(max(taken), 1)}
        for way, taken in (("one by one", one_by_one), ("all at once", at_once))
    }


def _plan(client: Client, sql: str) -> str:
    """Which indexes a statement uses and what they leave to be read."""
    rows = [str(line) for (line,) in client.query(f"EXPLAIN indexes = 1 {sql}").result_rows]
    return "\n".join(line for line in rows if _TELLING.search(line))


def queries_text(figures: dict[str, Any]) -> str:
    """The figures as tables, and the plans of the slowest."""
    sizes = [[name, f"{rows:,}"] for name, rows in figures["rows"].items()]
    cells = [[name, f"{one['rows']:,}", *(f"{one[key]:,.1f}" for key in ("first_ms", "median_ms", "highest_ms"))] for name, one in figures["queries"].items()]
    made = f"{figures['events']:,} events of {figures['customers']:,} customers in two years, made in {figures['fill_seconds']} s ({LAST_DAY})"
    page = [[f"customer 360, {way}", *(f"{one[key]:,.1f}" for key in ("lowest_ms", "median_ms", "highest_ms"))] for way, one in figures["page"].items()]
    plans = "\n\n".join(f"{name}:\n{plan}" for name, plan in figures["plans"].items())
    return "\n\n".join(
        (
            made,
            table(["table", "rows"], sizes),
            table(["query", "rows", "first ms", "median ms", "highest ms"], cells),
            table(["page", "lowest ms", "median ms", "highest ms"], page),
            plans,
        )
    )
