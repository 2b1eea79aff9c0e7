"""Kafka and ClickHouse for one command: the servers that the settings name, the embedded ones where they name none."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from confluent_kafka import Consumer, TopicPartition

from alerting.pack import Pack
from deploy.complaint_limits import clock_lines
from deploy.embedded.broker import EmbeddedBroker
from deploy.embedded.clickhouse import READER, WRITER, EmbeddedClickHouse
from deploy.embedded.ports import LOOPBACK
from deploy.errors import UserError
from deploy.pipeline.children import Child
from deploy.settings import Settings, load_settings
from deploy.topic_plan import Topics
from schemas.connection import KafkaSettings
from schemas.topics import Topic
from sinks.connection import connect
from sinks.migrate import Migrator

BROKER: Final = "FENGHUO_KAFKA__BOOTSTRAP_SERVERS"
CLICKHOUSE: Final = "FENGHUO_CLICKHOUSE__URL"
_LOOK: Final = "SELECT grade, title_en, customer_id, value_at_stake FROM {database}.v_alerts_latest ORDER BY grade_rank DESC FORMAT PrettyCompact"


@dataclass(frozen=True)
class Servers:
    """Running servers with topics and tables. ``environ`` is what a process needs to find them, ``settings`` the same as read from it."""

    settings: Settings
    environ: Mapping[str, str]
    folder: Path
    broker: str
    clickhouse: str
    reading: str  # a command with which to look at the alerts, empty where the server is not ours

    def child(self, name: str, *arguments: str) -> Child:
        """Start a process of the program on these servers. Its log goes to ``folder``."""
        return Child(name, arguments, self.environ, self.folder / f"{name.replace(' ', '-')}.log", _free_port())


@contextmanager
def open_servers(pack: Pack, pack_name: str | None, folder: Path) -> Iterator[Servers]:
    """Start what the settings do not name, apply topics and migrations; end it when the context is left.

    ``folder`` takes the logs and the embedded servers' data. Raises UserError when the namespace on a given broker holds records
    already: offsets would not start from 0, and a run would not equal a replay.
    """
    given = load_settings()
    environ = dict(os.environ)
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as running:
        if BROKER not in environ and f"{BROKER}_FILE" not in environ:
            broker = running.enter_context(EmbeddedBroker(folder, given.embedded.broker_port))
            environ[BROKER] = broker.bootstrap_servers
        clickhouse = None
        if CLICKHOUSE not in environ and f"{CLICKHOUSE}_FILE" not in environ:
            clickhouse = running.enter_context(EmbeddedClickHouse(folder, given.embedded.clickhouse_port))
            _set(environ, CLICKHOUSE, clickhouse.http_url)
            _set(environ, "FENGHUO_CLICKHOUSE__USER", WRITER)
            _set(environ, "FENGHUO_CLICKHOUSE__PASSWORD", clickhouse.writer_password)
            _set(environ, "FENGHUO_CLICKHOUSE__BUSINESS_TIMEZONE", str(pack.timezone))
        if pack_name is not None:
            _set(environ, "FENGHUO_POLICY__PACK", str(Path(pack_name).resolve()) if Path(pack_name).is_dir() else pack_name)
        settings = load_settings(environ)
        _prepare(settings, pack)
        reading = f"curl '{clickhouse.http_url}/?user={READER}' --data-binary '{_LOOK.format(database=given.clickhouse.database)}'" if clickhouse else ""
        address = environ.get(CLICKHOUSE, "as configured").rpartition("@")[2].removeprefix("http://")
        yield Servers(settings, environ, folder, settings.kafka.bootstrap_servers, address, reading)


def _prepare(settings: Settings, pack: Pack) -> None:
    """Topics and tables. No connection outlives it: the embedded broker would wait for its end."""
    topics = Topics(settings.kafka)
    plan = topics.plan()
    _require_empty(settings.kafka, [change.topic for change in plan if change.action != "create"])
    topics.apply(plan)
    client = connect(settings.clickhouse)
    try:
        for _ in Migrator(client, settings.clickhouse, clock_lines(pack)).up():
            pass
    finally:
        client.close()


def _set(environ: dict[str, str], name: str, value: str) -> None:
    environ.pop(f"{name}_FILE", None)
    environ[name] = value


def _require_empty(kafka: KafkaSettings, existing: list[Topic]) -> None:
    consumer = Consumer(kafka.client_config() | {"group.id": f"{kafka.namespace}.look", "enable.auto.commit": False})
    try:
        for topic in existing:
            for partition in range(topic.partitions):
                _, end = consumer.get_watermark_offsets(TopicPartition(topic.name, partition), timeout=10)
                if end > 0:
                    raise UserError(
                        f"{topic.name} on {kafka.bootstrap_servers} holds records already",
                        "use a namespace of its own: FENGHUO_KAFKA__NAMESPACE=run-1 (and FENGHUO_CLICKHOUSE__DATABASE=run_1)",
                    )
    finally:
        consumer.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port
