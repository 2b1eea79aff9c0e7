"""Every bad record is refused with its own reason, no message tells what a record held, and nothing but Rejected comes out."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from schemas import journal
from schemas.codec import MAX_BYTES, MAX_DEPTH, Rejected, decode, key_of
from schemas.events import MODELS, EventKind, Tick, Transaction

TRANSACTION: dict[str, Any] = {
    "event_id": "t-1",
    "customer_id": "c1",
    "occurred_at": "2026-07-10T09:30:00+08:00",
    "source": "core-banking",
    "account_id": "a1",
    "amount": "12.30",
    "currency": "CNY",
    "direction": "in",
    "kind": "deposit",
}
TICK = {"event_id": "k-1", "occurred_at": "2026-07-10T00:00:00Z", "source": "clock", "partition": 3}


def transaction(**changes: Any) -> bytes:
    """A transaction's bytes, with fields changed, or taken out where the change is ``...``."""
    fields = {name: value for name, value in (TRANSACTION | changes).items() if value is not ...}
    return json.dumps(fields).encode()


def refusal(value: bytes | None, key: bytes | None = b"c1", kind: EventKind = "transaction") -> Rejected:
    with pytest.raises(Rejected) as caught:
        decode(kind, key, value)
    return caught.value


def nested(levels: int) -> Any:
    inner: Any = 0
    for _ in range(levels):
        inner = [inner]
    return inner


def test_a_good_event_comes_out_typed_with_its_unknown_fields_kept() -> None:
    event = decode("transaction", b"c1", transaction(note={"a": [1, 2]}))
    assert isinstance(event, Transaction)
    assert (event.amount, event.currency, event.status) == ("12.30", "CNY", "posted")
    assert event.model_extra == {"note": {"a": [1, 2]}}
    assert event.occurred_at.timestamp() == 1783647000


def test_a_tick_is_keyed_by_its_partition() -> None:
    tick = decode("tick", b"3", json.dumps(TICK).encode())
    assert isinstance(tick, Tick)
    assert key_of(tick) == b"3"
    assert refusal(json.dumps(TICK).encode(), b"2", "tick").reason == "wrong_key"


CASES: list[tuple[str, bytes | None, str, str, str | None]] = [
    ("tombstone", None, "decode", "tombstone", None),
    ("no bytes", b"", "decode", "empty", None),
    ("ten megabytes", b"x" * 10_000_000, "decode", "too_large", None),
    ("one byte too many", transaction(note="x" * MAX_BYTES), "decode", "too_large", None),
    ("Latin-1", transaction(description="?").replace(b"?", b"\xe9"), "decode", "not_utf8", None),
    ("UTF-16", transaction().decode().encode("utf-16"), "decode", "not_utf8", None),
    ("text", b"hello", "decode", "not_json", None),
    ("cut off", transaction()[:-5], "decode", "not_json", None),
    ("a null byte", transaction() + b"\x00", "decode", "not_json", None),
    ("a null byte in a string", transaction(source="ab").replace(b'"ab"', b'"a\x00b"'), "decode", "not_json", None),
    ("two documents", transaction() + transaction(), "decode", "not_json", None),
    ("a byte order mark", b"\xef\xbb\xbf" + transaction(), "decode", "not_json", None),
    ("NaN", transaction(note=float("nan")), "decode", "not_json", None),
    ("Infinity deep in an unknown field", transaction(note=[{"a": float("-inf")}]), "decode", "not_json", None),
    ("a lone surrogate", transaction(customer_id="?").replace(b"?", b"\\ud800"), "decode", "not_json", None),
    ("a lone surrogate in an unknown field", transaction(note="?").replace(b"?", b"x\\udc00"), "decode", "not_json", None),
    ("nested too deep", transaction(note=nested(MAX_DEPTH)), "decode", "too_deep", None),
    ("nested without end", b"[" * 500_000, "decode", "too_deep", None),
    ("an array", b"[]", "validate", "wrong_type", None),
    ("a number", b"12", "validate", "wrong_type", None),
    ("null", b"null", "validate", "wrong_type", None),
    ("no amount", transaction(amount=...), "validate", "missing_field", "amount"),
    ("no customer", transaction(customer_id=...), "validate", "missing_field", "customer_id"),
    ("no event id", transaction(event_id=...), "validate", "missing_field", "event_id"),
    ("nothing in it", b"{}", "validate", "missing_field", "event_id"),
    ("part of a merchant", transaction(merchant={"category": "5411"}), "validate", "missing_field", "merchant.id"),
    ("unknown kind", transaction(kind="teleport"), "validate", "unknown_value", "kind"),
    ("null for a required field", transaction(source=None), "validate", "wrong_type", "source"),
    ("a number for an identifier", transaction(customer_id=1), "validate", "wrong_type", "customer_id"),
    ("a string for a number", transaction(instalment="1"), "validate", "wrong_type", "instalment"),
    ("a fraction for a whole number", transaction(instalment=1.5), "validate", "wrong_type", "instalment"),
    ("a list for an object", transaction(merchant=[]), "validate", "wrong_type", "merchant"),
    ("empty identifier", transaction(event_id=""), "validate", "bad_format", "event_id"),
    ("identifier too long", transaction(event_id="x" * 129), "validate", "bad_format", "event_id"),
    ("null byte in an identifier", transaction(customer_id="c\x00"), "validate", "bad_format", "customer_id"),
    ("line feed in an identifier", transaction(customer_id="c1\n"), "validate", "bad_format", "customer_id"),
    ("number beyond its limit", transaction(instalment=2001), "validate", "bad_format", "instalment"),
    ("country in lower case", transaction(counterparty={"country": "cn"}), "validate", "bad_format", "counterparty.country"),
    ("time without zone", transaction(occurred_at="2026-07-10T09:30:00"), "validate", "naive_time", "occurred_at"),
    ("time as Unix seconds", transaction(occurred_at="1783647000"), "validate", "bad_format", "occurred_at"),
    ("time as a number", transaction(occurred_at=1783647000), "validate", "wrong_type", "occurred_at"),
    ("time without seconds", transaction(occurred_at="2026-07-10T09:30Z"), "validate", "bad_format", "occurred_at"),
    ("no such day", transaction(occurred_at="2026-02-30T09:30:00Z"), "validate", "bad_format", "occurred_at"),
    ("before 1900", transaction(occurred_at="1899-12-31T23:59:59Z"), "validate", "bad_format", "occurred_at"),
    ("after 2199", transaction(occurred_at="2200-01-01T00:00:00Z"), "validate", "bad_format", "occurred_at"),
    ("year one", transaction(occurred_at="0001-01-01T00:00:00+23:59"), "validate", "bad_format", "occurred_at"),
    ("amount as a float", transaction(amount=12.3), "validate", "amount_format", "amount"),
    ("amount as a whole number", transaction(amount=12), "validate", "amount_format", "amount"),
    ("amount with a comma", transaction(amount="1,200.00"), "validate", "amount_format", "amount"),
    ("amount in scientific notation", transaction(amount="1e3"), "validate", "amount_format", "amount"),
    ("amount with a line feed", transaction(amount="1\n"), "validate", "amount_format", "amount"),
    ("amount in other digits", transaction(amount="١٢"), "validate", "amount_format", "amount"),
    ("amount too large", transaction(amount="1" * 16), "validate", "amount_format", "amount"),
    ("three decimals of two", transaction(amount="12.345"), "validate", "amount_decimals", "amount"),
    ("many decimals", transaction(amount="12.3456789"), "validate", "amount_decimals", "amount"),
    ("decimals of yen", transaction(amount="12.3", currency="JPY"), "validate", "amount_decimals", "amount"),
    ("decimals of a balance", transaction(balance_after="12.345"), "validate", "amount_decimals", "balance_after"),
    ("unknown currency", transaction(currency="XYZ"), "validate", "unknown_currency", "currency"),
    ("currency in lower case", transaction(currency="cny"), "validate", "unknown_currency", "currency"),
    ("negative amount", transaction(amount="-1.00"), "validate", "negative_amount", "amount"),
    ("a deposit that moves nothing", transaction(direction="none"), "validate", "inconsistent", "direction"),
    ("a repayment of no loan", transaction(kind="loan_repayment"), "validate", "inconsistent", "loan_id"),
]


@pytest.mark.parametrize(("value", "stage", "reason", "field"), [pytest.param(*case[1:], id=case[0]) for case in CASES])
def test_a_bad_record_has_its_reason(value: bytes | None, stage: str, reason: str, field: str | None) -> None:
    wrong = refusal(value)
    assert (wrong.stage, wrong.reason, wrong.field) == (stage, reason, field), wrong.message
    assert wrong.message.isascii()
    assert wrong.message == str(wrong)


@pytest.mark.parametrize("key", [None, b"", b"c2", b"C1", b"c1 ", b"\xff\x00"])
def test_the_key_is_the_customer(key: bytes | None) -> None:
    wrong = refusal(transaction(), key)
    assert (wrong.stage, wrong.reason, wrong.field) == ("key", "wrong_key", "customer_id")


def test_the_key_is_compared_as_utf_8() -> None:
    assert decode("transaction", "客户".encode(), transaction(customer_id="客户")).event_id == "t-1"


@pytest.mark.parametrize(
    "value",
    [
        transaction(note=nested(MAX_DEPTH - 1)),
        transaction(note="[" * 10_000),
        transaction(note='\\"' * 500 + "{" * 500),
        transaction(note=[[]] * 500),
        transaction(description="NaN and Infinity", note=10**40),
        transaction(note=1e308),
        transaction()[:-1] + b',"note":1,"note":2}',
        b" \r\n\t" + transaction() + b"\n",
        transaction(occurred_at="2026-07-10T09:30:00.123456789-12:00"),
        transaction(amount="0", currency="KWD"),
        transaction(amount="999999999999999.999", currency="KWD"),
        transaction(__class__="x", model_config={}, __pydantic_extra__=1),
    ],
    ids=lambda value: repr(value[-40:]),
)
def test_the_unusual_but_right_is_taken(value: bytes) -> None:
    assert decode("transaction", b"c1", value).event_id == "t-1"


SECRET = st.text(st.characters(codec="utf-8"), min_size=6, max_size=30).map(lambda text: f"Zhang Wei {text}")


@given(secret=SECRET, field=st.sampled_from([*TRANSACTION, "merchant", "balance_after", "unknown"]), shape=st.integers(0, 4))
def test_no_message_tells_what_the_record_held(secret: str, field: str, shape: int) -> None:
    wrapped: Any = [secret, [secret], {secret: secret}, {"id": {secret: 1}, secret: "x"}, [{"a": secret}]][shape]
    for value in (transaction(**{field: wrapped}), transaction(**{field: wrapped, "amount": secret, secret: float("nan")}), json.dumps(wrapped).encode()):
        try:
            decode("transaction", secret.encode(), value)
        except Rejected as wrong:
            told = f"{wrong.message} {wrong.field} {wrong.args} {wrong.__cause__} {wrong.stage} {wrong.reason}"
            assert "Zhang" not in told
            assert secret not in told


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def swallow(kind: EventKind, key: bytes | None, value: bytes | None) -> None:
    """Decode; what is accepted must also pass through the journal and be UTF-8 all through."""
    try:
        event = decode(kind, key, value)
    except Rejected:
        return
    assert value is not None
    entry = journal.read_line(journal.line(kind, 0, 0, value))
    assert entry.value == value
    assert key_of(event) == key
    event.model_dump_json().encode()


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(kind=st.sampled_from(list(MODELS)), key=st.none() | st.binary(), value=st.none() | st.binary() | JSON.map(lambda value: json.dumps(value).encode()))
@example(kind="tick", key=b"0", value=b"\xff\xfe")
def test_any_bytes_come_out_as_an_event_or_rejected(kind: EventKind, key: bytes | None, value: bytes | None) -> None:
    swallow(kind, key, value)


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(field=st.sampled_from([*Transaction.model_fields, "unknown"]), value=JSON)
def test_any_value_in_any_field(field: str, value: Any) -> None:
    swallow("transaction", b"c1", transaction(**{field: value}))


@settings(max_examples=300)
@given(cut=st.integers(0, 250), insert=st.binary(max_size=6), drop=st.integers(0, 6))
def test_damaged_bytes(cut: int, insert: bytes, drop: int) -> None:
    good = transaction(note={"a": [1, "\\", "é"]}, merchant={"id": "m"})
    swallow("transaction", b"c1", good[:cut] + insert + good[cut + drop :])


@given(st.datetimes(timezones=st.timezones()))
def test_every_moment_is_either_safe_to_count_with_or_refused(moment: Any) -> None:
    try:
        event = decode("transaction", b"c1", transaction(occurred_at=moment.isoformat()))
    except Rejected as wrong:
        assert wrong.field == "occurred_at"  # noqa: PT017
        return
    assert isinstance(event, Transaction)
    assert -2_208_988_800 <= event.occurred_at.timestamp() < 7_258_118_400
