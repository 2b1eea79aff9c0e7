"""ClickHouse inside this process, with memory that serves the next insert too.

ClickHouse's allocator gives freed memory back to the system within five seconds, the C library gives large pieces back at once, and both
ask for it again: page faults were 8 % of what a row costs.
"""

from __future__ import annotations

import ctypes
import os
from functools import cache
from typing import Any, Final

#: How ClickHouse's allocator, jemalloc, is told; it looks when the library is loaded, and never again.
_CONFIGURATION: Final = "JE_MALLOC_CONF"
_KEPT_MILLISECONDS: Final = 30_000
#: glibc's numbers of its options, and values in bytes.
_TRIM_THRESHOLD: Final = (-1, 512 * 2**20)
_MMAP_THRESHOLD: Final = (-3, 32 * 2**20)


def open_folder(path: str) -> Any:
    """A connection of chdb to the ClickHouse of a folder, which is this process's from then on. Raises what chdb raises."""
    keep_freed_memory()
    import chdb  # not before its memory is seen to

    return chdb.connect(path)


@cache
def keep_freed_memory() -> None:
    """Let buffers of a batch that were freed serve the next batch: in ClickHouse, if it is not loaded yet, and on glibc in the rest of the process."""
    os.environ.setdefault(_CONFIGURATION, f"dirty_decay_ms:{_KEPT_MILLISECONDS}")
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        for option, value in (_TRIM_THRESHOLD, _MMAP_THRESHOLD):
            mallopt(option, value)
