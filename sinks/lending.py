"""Bytes for the ClickHouse in this process, which reads files and nothing else of ours: a file that is on no disk, where the system has such."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from tempfile import NamedTemporaryFile
from typing import IO, Any, Final

_NAME: Final = "fenghuo-insert-"
#: Files whose pages serve the next large insert: to get and give back pages costs more than to fill them.
_UNUSED: Final[list[IO[bytes]]] = []
#: Bytes of inserts for which a file is kept. A small one would cut it short.
_KEPT: Final = range(8 * 2**20, 64 * 2**20)


@contextmanager
def lent(pieces: Sequence[Any]) -> Iterator[str]:
    """The path of a file that holds the pieces, one behind the other, until the context is left."""
    if not hasattr(os, "memfd_create"):  # macOS
        with NamedTemporaryFile(prefix=_NAME) as named:
            named.writelines(pieces)
            named.flush()
            yield named.name
        return
    size = sum(memoryview(piece).nbytes for piece in pieces)
    file = _in_memory(size)
    try:
        file.writelines(pieces)
        file.truncate()
        yield f"/proc/self/fd/{file.fileno()}"
    finally:
        _put_back(file, size)


def _in_memory(size: int) -> IO[bytes]:
    try:
        return _UNUSED.pop() if size in _KEPT else _new()
    except IndexError:
        return _new()


def _new() -> IO[bytes]:
    return os.fdopen(os.memfd_create(_NAME), "wb")


def _put_back(file: IO[bytes], size: int) -> None:
    if size in _KEPT:
        file.seek(0)
        _UNUSED.append(file)
    else:
        file.close()
