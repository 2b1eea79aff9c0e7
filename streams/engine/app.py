"""The Faust application: group membership, assignment, polling and life cycle. Its tables, producer and web server are not used."""

from __future__ import annotations

import logging
from typing import Any

import faust
from faust.app.base import BootStrategy

from streams.engine.assignor import CopartitionAssignor
from streams.engine.consumer import FramedTransport, Membership
from streams.engine.ports import Processor
from streams.engine.security import aiokafka_security
from streams.settings import WorkerSettings

#: Most records of one poll, all partitions together.
POLL_EVENTS = 20_000


class _Boot(BootStrategy):
    enable_kafka_producer = False
    enable_web = False


class EngineApp(faust.App):
    """A Faust app whose consumer is ours and hands frames to ``membership``; its only agent says which topics to subscribe to, and gets none."""

    logger = logging.getLogger("faust")
    BootStrategy = _Boot
    membership: Membership
    client_options: dict[str, Any]

    def _new_transport(self) -> Any:
        return FramedTransport(self.conf.broker_consumer, self, loop=self.loop)

    def _create_directories(self) -> None:
        """None: state is in the changelog, and Faust would leave a folder for tables wherever a worker was started."""


def build_app(
    processor: Processor,
    settings: WorkerSettings,
    servers: str,
    security: dict[str, str],
    rebalance_timeout: float,
    membership: Membership,
) -> EngineApp:
    """The app of one worker. ``membership`` is the hub."""
    app = EngineApp(
        processor.group,
        broker=";".join(f"kafka://{server}" for server in servers.split(",")),
        broker_max_poll_records=POLL_EVENTS,
        broker_session_timeout=settings.session_timeout_seconds,
        broker_heartbeat_interval=settings.session_timeout_seconds / 6,
        broker_rebalance_timeout=rebalance_timeout,
        broker_commit_interval=settings.commit_interval_seconds,
        consumer_auto_offset_reset="earliest",
        processing_guarantee="at_least_once",
        topic_disable_leader=True,
        topic_allow_declare=False,
        table_standby_replicas=0,
        stream_wait_empty=True,
        stream_buffer_maxsize=64,
        web_enabled=False,
        cython_optimizations=False,
        store="memory://",
        autodiscover=False,
    )
    app.membership = membership
    app.client_options = {
        "client_id": processor.group,
        "group_id": processor.group,
        "group_instance_id": settings.instance_id,
        "bootstrap_servers": servers,
        "partition_assignment_strategy": [CopartitionAssignor()],
        "enable_auto_commit": False,
        "auto_offset_reset": "earliest",
        "max_poll_records": POLL_EVENTS,
        "max_poll_interval_ms": 3_600_000,  # the shell polls by itself; a stuck one shows in its probes
        "max_partition_fetch_bytes": settings.fetch_bytes,
        "fetch_max_wait_ms": settings.fetch_wait_ms,
        "session_timeout_ms": int(settings.session_timeout_seconds * 1000),
        "rebalance_timeout_ms": int(rebalance_timeout * 1000),
        "heartbeat_interval_ms": int(settings.session_timeout_seconds * 1000 / 6),
        "isolation_level": "read_committed",
        **aiokafka_security(security),
    }
    source = app.topic(*processor.inputs, partitions=processor.partitions)

    @app.agent(source, concurrency=1, name=f"{processor.group}-frames")
    async def subscribe(stream: Any) -> None:
        async for _event in stream:
            raise AssertionError("frames do not come through Faust's streams")

    return app
