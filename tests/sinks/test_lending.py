"""What an insert into the ClickHouse of this process reads."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sinks.lending import lent


@pytest.mark.parametrize("unnamed", [True, False])
def test_the_pieces_stand_in_a_file_until_the_context_is_left(unnamed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not unnamed:
        monkeypatch.delattr(os, "memfd_create", raising=False)
    with lent([b"one\n", memoryview(b"two\n")]) as path:
        assert Path(path).read_bytes() == b"one\ntwo\n"
    assert not Path(path).exists()
