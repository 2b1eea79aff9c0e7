"""Rows of a bank made inside ClickHouse, for measuring queries: ten million events in minutes, without broker and workers.

Shapes are those of a bank, values are arbitrary: what a query costs depends on how many rows there are, how they are sorted and
which columns it reads. Inserted ten days at a time, as merges leave the parts of a live month.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from sinks.tables import declared_tables

DAYS: Final = 730
STEP_DAYS: Final = 10
#: First local midnight (Asia/Shanghai), and the last day.
START: Final = "2024-01-01"
LAST_DAY: Final = "2025-12-30"
PARTITIONS: Final = 4
OUTLETS: Final = 60
_EVENTS_PER_CUSTOMER: Final = 100
#: Of a hundred events.
_TRANSACTIONS, _INTERACTIONS = 78, 21


@dataclass(frozen=True)
class Size:
    """How large the bank is."""

    events: int

    @property
    def customers(self) -> int:
        """A hundred events each in two years."""
        return max(10, self.events // _EVENTS_PER_CUSTOMER)

    @property
    def cases(self) -> int:
        """Complaints, of three steps each."""
        return self.events * (100 - _TRANSACTIONS - _INTERACTIONS) // 300

    @property
    def alerts(self) -> int:
        """One for fifty customers a month."""
        return max(10, self.customers * 24 // 50)


def statements(database: str, size: Size) -> Iterator[str]:
    """INSERT statements, in the order in which a live bank would have caused them."""
    yield _customers(database, size)
    steps = DAYS // STEP_DAYS
    for step in range(steps):
        for table, share in (("transactions", _TRANSACTIONS), ("interactions", _INTERACTIONS)):
            count = size.events * share // 100 // steps
            yield (_transactions if table == "transactions" else _interactions)(database, size, step, count)
        yield _complaints(database, size, step, size.cases // steps)
        yield _metrics(database, size, step, size.events * 8 // 10 // steps)
        yield _alerts(database, size, step, size.alerts // steps)
    yield _newest(database, "customer_metrics", "customer_id")
    yield _newest(database, "alerts", "alert_id")
    ticks = f"SELECT 'tick', toDateTime64('{LAST_DAY} 15:59:59', 3, 'UTC') - number * 5, 'clock', number % {PARTITIONS}, intDiv(number, {PARTITIONS})"
    yield f"INSERT INTO {database}.ticks (event_id, occurred_at, source, _partition, _position) {ticks} FROM numbers({min(size.events, 2_000_000)})"


def _newest(database: str, table: str, key: str) -> str:
    columns = {column.name for one in declared_tables("Asia/Shanghai") if one.name == table for column in one.columns}
    listed = ", ".join(f"`{name}`" for name in sorted(columns))
    return f"INSERT INTO {database}.{table}_latest ({listed}) SELECT {listed} FROM {database}.{table} ORDER BY {key} DESC, revision DESC LIMIT 1 BY {key}"


def _insert(database: str, table: str, cells: dict[str, str], source: str) -> str:
    """``cells`` are columns with what they are filled from; h, h1 and h2 are pseudo-random numbers of the row."""
    hashes = f"WITH cityHash64(number, {len(table)}) AS h, cityHash64(h, 1) AS h1, cityHash64(h, 2) AS h2"
    selected = ",\n    ".join(cells.values())
    return f"INSERT INTO {database}.{table} ({', '.join(cells)})\n{hashes}\nSELECT {selected}\nFROM {source}"


def _numbers(step: int, count: int) -> str:
    return f"numbers({step * count}, {count})"


def _moment(step: int, count: int) -> str:
    """Instants of one step, in order."""
    seconds = STEP_DAYS * 86_400
    return f"toDateTime64('{START} 00:00:00', 3, 'Asia/Shanghai') + {step * seconds} + intDiv((number - {step * count}) * {seconds}, {max(1, count)})"


def _day(step: int, count: int) -> str:
    """Days of one step since the first, in order."""
    return f"({step * STEP_DAYS} + intDiv((number - {step * count}) * {STEP_DAYS}, {max(1, count)}))"


def _who(size: Size) -> str:
    return f"concat('c', leftPad(toString(h % {size.customers}), 7, '0'))"


def _pick(values: str, of: str) -> str:
    names = values.split()
    return f"[{', '.join(repr(name) for name in names)}][1 + {of} % {len(names)}]"


_OUTLET: Final = f"concat('outlet-', leftPad(toString(h % {OUTLETS}), 2, '0'))"
_JOURNAL: Final = {"_partition": f"h % {PARTITIONS}", "_position": "number", "_offset": "number"}


def _customers(database: str, size: Size) -> str:
    cells = {
        "event_id": "concat('p', toString(number))",
        "customer_id": "concat('c', leftPad(toString(number), 7, '0'))",
        "occurred_at": f"toDateTime64('{START} 00:00:00', 3, 'Asia/Shanghai') + number % 86400",
        "source": "'core'",
        "change": "'recorded'",
        "display_name": "'客*'",
        "nature": "'individual'",
        "outlet_id": _OUTLET,
        "relationship_manager": "concat('rm-', toString(number % 300))",
        "tier": _pick("basic silver gold", "h1"),
        **_JOURNAL,
    }
    return _insert(database, "customers", cells, f"numbers({size.customers})")


def _transactions(database: str, size: Size, step: int, count: int) -> str:
    cells = {
        "event_id": "concat('t', toString(number))",
        "customer_id": f"{_who(size)} AS who",
        "occurred_at": _moment(step, count),
        "source": "'core'",
        "account_id": "concat(who, '-a')",
        "amount": "toDecimal64(1 + h1 % 500000, 4) / 100",
        "currency": "'CNY'",
        "direction": "if(h1 % 3 = 0, 'in', 'out')",
        "kind": _pick("card_purchase withdrawal transfer deposit salary fee utility_payment instalment_due loan_repayment", "h2"),
        "status": "if(h2 % 200 = 0, 'declined', 'posted')",
        "channel": _pick("pos atm mobile branch online", "h1"),
        "outlet_id": _OUTLET,
        "product_line": _pick("deposit deposit deposit loan intermediary", "h2"),
        "balance_after": "toDecimal64(h2 % 90000000, 4) / 100",
        **_JOURNAL,
    }
    return _insert(database, "transactions", cells, _numbers(step, count))


def _interactions(database: str, size: Size, step: int, count: int) -> str:
    cells = {
        "event_id": "concat('i', toString(number))",
        "customer_id": _who(size),
        "occurred_at": _moment(step, count),
        "source": "'crm'",
        "kind": _pick("login login login visit call call chat", "h1"),
        "channel": _pick("mobile phone branch", "h1"),
        "outlet_id": _OUTLET,
        "outcome": _pick("served served served resolved abandoned", "h2"),
        "wait_seconds": "if(h2 % 2 = 0, h2 % 900, NULL)",
        "handling_seconds": "if(h2 % 2 = 0, h1 % 1800, NULL)",
        **_JOURNAL,
    }
    return _insert(database, "interactions", cells, _numbers(step, count))


def _complaints(database: str, size: Size, step: int, cases: int) -> str:
    """Received, classified a day later, and nine in ten answered in their turn."""
    cells = {
        "event_id": "concat('k', toString(number), '-', toString(n))",
        "customer_id": _who(size),
        "occurred_at": f"{_moment(step, cases)} + [0, 86400, 86400 * (1 + h1 % 20)][n]",
        "source": "'desk'",
        "case_id": "concat('TS-', toString(number))",
        "step": "['received', 'classified', 'answered'][n]",
        "business": f"if(n = 2, {_pick('card loan deposit payment', 'h1')}, '')",
        "reason": f"if(n = 2, {_pick('service pricing disclosure', 'h2')}, '')",
        "channel": "if(n = 1, 'phone', '')",
        "outlet_id": f"if(n = 1, {_OUTLET}, '')",
        "_partition": f"h % {PARTITIONS}",
        "_position": "number * 3 + n",
        "_offset": "number * 3 + n",
    }
    return _insert(database, "complaints", cells, f"{_numbers(step, cases)} ARRAY JOIN [1, 2, 3] AS n WHERE n < 3 OR h2 % 10 > 0")


def _metrics(database: str, size: Size, step: int, count: int) -> str:
    flows = {f"flow_{way}_amount_{days}d": f"toInt64(h1 % {days * 10_000})" for way in ("in", "out") for days in (7, 30, 90, 365)}
    counts = {f"flow_{way}_count_{days}d": f"toInt64(h2 % {days})" for way in ("in", "out") for days in (7, 30, 90, 365)}
    kinds = "map('card_purchase', toInt64(h1 % 40), 'withdrawal', toInt64(h2 % 9), 'salary', toInt64(1))"
    cells = {
        "customer_id": f"{_who(size)} AS who",
        "as_of": "toDateTime64(toDateTime(day + 1, 'Asia/Shanghai'), 3, 'UTC') - 0.001",
        "business_day": f"toDate32('{START}') + {_day(step, count)} AS day",
        "revision": f"toUInt64(1 + {_day(step, count)}) AS rev",
        "currency": "'CNY'",
        "position": "number",
        "_partition": f"h % {PARTITIONS}",
        "_offset": "number",
        **flows,
        **counts,
        "flow_kind_count_30d": kinds,
        "flow_kind_count_365d": kinds,
        "flow_kind_amount_30d": kinds,
        "balance_current": "toInt64(h1 % 90000000)",
        "balance_average_30d": "toInt64(h2 % 90000000)",
        "balance_average_90d": "toInt64(h2 % 80000000)",
        "balance_attrition_30d": "(h1 % 1000) / 1000",
        "balance_attrition_90d": "(h2 % 1000) / 1000",
        "activity_recency": "toInt32(h1 % 30)",
        "activity_last_day": "toDateTime64(toDateTime(day - h1 % 60, 'Asia/Shanghai'), 3, 'UTC')",
        "activity_silence": "toInt32(h1 % 60)",
        "salary_amount": "if(h1 % 2 = 0, toInt64(h2 % 3000000), NULL)",
        "loan_due_count": "toInt64(h2 % 40 = 0)",
        "loan_due_amount": "if(h2 % 40 = 0, toInt64(h1 % 900000), NULL)",
        "loan_dpd": "if(h2 % 40 = 0, toInt32(h1 % 200), NULL)",
        "contact_count_30d": "toInt64(h1 % 20)",
    }
    return _insert(database, "customer_metrics", cells, f"{_numbers(step, count)} LIMIT 1 BY who, rev")


def _alerts(database: str, size: Size, step: int, count: int) -> str:
    cells = {
        "alert_id": "lower(hex(sipHash128(number)))",
        "revision": "n",
        "state": f"if(n = 1, 'raised', {_pick('acknowledged resolved cleared expired', 'h2')})",
        "rule": "'churn.silence'",
        "rule_version": "1",
        "pack": "'bank-cn'",
        "pack_version": "'1.0.0'",
        "type": "'churn'",
        "title": "('客户静默', 'Customer gone silent')",
        "grade": _pick("low medium high critical", "h1"),
        "score": "h1 % 100",
        "subject": f"('customer', {_who(size)}, {_who(size)}, '客*', {_OUTLET}, concat('rm-', toString(h % 300)))",
        "episode": "1",
        "occurrences": "1",
        "raised_at": f"{_moment(step, count)} AS at",
        "occurred_at": "at + 86400 * (n - 1)",
        "watermark": "at",
        "expires_at": "at + 86400 * 30",
        "currency": "'CNY'",
        "value_at_stake": "toInt64(h1 % 90000000)",
        "owner": "'relationship-manager'",
        "_partition": f"h % {PARTITIONS}",
        "_offset": "number * 2 + n",
        "_raw": "'{}'",
    }
    return _insert(database, "alerts", cells, f"{_numbers(step, count)} ARRAY JOIN [1, 2] AS n")
