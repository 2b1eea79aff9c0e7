"""Every story is told to a bank of its own; the shipped pack is read once."""

from __future__ import annotations

import pytest

from alerting.pack import Pack, load_pack
from streams.testing import Bank


@pytest.fixture(scope="session")
def pack() -> Pack:
    return load_pack("bank-cn")


@pytest.fixture
def bank(pack: Pack) -> Bank:
    return Bank(pack)
