"""Whose fault it is when accounts and records differ: the publisher's and the brokers' side of it."""

from __future__ import annotations

import pytest

from tests.kills.verdict import assert_kept

PLACE = ("bank.transactions", 0)


def test_the_same_in_the_same_order_is_kept() -> None:
    assert_kept({PLACE: [b"a", b"b", b"a"]}, {PLACE: [b"a", b"b", b"a"]})


@pytest.mark.parametrize(
    ("there", "words"),
    [
        ([b"a", b"c"], "3 confirmed, 2 there; 1 lost, 0 there once more, 0 that nobody sent; different from offset 1"),
        ([b"a", b"b", b"b", b"c"], "3 confirmed, 4 there; 0 lost, 1 there once more, 0 that nobody sent; different from offset 2"),
        ([b"a", b"b", b"c", b"x"], "3 confirmed, 4 there; 0 lost, 0 there once more, 1 that nobody sent; different from offset 3"),
        ([b"b", b"a", b"c"], "3 confirmed, 3 there; 0 lost, 0 there once more, 0 that nobody sent; different from offset 0"),
    ],
)
def test_what_differs_is_named(there: list[bytes], words: str) -> None:
    with pytest.raises(AssertionError) as told:
        assert_kept({PLACE: [b"a", b"b", b"c"]}, {PLACE: there})
    assert f"bank.transactions[0]: {words}" in str(told.value)
