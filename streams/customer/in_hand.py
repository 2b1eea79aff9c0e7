"""A partition's customers: all of them as they are stored, some decoded. Pure, as the lane that owns it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from alerting.pack import Pack
from schemas.localtime import Instant
from streams.customer.customer import CustomerInHand
from streams.customer.state import CustomerState, decode, encode
from streams.customer.warnings import Warnings
from streams.watermark import Watermark

_IN_HAND: Final = 2_500  # customers kept decoded between frames, some 50 KB each, and as many again of those before them
COMPRESSED_FROM: Final = 2 * _IN_HAND  # customers of a partition; with more, most are not in hand, and their states are kept compressed
SELDOM_FROM: Final = 20 * _IN_HAND  # customers of a partition; with more, hardly one comes again while it is kept decoded, so none is kept


class CustomersInHand:
    """Customers by the key of their records. ``states`` holds their changelog values; it is taken over and kept up to date."""

    def __init__(self, states: dict[bytes, bytes], pack: Pack, warnings: Warnings, watermark: Watermark) -> None:
        self._states = states
        self._pack = pack
        self._warnings = warnings
        self._watermark = watermark
        self._latest: dict[bytes, CustomerInHand] = {}
        self._before: dict[bytes, CustomerInHand] = {}

    def take(self, key: bytes, customer_id: str, as_of: Instant) -> CustomerInHand:
        """The customer, decoded; a new one if never heard of. ``as_of`` is when it is first looked at, if nothing says when it was."""
        customer = self._latest.get(key)
        if customer is None and (customer := self._before.pop(key, None)) is not None:
            self._latest[key] = customer
        if customer is None:
            stored = self._states.get(key)
            state = CustomerState() if stored is None else decode(stored)
            customer = self._latest[key] = CustomerInHand(customer_id, state, self._pack, self._pack.time, self._watermark.now(as_of))
            self._warnings.take_in_hand(customer)
        return customer

    def drop(self, key: bytes) -> None:
        """Forget what was done to a customer since it was last stored."""
        del self._latest[key]

    def store(self, keys: Iterable[bytes]) -> dict[bytes, bytes | None]:
        """Changelog values of customers that were taken since the last call. Whoever has not been taken for long is no longer kept decoded."""
        compressed = len(self._states) >= COMPRESSED_FROM
        changelog: dict[bytes, bytes | None] = {}
        for key in keys:
            customer = self._latest[key]
            changelog[key] = self._states[key] = encode(customer.state, self._warnings.wake(customer), compressed=compressed)
        if len(self._states) >= SELDOM_FROM:
            self._latest.clear()
        elif len(self._latest) > _IN_HAND:
            self._latest, self._before = {}, self._latest
        return changelog
