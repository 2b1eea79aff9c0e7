"""The table of bad input: what upstream systems get wrong, each on a customer of its own, between two good events.

Every field of a bad event holds a mark, so that a test can look for it where no personal data may be.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from schemas.topics import partition_of
from tests.contract.harness import PARTITIONS, Given, Headers

#: Planted in every text and every number of a bad event.
MARK, DIGITS = "S3CRET", "913377"
DAY = "2025-08-10"

Event = dict[str, Any]
Content = tuple[bytes | None, bytes | None]


@dataclass(frozen=True)
class Bad:
    """``make`` turns the key and a valid event of the customer into what is sent instead."""

    name: str
    reason: str
    stage: str
    field: str | None
    make: Callable[[bytes, Event], Content]
    topic: str = "transactions"

    @property
    def customer(self) -> str:
        return f"{MARK}-{self.name}"

    def records(self) -> tuple[list[Given], Given, list[Given]]:
        """The good event before, the bad one, the good one after."""
        key, value = self.make(self.customer.encode(), EVENTS[self.topic](self.customer))
        own: Headers = [("ce_id", f"{MARK}-id".encode()), ("ce_id", b"twice"), ("binary", b"\xff\x00\n"), ("null", None)]
        at = partition_of(key if key is not None else self.customer.encode(), PARTITIONS)
        return [good(self.customer, 9, "40.00")], Given(self.topic, at, key, value, own), [good(self.customer, 11, "2.00")]


def good(customer: str, hour: int, amount: str, day: str = DAY, **more: Any) -> Given:
    """A card purchase that is in order."""
    event = transaction(customer) | {"event_id": f"good-{customer}-{day}-{hour}", "occurred_at": f"{day}T{hour:02}:00:00+08:00", "amount": amount} | more
    return Given("transactions", partition_of(customer.encode(), PARTITIONS), customer.encode(), encode(event))


def encode(event: Any) -> bytes:
    return json.dumps(event, ensure_ascii=False).encode()


def _envelope(customer: str) -> Event:
    return {"event_id": f"{MARK}-event-{customer}", "customer_id": customer, "occurred_at": f"{DAY}T10:00:00+08:00", "source": f"{MARK}-core"}


def transaction(customer: str) -> Event:
    return _envelope(customer) | {
        "account_id": f"{MARK}-account",
        "amount": f"{DIGITS}.25",
        "currency": "CNY",
        "direction": "out",
        "kind": "card_purchase",
        "counterparty": {"account": f"{MARK}-other", "bank": f"{MARK}-bank"},
        "merchant": {"id": f"{MARK}-merchant"},
        "description": f"{MARK} 张伟 {DIGITS}",
    }


def complaint(customer: str) -> Event:
    return _envelope(customer) | {"case_id": f"{MARK}-case", "step": "received", "narrative": f"{MARK} 张伟", "owner": f"{MARK}-owner"}


def interaction(customer: str) -> Event:
    return _envelope(customer) | {"kind": "call", "wait_seconds": float(DIGITS), "topic": f"{MARK} 张伟"}


def profile(customer: str) -> Event:
    return _envelope(customer) | {"change": "recorded", "display_name": f"{MARK}*", "birth_date": "1970-01-01"}


def feedback(customer: str) -> Event:
    return _envelope(customer) | {"alert_id": f"{MARK}-alert", "action": "dismissed", "actor": f"{MARK}-actor", "reason": f"{MARK} why"}


EVENTS: dict[str, Callable[[str], Event]] = {
    "transactions": transaction,
    "complaints": complaint,
    "interactions": interaction,
    "customers": profile,
    "alert-feedback": feedback,
}


def _with(**fields: Any) -> Callable[[bytes, Event], Content]:
    return lambda key, event: (key, encode(event | fields))


def _without(field: str) -> Callable[[bytes, Event], Content]:
    return lambda key, event: (key, encode({name: value for name, value in event.items() if name != field}))


def _bytes(change: Callable[[bytes], bytes | None]) -> Callable[[bytes, Event], Content]:
    return lambda key, event: (key, change(encode(event)))


def _key(change: Callable[[bytes], bytes | None]) -> Callable[[bytes, Event], Content]:
    return lambda key, event: (change(key), encode(event))


def _adding(text: bytes) -> Callable[[bytes, Event], Content]:
    """The event with one more member, written as it is."""
    return _bytes(lambda value: value[:-1] + b', "more": ' + text + b"}")


TABLE = (
    Bad("not-json", "not_json", "decode", None, _bytes(lambda value: b"{" + value)),
    Bad("cut-short", "not_json", "decode", None, _bytes(lambda value: value[:-20])),
    Bad("two-documents", "not_json", "decode", None, _bytes(lambda value: value + value)),
    Bad("byte-order-mark", "not_json", "decode", None, _bytes(lambda value: b"\xef\xbb\xbf" + value)),
    Bad("utf-16", "not_utf8", "decode", None, _bytes(lambda value: value.decode().encode("utf-16"))),
    Bad("not-utf8", "not_utf8", "decode", None, _bytes(lambda value: value.replace("张伟".encode(), b"\xc4\xfa"))),
    Bad("null-bytes", "not_json", "decode", None, _bytes(lambda _: b"\x00" * 64)),
    Bad("null-byte-inside", "not_json", "decode", None, _bytes(lambda value: value.replace(b"-core", b"\x00core"))),
    Bad("escaped-null-in-id", "bad_format", "validate", "event_id", _with(event_id=f"{MARK}\x00")),
    Bad("lone-surrogate", "not_json", "decode", None, _bytes(lambda value: value.replace("张伟".encode(), b"\\ud83d"))),
    Bad("surrogate-bytes", "not_utf8", "decode", None, _bytes(lambda value: value.replace("张伟".encode(), b"\xed\xa0\xbd"))),
    Bad("deep-nesting", "too_deep", "decode", None, _adding(b"[" * 100_000 + b"]" * 100_000)),
    Bad("deep-and-never-closed", "too_deep", "decode", None, _adding(b'{"a":' * 50_000)),
    Bad("not-a-number", "not_json", "decode", None, _adding(b"NaN")),
    Bad("not-a-number-amount", "amount_format", "validate", "amount", _bytes(lambda value: value.replace(f'"{DIGITS}.25"'.encode(), b"NaN"))),
    Bad("infinity", "not_json", "decode", None, _bytes(lambda value: value.replace(f"{DIGITS}.0".encode(), b'1, "x": -Infinity')), "interactions"),
    Bad("a-list", "wrong_type", "validate", None, _bytes(lambda value: b"[" + value + b"]")),
    Bad("a-text", "wrong_type", "validate", None, _bytes(lambda value: encode(value.decode()))),
    Bad("json-null", "wrong_type", "validate", None, _bytes(lambda _: b"null")),
    Bad("wrong-type", "wrong_type", "validate", "event_id", _with(event_id=int(DIGITS))),
    Bad("wrong-type-inside", "wrong_type", "validate", "merchant.id", _with(merchant={"id": int(DIGITS)})),
    Bad("unknown-kind", "unknown_value", "validate", "kind", _with(kind=f"{MARK}-kind")),
    Bad("missing-source", "missing_field", "validate", "source", _without("source")),
    Bad("missing-customer", "missing_field", "validate", "customer_id", _without("customer_id")),
    Bad("amount-float", "amount_format", "validate", "amount", _with(amount=float(DIGITS) + 0.5)),
    Bad("amount-with-commas", "amount_format", "validate", "amount", _with(amount=f"{DIGITS},000.00")),
    Bad("amount-three-decimals", "amount_decimals", "validate", "amount", _with(amount=f"{DIGITS}.125")),
    Bad("amount-nine-decimals", "amount_decimals", "validate", "amount", _with(amount=f"{DIGITS}.123456789")),
    Bad("amount-negative", "negative_amount", "validate", "amount", _with(amount=f"-{DIGITS}.00")),
    Bad("unknown-currency", "unknown_currency", "validate", "currency", _with(currency="QQQ")),
    Bad("no-currency-at-all", "unknown_currency", "validate", "currency", _with(currency=f"{MARK}-yuan")),
    Bad("naive-time", "naive_time", "validate", "occurred_at", _with(occurred_at=f"{DAY}T10:00:00")),
    Bad("time-as-number", "wrong_type", "validate", "occurred_at", _with(occurred_at=int(DIGITS))),
    Bad("no-time-at-all", "bad_format", "validate", "occurred_at", _with(occurred_at=f"{MARK} noon")),
    Bad("far-future", "far_future", "time", "occurred_at", _with(occurred_at="2199-01-01T00:00:00+08:00")),
    Bad("beyond-all-years", "bad_format", "validate", "occurred_at", _with(occurred_at="9999-12-31T23:59:59+08:00")),
    Bad("empty", "empty", "decode", None, _bytes(lambda _: b"")),
    Bad("tombstone", "tombstone", "decode", None, _bytes(lambda _: None)),
    Bad("tombstone-customer", "tombstone", "decode", None, _bytes(lambda _: None), "customers"),
    Bad("ten-megabytes", "too_large", "decode", None, lambda key, event: (key, encode(event | {"description": MARK * (10 * 2**20 // len(MARK))}))),
    Bad("wrong-key", "wrong_key", "key", "customer_id", _key(lambda _: f"{MARK}-somebody-else".encode())),
    Bad("null-key", "wrong_key", "key", "customer_id", _key(lambda _: None)),
    Bad("empty-key", "wrong_key", "key", "customer_id", _key(lambda _: b"")),
    Bad("key-not-utf8", "wrong_key", "key", "customer_id", _key(lambda key: key + b"\xff")),
    Bad("unknown-step", "unknown_value", "validate", "step", _with(step=f"{MARK}-step"), "complaints"),
    Bad("extension-without-approver", "inconsistent", "validate", "approver", _with(step="extended"), "complaints"),
    Bad("survey-off-its-scale", "inconsistent", "validate", "score", _with(kind="survey_answer", instrument="csat", score=9, scale_max=5), "interactions"),
    Bad("snooze-without-approver", "inconsistent", "validate", "approver", _with(action="snoozed"), "alert-feedback"),
    Bad("birth-date", "bad_format", "validate", "birth_date", _with(birth_date="31.12.1970"), "customers"),
)
