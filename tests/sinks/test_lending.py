"""What an insert into the ClickHouse of this process reads."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sinks import lending
from sinks.lending import lent


@pytest.mark.parametrize("unnamed", [True, False])
def test_the_pieces_stand_in_a_file_and_nothing_of_the_insert_before(unnamed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not unnamed:
        monkeypatch.delattr(os, "memfd_create", raising=False)
    with lent([b"one\n", memoryview(b"two\n"), b"three\n"]) as path:
        assert Path(path).read_bytes() == b"one\ntwo\nthree\n"
    with lent([b"four\n"]) as path:
        assert Path(path).read_bytes() == b"four\n"


def test_two_inserts_at_once_read_two_files() -> None:
    with lent([b"one\n"]) as first, lent([b"two\n"]) as second:
        assert Path(first).read_bytes() == b"one\n"
        assert Path(second).read_bytes() == b"two\n"


@pytest.mark.skipif(not hasattr(os, "memfd_create"), reason="files in memory are Linux's")
@pytest.mark.parametrize(("most", "kept"), [(4, True), (3, False)])
def test_the_pages_of_a_small_insert_are_kept_for_the_next_and_of_a_large_one_given_back(most: int, kept: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lending, "_UNUSED", [])
    monkeypatch.setattr(lending, "_MOST_KEPT", most)
    with lent([b"one\n"]) as path:
        pass
    assert Path(path).exists() is kept


def test_a_file_is_deleted_where_there_are_none_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "memfd_create", raising=False)
    with lent([b"one\n"]) as path:
        assert Path(path).exists()
    assert not Path(path).exists()
