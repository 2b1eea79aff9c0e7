"""ClickHouse or Kafka away, busy or full: the same work is tried again, each time later, and that is said once."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from clickhouse_connect.driver.exceptions import ClickHouseError
from confluent_kafka import KafkaException

from schemas.telemetry import Telemetry
from sinks.errors import Fate, code_of, fate_of, summary
from sinks.writer import Delayed, SinkStopped

log = logging.getLogger(__name__)
_FIRST_PAUSE = 0.1
_REMEDY = "check FENGHUO_CLICKHOUSE__USER, its password and its rights: it must read and insert"


class Outage:
    """``why`` names the server and a code, and is empty while all is well. All calls come from one thread; ``why`` may be read from any.

    ``address`` is ClickHouse's, for logs; ``longest`` the most seconds between two tries.
    """

    def __init__(self, address: str, longest: float, telemetry: Telemetry) -> None:
        self.why = ""
        self._address = address
        self._longest = longest
        self._pause = _FIRST_PAUSE
        self._retry_at = 0.0
        self._retries = telemetry.counter("crm_sink_retries_total")
        self._clickhouse_up = telemetry.gauge("crm_dependency_up").labels("clickhouse")

    @property
    def seconds_left(self) -> float:
        """Until the next try; not above 0 when it is due."""
        return self._retry_at - time.monotonic()

    def ended_by(self, work: Callable[[], None]) -> bool:
        """Do it. False if it must be tried again. Raises SinkStopped where ClickHouse refuses the sink, and what is nobody's outage."""
        try:
            work()
        except Delayed as delayed:
            self._began("clickhouse", delayed.code)
        except KafkaException as error:
            self._began("kafka", str(error.args[0]))
        except Exception as error:
            if fate_of(error) is not Fate.RETRY:
                if isinstance(error, ClickHouseError):
                    raise SinkStopped(f"ClickHouse at {self._address} refuses the sink: {summary(error)}; {_REMEDY}") from error
                raise
            self._began("clickhouse", code_of(error))
        else:
            self._ended()
            return True
        return False

    def _began(self, server: str, code: str) -> None:
        if server == "clickhouse":
            self._retries.labels(code).inc()
            self._clickhouse_up.set(0)
        if not self.why:
            where = f"clickhouse at {self._address}" if server == "clickhouse" else server
            log.warning("%s is away or busy (%s): reading pauses, rows wait in Kafka", where, code)
        self.why = f"{server}: {code}"
        self._retry_at = time.monotonic() + self._pause
        self._pause = min(self._pause * 2, self._longest)

    def _ended(self) -> None:
        if self.why:
            log.info("%s is back", self.why.partition(":")[0])
        self.why, self._pause, self._retry_at = "", _FIRST_PAUSE, 0.0
        self._clickhouse_up.set(1)
