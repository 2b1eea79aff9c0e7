"""What an insert into the ClickHouse of this process reads."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sinks import lending
from sinks.lending import lent

in_memory = pytest.mark.skipif(not hasattr(os, "memfd_create"), reason="files in memory are Linux's")


@pytest.mark.parametrize("unnamed", [True, False])
def test_the_pieces_stand_in_a_file_until_the_context_is_left(unnamed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not unnamed:
        monkeypatch.delattr(os, "memfd_create", raising=False)
    with lent([b"one\n", memoryview(b"two\n")]) as path:
        assert Path(path).read_bytes() == b"one\ntwo\n"
    assert not Path(path).exists()


@in_memory
@pytest.mark.parametrize(("text", "kept"), [(b"one\n", False), (b"twelve\n", True), (b"one hundred\n", False)])
def test_a_large_inserts_pages_are_kept_and_those_of_a_small_and_of_a_huge_one_given_back(text: bytes, kept: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lending, "_UNUSED", [])
    monkeypatch.setattr(lending, "_KEPT", range(5, 10))
    with lent([text]) as path:
        pass
    assert Path(path).exists() is kept


@in_memory
def test_nothing_of_the_insert_before_is_read_and_of_two_at_once_each_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lending, "_UNUSED", [])
    monkeypatch.setattr(lending, "_KEPT", range(1, 100))
    with lent([b"one\ntwo\nthree\n"]) as before:
        pass
    with lent([b"four\n"]) as path, lent([b"five\n"]) as beside:
        assert path == before
        assert Path(path).read_bytes() == b"four\n"
        assert Path(beside).read_bytes() == b"five\n"
