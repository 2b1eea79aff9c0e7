"""A customer's changelog value, in each of the ways in which it is stored."""

from __future__ import annotations

import pytest

from schemas.localtime import DAY_MS
from streams.customer.customer import CustomerInHand
from streams.customer.state import NEVER, decode, encode, wake_of
from streams.testing import Bank

CUSTOMER = "c1"
MONTHS = 9


@pytest.fixture(scope="module")
def bank() -> Bank:
    bank = Bank()
    for month in range(1, MONTHS + 1):
        for day in range(1, 28):
            at = f"2025-{month:02}-{day:02}T10:00"
            bank.transaction(CUSTOMER, f"{day * 7}.{day:02}", "card_purchase", at, channel="pos", product_line="deposit", balance_after=f"{day * 991}.00")
    bank.survey(CUSTOMER, 4, f"2025-{MONTHS:02}-28T11:00")
    return bank


def value(bank: Bank) -> bytes:
    return bank.lane.states[CUSTOMER.encode()]


def test_a_state_is_the_same_however_it_is_stored(bank: Bank) -> None:
    plain = encode(decode(value(bank)), NEVER)
    soon = decode(plain).as_of + DAY_MS
    small, quick = encode(decode(plain), NEVER, compressed=True), encode(decode(plain), soon, compressed=True)
    assert len(small) < len(quick) < len(plain)
    assert (wake_of(small), wake_of(quick)) == (NEVER, soon)
    assert {encode(decode(stored), NEVER) for stored in (plain, small, quick)} == {plain}


def test_what_is_not_touched_goes_back_as_the_bytes_that_came_and_what_was_read_as_the_same(bank: Bank) -> None:
    plain = encode(decode(value(bank)), NEVER)
    untouched, read = decode(plain), decode(plain)
    assert not untouched.flows.steps
    for history in (read.flows, read.contacts, read.satisfaction):
        history.open()
    assert len(read.flows.steps) > 200
    assert read.seen
    assert encode(untouched, NEVER) == encode(read, NEVER) == plain


def test_a_customer_taken_from_bytes_comes_to_the_same_as_one_that_stayed_in_hand(bank: Bank) -> None:
    taken, again = (CustomerInHand(CUSTOMER, decode(value(bank)), bank.pack, bank.calendar, 0) for _ in range(2))
    again.state.flows.open()
    for customer in (taken, again):
        customer.advance(customer.state.as_of + 40 * DAY_MS)
    assert taken.flows.windows.counts == again.flows.windows.counts
    assert encode(taken.state, NEVER) == encode(again.state, NEVER)
