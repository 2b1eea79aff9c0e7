"""Several input files are read as one stream in time order."""

from __future__ import annotations

from pathlib import Path

from deploy.inputs import read_inputs
from schemas.topics import load_registry


def write(path: Path, *times: str) -> Path:
    lines = [f'{{"topic":"interactions","key":"{path.stem}","value":{{"occurred_at":"{time}"}}}}\n' for time in times]
    path.write_text("".join(lines))
    return path


def test_several_files_are_merged_by_time_and_each_keeps_its_own_order(tmp_path: Path) -> None:
    old = write(tmp_path / "old.jsonl", "1999-01-01T00:00:00Z", "1999-03-01T00:00:00Z", "1999-02-01T00:00:00Z")
    new = write(tmp_path / "new.jsonl", "1999-02-15T00:00:00+08:00", "not a time", "2019-01-01T00:00:00Z")
    registry = load_registry(partitions=1)
    keys = [(record.key or b"").decode() for record in read_inputs([new, old], registry)]
    assert keys == ["old", "new", "new", "old", "old", "new"]


def test_one_file_is_read_as_it_stands(tmp_path: Path) -> None:
    only = write(tmp_path / "only.jsonl", "2019-01-01T00:00:00Z", "1999-01-01T00:00:00Z")
    values = [record.value for record in read_inputs([only], load_registry(partitions=1))]
    assert values == [b'{"occurred_at":"2019-01-01T00:00:00Z"}', b'{"occurred_at":"1999-01-01T00:00:00Z"}']
