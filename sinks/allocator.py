"""How the C library keeps memory for a process that ClickHouse runs in."""

from __future__ import annotations

import ctypes
from functools import cache
from typing import Final

#: glibc's numbers of its options, and values in bytes.
_TRIM_THRESHOLD: Final = (-1, 512 * 2**20)
_MMAP_THRESHOLD: Final = (-3, 32 * 2**20)


@cache
def keep_freed_memory() -> None:
    """Let buffers of a batch that were freed serve the next batch, on glibc; elsewhere nothing.

    ClickHouse in-process takes its memory from the C library, which gives large pieces back to the system at once and asks for them
    again: half of the pages that an insert touches were touched for the first time.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        for option, value in (_TRIM_THRESHOLD, _MMAP_THRESHOLD):
            mallopt(option, value)
