"""What the quick reader reads, the models read too, and to the same values; and it does read ordinary events."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final, get_args

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

import schemas
from schemas.codec import Rejected, validate
from schemas.events import EventKind, Interaction, Transaction
from schemas.events.envelope import Channel
from schemas.events.interactions import InteractionKind, Outcome
from schemas.events.transactions import Counterparty, Merchant, TransactionKind
from schemas.localtime import to_instant
from schemas.moment_text import instant_of
from schemas.quick import QuickCounterparty, QuickInteraction, QuickMerchant, QuickTransaction
from schemas.quick_reader import read_quickly

EXAMPLES: Final = Path(schemas.__file__).parent / "examples"
MOMENTS: Final = st.sampled_from(
    [
        "2026-07-10T09:30:00+08:00",
        "2026-07-10T09:30:00Z",
        "2026-07-10T09:30:00.1239999Z",
        "2026-07-10T09:30:00.999999999-00:00",
        "2026-07-10T09:30:00",
        "2026-07-10 09:30:00Z",
        "2026-07-10t09:30:00z",
        "2026-02-29T09:30:00Z",
        "2026-07-10T24:00:00Z",
        "2026-07-10T23:59:60Z",
        "2026-07-10T09:30:00+15:00",
        "2026-07-10T09:30:00+23:59",
        "1899-12-31T23:59:59.999Z",
        "1900-01-01T00:00:00Z",
        "1900-01-01T00:00:00+08:00",
        "1969-12-31T23:59:59.9996Z",
        "2199-12-31T23:59:59.999999Z",
        "2200-01-01T00:00:00+00:01",
        "2200-01-01T00:00:00Z",
        "0000-01-01T00:00:00Z",
        "1783647000",
        "2026-07-10",
        "2026-07-10T09:30Z",
        "2026-W28-5T09:30:00Z",
    ]
)
AMOUNTS: Final = st.sampled_from(
    ["12.30", "0", "-0", "-1", "00.1", "1.234", "1.2345", "1.23456", "1e3", "+1", " 1", "1 ", "1.", ".5", "999999999999999.99", "1000000000000000", "١٢", ""]
)
IDENTIFIERS: Final = st.one_of(
    st.sampled_from(["c1", "", "x" * 128, "x" * 129, "客户" * 64, "客户" * 65, "a\x7fb", "a\nb", "\u2028", "\ufeff", "😀" * 128]), st.text(max_size=8)
)
ODD: Final = st.sampled_from([None, True, False, 0, 1, -1, 1.0, 1.5, -0.0, 2**31, 10**400, "1", "", [], {}, [1], {"a": 1}, float("nan"), float("inf")])


def fields(**known: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Objects with up to three of the fields, each usually of its own kind and sometimes of any other."""
    values = {name: st.one_of(of, of, of, ODD) for name, of in known.items()}
    names = st.lists(st.sampled_from(sorted(values)), max_size=3, unique=True)
    return names.flatmap(lambda chosen: st.fixed_dictionaries({name: values[name] for name in chosen}))


ENVELOPE: Final = {"event_id": IDENTIFIERS, "customer_id": IDENTIFIERS, "occurred_at": MOMENTS, "source": IDENTIFIERS, "schema_version": st.integers(-1, 1001)}
FIELDS: Final[dict[EventKind, st.SearchStrategy[dict[str, Any]]]] = {
    "transaction": fields(
        **ENVELOPE,
        account_id=IDENTIFIERS,
        amount=AMOUNTS,
        currency=st.sampled_from(["CNY", "JPY", "KWD", "XXX", "cny", "CN", "CNY "]),
        direction=st.sampled_from(["in", "out", "none", "IN"]),
        kind=st.sampled_from([*get_args(TransactionKind), "gift"]),
        status=st.sampled_from(["posted", "declined", "reversed", "x"]),
        channel=st.sampled_from([*get_args(Channel), "x"]),
        outlet_id=IDENTIFIERS,
        product_line=st.sampled_from(["deposit", "loan", "intermediary", "x"]),
        product_id=IDENTIFIERS,
        counterparty=fields(account=IDENTIFIERS, bank=IDENTIFIERS, country=st.sampled_from(["CN", "cn", "CHN", "CN "]), note=ODD),
        merchant=fields(id=IDENTIFIERS, category=IDENTIFIERS, note=ODD),
        balance_after=AMOUNTS,
        loan_id=IDENTIFIERS,
        instalment=st.integers(0, 2001),
        reverses=IDENTIFIERS,
        description=st.one_of(IDENTIFIERS, st.just("x" * 4001)),
        note=ODD,
    ),
    "interaction": fields(
        **ENVELOPE,
        kind=st.sampled_from([*get_args(InteractionKind), "x"]),
        initiator=st.sampled_from(["customer", "bank", "x"]),
        channel=st.sampled_from([*get_args(Channel), "x"]),
        outlet_id=IDENTIFIERS,
        wait_seconds=st.one_of(st.floats(-1, 1_000_001), st.integers(-1, 1_000_001)),
        handling_seconds=st.floats(),
        outcome=st.sampled_from([*get_args(Outcome), "x"]),
        instrument=st.sampled_from(["csat", "nps", "ces", "x"]),
        dimension=st.sampled_from(["overall", "price", "x"]),
        score=st.integers(-1, 101),
        scale_min=st.integers(-1, 2),
        scale_max=st.integers(1, 101),
        campaign_id=IDENTIFIERS,
        arm=st.sampled_from(["treated", "holdout", "x"]),
        cost=AMOUNTS,
        currency=st.sampled_from(["CNY", "x"]),
        referred_customer_id=IDENTIFIERS,
        case_id=IDENTIFIERS,
        topic=IDENTIFIERS,
        note=ODD,
    ),
}
BASE: Final[dict[EventKind, dict[str, Any]]] = {
    "transaction": {"event_id": "e", "customer_id": "c", "occurred_at": "2026-07-10T09:30:00Z", "source": "s"}
    | {"account_id": "a", "amount": "1", "currency": "CNY", "direction": "in", "kind": "deposit"},
    "interaction": {"event_id": "e", "customer_id": "c", "occurred_at": "2026-07-10T09:30:00Z", "source": "s", "kind": "call"},
}
SHAPES: Final[list[tuple[type[msgspec.Struct], type[BaseModel], set[str]]]] = [
    (QuickTransaction, Transaction, set()),
    (QuickInteraction, Interaction, {"cost", "currency"}),
    (QuickCounterparty, Counterparty, set()),
    (QuickMerchant, Merchant, set()),
]


def plain(value: Any) -> Any:
    """A field's value as JSON would show it."""
    if isinstance(value, BaseModel):
        return value.model_dump()
    return msgspec.structs.asdict(value) if isinstance(value, msgspec.Struct) else value


def agree(kind: EventKind, value: bytes) -> bool:
    """Whether the quick reader read it; if so, the model reads the same."""
    found = read_quickly(kind, value)
    if found is None:
        return False
    quick, at = found
    model = validate(kind, value)
    assert at == to_instant(model.occurred_at)
    assert not model.model_extra
    for name in quick.__struct_fields__:
        if name != "occurred_at":
            read, known = plain(getattr(quick, name)), plain(getattr(model, name))
            assert (read, type(read)) == (known, type(known)), name
    if isinstance(quick, QuickInteraction):
        assert isinstance(model, Interaction)
        assert quick.by_customer == model.by_customer
    return True


@pytest.mark.parametrize(("quick", "model", "left_out"), SHAPES)
def test_the_fields_are_those_of_the_model(quick: type[msgspec.Struct], model: type[BaseModel], left_out: set[str]) -> None:
    assert {*quick.__struct_fields__, *left_out} == set(model.model_fields)


@pytest.mark.parametrize("kind", list(FIELDS))
@given(data=st.data())
@settings(max_examples=500, deadline=None)
def test_what_it_reads_the_model_reads_alike(kind: EventKind, data: st.DataObject) -> None:
    event = BASE[kind] | data.draw(FIELDS[kind])
    escaped = data.draw(st.booleans())
    agree(kind, json.dumps(event, ensure_ascii=escaped, separators=(",", ":")).encode("utf-8", "surrogatepass"))


@pytest.mark.parametrize("kind", list(BASE))
@given(data=st.data())
@settings(max_examples=500, deadline=None)
def test_broken_bytes_are_never_read_otherwise_than_by_the_model(kind: EventKind, data: st.DataObject) -> None:
    value = bytearray(json.dumps(BASE[kind]).encode())
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(value) - 1))
        piece = data.draw(
            st.one_of(
                st.binary(max_size=3),
                st.sampled_from([b'","x":"', b'"kind":"call",', b"\xed\xa0\x80", b"\xc0\x80", b"NaN", b"1e999", b"\x00", b" ", b"}", b"//"]),
            )
        )
        value[at : at + data.draw(st.integers(0, 3))] = piece
    agree(kind, bytes(value))


@given(st.text(alphabet="0123456789TZ+-:. ", max_size=36) | MOMENTS)
@example("2026-07-10T09:30:00.+08:00")
@settings(max_examples=500)
def test_moments_are_read_as_the_model_reads_them(text: str) -> None:
    event = BASE["interaction"] | {"occurred_at": text}
    try:
        known = to_instant(validate("interaction", json.dumps(event).encode()).occurred_at)
    except Rejected:
        assert instant_of(text) is None
    else:
        assert instant_of(text) in (known, None)


@pytest.mark.parametrize("moment", ["2026-07-10T09:30:00Z", "2026-07-10T09:30:00.123+08:00", "1969-12-31T23:59:59.9996-05:30"])
def test_ordinary_moments_are_read(moment: str) -> None:
    assert instant_of(moment) is not None


@pytest.mark.parametrize("kind", list(BASE))
def test_ordinary_events_are_read_quickly(kind: EventKind) -> None:
    valid = [path for path in sorted((EXAMPLES / kind).rglob("*.json")) if "invalid" not in str(path)]
    assert valid
    assert any(agree(kind, json.dumps(json.loads(path.read_bytes())).encode()) for path in valid)
    assert agree(kind, json.dumps(BASE[kind]).encode())


@pytest.mark.parametrize(
    ("kind", "left"),
    [
        ("transaction", {"note": 1}),
        ("transaction", {"account_id": "a\\u0041"}),
        ("interaction", {"cost": "1.00", "currency": "CNY"}),
        ("interaction", {"kind": "survey_answer"}),
    ],
)
def test_what_is_not_certain_is_left_to_the_model(kind: EventKind, left: dict[str, Any]) -> None:
    assert read_quickly(kind, json.dumps(BASE[kind] | left).encode()) is None
