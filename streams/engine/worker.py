"""A worker process from start to exit code: wait for the broker, join, apply until told to stop, finish cleanly or say why not.

Exit codes: 0 everything begun was finished and committed; 1 it was not within the deadline; 2 configuration; 3 Kafka was lost or
another worker took over. Nothing is ever applied on top of state that could not be written.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import threading
import time
from typing import Any

from schemas.connection import KafkaSettings
from schemas.telemetry import Telemetry
from streams.engine.app import EngineApp, build_app
from streams.engine.broker import check_topics, has_transactions, wait_for_broker
from streams.engine.consumer import reader_of
from streams.engine.hub import Hub
from streams.engine.meter import Meter
from streams.engine.outside import REAL, Outside
from streams.engine.ports import Place, Processor, Stopped
from streams.engine.quiet import quieten
from streams.settings import WorkerSettings

log = logging.getLogger("fenghuo.worker")

#: A worker whose loop has not turned for this long, in seconds, is not alive.
ALIVE_SECONDS = 30.0
TURN_SECONDS = 0.25


class Worker:
    """One processor's worker. ``run`` once; the other methods may be called from any thread."""

    def __init__(
        self,
        kafka: KafkaSettings,
        settings: WorkerSettings,
        processor: Processor,
        telemetry: Telemetry,
        outputs: tuple[str, ...] = (),
        until_drained: bool = False,
        outside: Outside = REAL,
    ) -> None:
        """``outputs`` are full names of topics that must exist. ``until_drained``: leave when all input there is has been applied.

        ``outside`` is what its lanes meet, and who is told of their steps.
        """
        self._kafka = kafka
        self._settings = settings
        self._processor = processor
        self._outputs = list(outputs)
        self._until_drained = until_drained
        self._outside = outside
        self._meter = Meter(telemetry, processor)
        self._stop = threading.Event()
        self._waiting: str | None = "start"
        self._turned = time.monotonic()
        self._hub: Hub | None = None
        self._failure: BaseException | None = None

    # -- probes -------------------------------------------------------------------------------------------------------
    def live(self) -> bool:
        """Whether the worker's own loop has turned lately."""
        return time.monotonic() - self._turned < ALIVE_SECONDS

    def waiting_for(self) -> list[str]:
        """What stands between this worker and work; empty when it is ready."""
        if self._waiting is not None:
            return [self._waiting]
        hub = self._hub
        if hub is None or not hub.assignments:
            return [f"assignment by group {self._processor.group}"]
        opening = hub.opening()
        return [f"recovery of partitions {', '.join(map(str, opening))}"] if opening else []

    def stop(self) -> None:
        """Finish what is being applied, commit, leave the group."""
        self._stop.set()

    # -- life ---------------------------------------------------------------------------------------------------------
    def run(self) -> int:
        """Work until stopped, drained or failed; the exit code."""
        quieten()
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, lambda *_: self._stop.set())
        try:
            return self._run()
        except Stopped as stopped:
            log.error("%s", stopped)
            return stopped.code

    def _run(self) -> int:
        config = self._kafka.client_config()
        metadata = wait_for_broker(config, self._turn, self._wait_for)
        if metadata is None:
            return 0
        self._meter.broker(True)
        check_topics(metadata, self._processor, self._outputs)
        transactions = {"on": True, "off": False}.get(self._kafka.transactions)
        if transactions is None:
            transactions = has_transactions(config, self._processor)
        if not transactions:
            log.warning("transactions are off: state stays exact, but a crash may repeat outputs (their ids stay the same)")
        self._waiting = None
        return asyncio.run(self._serve(config, transactions))

    def _turn(self) -> bool:
        self._turned = time.monotonic()
        return self._stop.is_set()

    def _wait_for(self, what: str | None) -> None:
        self._waiting = what
        if what is not None:
            self._meter.broker(False)

    def _fail(self, reason: BaseException) -> None:
        if self._failure is None:
            self._failure = reason
        self._stop.set()

    async def _serve(self, config: dict[str, Any], transactions: bool) -> int:
        rebalance = self._settings.rebalance_timeout_seconds or (30.0 if transactions else 3.0)
        hub = self._hub = Hub(self._processor, self._settings, config, transactions, self._meter, self._fail, self._outside)
        security = {name: secret.get_secret_value() for name, secret in self._kafka.security.items()}
        app = build_app(self._processor, self._settings, self._kafka.bootstrap_servers, security, rebalance, hub)
        app.finalize()
        app.worker_init()
        app.in_worker = True
        hub.reader = reader_of(app)
        starting = asyncio.create_task(app.maybe_start(), name="start")
        drained = _Drained(self._processor, hub, self._settings)
        reported = 0.0
        while not self._turn():
            await asyncio.sleep(TURN_SECONDS)
            if starting.done() and starting.exception():
                self._fail(starting.exception() or RuntimeError("start"))
            crash = app.crash_reason or (app.consumer.crash_reason if starting.done() else None)
            if crash is not None:
                self._fail(crash)
            if time.monotonic() - reported > 1.0:
                reported = time.monotonic()
                hub.report()
            if self._until_drained and await drained.now():
                log.info("drained: everything there was is applied")
                break
        code = await self._leave(app, hub, starting)
        hub.shut()
        return code

    async def _leave(self, app: EngineApp, hub: Hub, starting: asyncio.Task[Any]) -> int:
        """Commit and leave the group. After a failure nothing is committed beyond what is durable, and less time is given."""
        failure = self._failure
        if failure is not None:
            if isinstance(failure, Stopped):
                log.error("%s", failure)
            else:
                log.error("the worker stops on an unexpected error: %s", type(failure).__name__, exc_info=failure)
        deadline = self._settings.drain_timeout_seconds if failure is None else min(5.0, self._settings.drain_timeout_seconds)
        try:
            async with asyncio.timeout(deadline):
                await hub.leave()
                if starting.done() and not starting.exception():
                    await reader_of(app).commit()
                else:
                    starting.cancel()
                hub.report()
                await app.stop()
        except TimeoutError:
            log.error("did not finish and leave within %.0f s; what was not committed will be applied again", deadline)
            return 1 if failure is None else _code(failure)
        if failure is not None:
            return _code(failure)
        log.info("left the group; everything applied is committed")
        return 0


def _code(failure: BaseException) -> int:
    return failure.code if isinstance(failure, Stopped) else 1


class _Drained:
    """Whether all input there is has been applied, by this worker and by those it shares the group with.

    Partitions of others are judged by the group's committed offsets. Where those cannot tell (a topic ends in transaction markers, or
    the broker gives wrong ends), this worker stays until a dead companion's partitions would have come to it.
    """

    def __init__(self, processor: Processor, hub: Hub, settings: WorkerSettings) -> None:
        self._processor = processor
        self._hub = hub
        self._patience = settings.session_timeout_seconds + 5.0
        self._since: float | None = None
        self._assignments = -1
        self._asked = 0.0
        self._done: set[int] = set()

    async def now(self) -> bool:
        hub = self._hub
        if hub.assignments != self._assignments:
            self._assignments, self._since, self._done = hub.assignments, None, set()
        if not hub.is_open:
            return False
        self._done |= hub.caught_up()
        if self._done < hub.numbers:
            return False
        others = set(range(self._processor.partitions)) - hub.numbers
        if not others:
            return True
        now = time.monotonic()
        self._since = self._since or now
        if now - self._since > self._patience:
            return True
        if now - self._asked < 1.0:
            return False
        self._asked = now
        places = [place for number in others for place in self._processor.places(number)]
        return await asyncio.get_running_loop().run_in_executor(None, self._all_committed, places)

    def _all_committed(self, places: list[Place]) -> bool:
        committed, ends = self._hub.store.committed(places), self._hub.store.ends(places)
        lows = self._hub.store.lows(places)
        return all(committed.get(place, lows[place]) >= ends[place] for place in places)
