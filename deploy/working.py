"""One worker as a process: settings, policy, log, probes, exit code."""

from __future__ import annotations

from deploy.collector import slow_collector
from deploy.logs import configure_logs
from deploy.probes import Probes
from deploy.replaying import load_policy
from deploy.settings import load_settings
from schemas.telemetry import Telemetry
from streams.engine.outside import REAL, Outside
from streams.engine.worker import Worker
from streams.processors import customer_processor


def run_worker(pack: str | None, until_drained: bool, outside: Outside = REAL) -> int:
    """Run until SIGTERM, Ctrl-C, or everything is applied; the exit code. Raises UserError for settings or a pack that cannot be used."""
    settings = load_settings()
    policy = load_policy(pack)
    configure_logs(settings.log, settings)
    registry = settings.kafka.registry()
    telemetry = Telemetry()
    outputs = tuple(topic.name for topic in registry.topics if topic.role == "output")
    worker = Worker(settings.kafka, settings.worker, customer_processor(registry, policy), telemetry, outputs, until_drained, outside)
    slow_collector()
    with Probes(settings.probes, "worker", worker, telemetry):
        return worker.run()
