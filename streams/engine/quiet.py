"""The libraries under the engine talk in dozens of lines per rebalance. A quiet day of ours is a dozen lines."""

from __future__ import annotations

import logging
import time

#: For librdkafka clients: what matters in their own log comes to us as an error too, and is said once.
CLIENT_LOG = logging.getLogger("fenghuo.engine.client")
CLIENT_LOG.addHandler(logging.NullHandler())
CLIENT_LOG.propagate = False


class Seldom(logging.Filter):
    """Lets the same message (before its values are filled in) through once a minute."""

    def __init__(self, seconds: float = 60.0) -> None:
        super().__init__()
        self._seconds = seconds
        self._last: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        now = time.monotonic()
        if now - self._last.get(str(record.msg), -self._seconds) < self._seconds:
            return False
        self._last[str(record.msg)] = now
        return True


def quieten() -> None:
    """Faust and its client say only what went wrong, and not every second."""
    for name in ("faust", "mode", "aiokafka"):
        logger = logging.getLogger(name)
        logger.setLevel(logging.CRITICAL if name != "aiokafka" else logging.ERROR)
    for name in ("aiokafka", "aiokafka.consumer.fetcher", "aiokafka.consumer.group_coordinator", "aiokafka.conn", "aiokafka.client", "aiokafka.cluster"):
        logger = logging.getLogger(name)
        if not any(isinstance(present, Seldom) for present in logger.filters):
            logger.addFilter(Seldom())
