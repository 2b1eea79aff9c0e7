"""One sink as a process: settings, log, probes, signals, exit code."""

from __future__ import annotations

import logging
import signal
import threading

from alerting.pack import load_pack
from alerting.problems import PackError
from deploy.complaint_limits import clock_lines
from deploy.errors import DependencyLost, Failed, UserError
from deploy.logs import configure_logs
from deploy.probes import Probes
from deploy.settings import load_settings
from schemas.telemetry import Telemetry
from sinks.connection import ServerUnfit, address
from sinks.migrate import MigrationRefused
from sinks.milestones import Observer, unobserved
from sinks.sink import KafkaGone, Sink, SinkStopped
from sinks.views.complaints import ClockLine

log = logging.getLogger(__name__)


def run_sink(until_drained: bool, observe: Observer = unobserved) -> None:
    """Run until SIGTERM, Ctrl-C, or everything is stored. Raises UserError with the exit code that says how it ended.

    ``observe`` is told each milestone of each batch.
    """
    settings = load_settings()
    configure_logs(settings.log, settings)
    telemetry = Telemetry()
    limits = _complaint_limits(settings.policy.pack)
    sink = Sink(settings.sink, settings.clickhouse, settings.kafka, telemetry, observe=observe, complaint_clock=limits)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    log.info("sink: Kafka at %s, ClickHouse at %s", settings.kafka.bootstrap_servers, address(settings.clickhouse))
    with Probes(settings.probes, "sink", sink, telemetry):
        try:
            clean = sink.run(stop, until_drained)
        except (SinkStopped, MigrationRefused) as stopped:
            raise Failed(str(stopped), "no offset was committed for what is missing: it is read again") from stopped
        except ServerUnfit as unfit:
            raise UserError(str(unfit), "point FENGHUO_CLICKHOUSE__URL at another server") from unfit
        except KafkaGone as gone:
            raise DependencyLost(str(gone), "start it again: it goes on from the committed offsets") from gone
    if not clean:
        raise Failed("the sink left with rows in hand", "nothing is lost: they are not committed and will be read again")
    log.info("sink: everything read is stored and committed")


def _complaint_limits(pack: str) -> tuple[ClockLine, ...] | None:
    """The pack's; None where it cannot be read here, since rows can be stored without it."""
    try:
        return clock_lines(load_pack(pack))
    except PackError as error:
        log.warning("%s; so the complaint limits in ClickHouse are not compared with the policy pack's", error)
        return None
