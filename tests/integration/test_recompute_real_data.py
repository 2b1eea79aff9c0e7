"""Real banks: every metric of every customer, computed a second time from the definitions alone, and no difference.

Berka is read whole: every customer at its last snapshot, and thousands of other snapshots drawn at random. Of calls and complaints,
which have more customers than a test has time for, a share of the customers is read, all their snapshots among the candidates.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from deploy.importers import IMPORTERS
from deploy.inputs import InputLine
from schemas.topics import partition_of
from tests.recompute.run import recomputed_differences, replay_into

_DATA = Path(os.environ.get("FENGHUO_DATA") or Path(__file__).parents[2] / ".." / "shared" / "data")


def _data(name: str) -> Path:
    if not (_DATA / name).is_dir():
        pytest.skip(f"no real data at {_DATA / name} (set FENGHUO_DATA)")
    return _DATA / name


def _share(lines: Iterable[InputLine], one_in: int) -> Iterator[InputLine]:
    """The lines of one customer in so many; ticks all."""
    return (line for line in lines if line.key is None or partition_of(line.key.encode(), 4 * one_in) < 4)


@pytest.mark.timeout(600)
def test_every_customer_of_berka(tmp_path: Path) -> None:
    imported = IMPORTERS["berka"]([_data("berka")])
    assert imported.files["trans_1993_1994.asc.gz"].written == 49_102
    assert imported.files["trans_1995_1998_sample.csv.gz"].written == 14_148
    lines = list(imported.lines())
    replay_into(tmp_path, lines, "bank-cz")
    snapshots, values, found = recomputed_differences(tmp_path, "bank-cz", sample=2000)
    assert snapshots >= len({line.key for line in lines if line.key}) + 4 * 1500
    assert values > 150_000
    assert found.is_empty(), found


@pytest.mark.timeout(600)
@pytest.mark.parametrize(("name", "folder", "one_in", "at_least"), [("call-centre", "callcenter", 16, 3000), ("complaints", "complaints", 32, 3000)])
def test_a_share_of_the_customers_of(name: str, folder: str, one_in: int, at_least: int, tmp_path: Path) -> None:
    imported = IMPORTERS[name]([_data(folder)])
    replay_into(tmp_path, _share(imported.lines(), one_in), "bank-cn")
    snapshots, _, found = recomputed_differences(tmp_path, "bank-cn", sample=3000)
    assert snapshots > at_least
    assert found.is_empty(), found
