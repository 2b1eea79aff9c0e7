"""The pace of fetching: under a steady stream, one request each few hundredths of a second instead of one for every few records.

A broker answers a fetch as soon as it has anything, so a client that asks again at once does so for every few records. Each request costs
the broker its part, and this process a tenth of a millisecond for encoding and decoding alone (24 partitions), on the interpreter that
the lanes wait for. Waiting at the broker for more bytes would hold a lone event back; waiting between requests does not.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

#: Least time between the beginnings of two fetches of one broker, in seconds.
PACE_SECONDS = 0.02


def pace(fetcher: Any) -> None:
    """Make aiokafka's ``fetcher`` keep the pace. Records wait at the broker meanwhile, for the next request to bring them together."""
    fetch = fetcher._proc_fetch_request
    due: dict[Any, float] = {}

    async def paced(assignment: Any, node: Any, request: Any) -> bool:
        ahead = due.get(node, 0.0) - time.monotonic()
        if ahead > 0:
            try:
                await asyncio.sleep(ahead)
            except asyncio.CancelledError:
                return False  # as aiokafka's own does: who cancels a fetch expects it to end
        due[node] = time.monotonic() + PACE_SECONDS
        return bool(await fetch(assignment, node, request))

    fetcher._proc_fetch_request = paced
