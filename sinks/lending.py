"""Bytes for the ClickHouse in this process, which reads files and nothing else of ours: a file that is on no disk, where the system has such."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from tempfile import NamedTemporaryFile
from typing import IO, Any, Final

_NAME: Final = "fenghuo-insert-"


@contextmanager
def lent(pieces: Sequence[Any]) -> Iterator[str]:
    """The path of a file that holds the pieces, one behind the other, until the context is left."""
    with _file() as (file, path):
        file.writelines(pieces)
        file.flush()
        yield path


@contextmanager
def _file() -> Iterator[tuple[IO[bytes], str]]:
    if not hasattr(os, "memfd_create"):  # macOS
        with NamedTemporaryFile(prefix=_NAME) as named:
            yield named, named.name
        return
    with os.fdopen(os.memfd_create(_NAME), "wb") as unnamed:
        yield unnamed, f"/proc/self/fd/{unnamed.fileno()}"
