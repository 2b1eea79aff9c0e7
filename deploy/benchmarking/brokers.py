"""The brokers that a benchmark runs on: the embedded one, and a real Apache Kafka where Java and Maven are there."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Literal

from deploy.embedded.broker import EmbeddedBroker
from deploy.errors import UserError
from deploy.pipeline.children import PROGRAM
from deploy.real_kafka.cluster import Cluster, Unavailable, free_port
from deploy.topic_plan import Topics
from schemas.connection import KafkaSettings

BrokerKind = Literal["embedded", "kafka"]
TITLES: Final[dict[BrokerKind, str]] = {"embedded": "embedded Tansu", "kafka": "Apache Kafka 4.1"}


@contextmanager
def running(kind: BrokerKind, folder: Path) -> Iterator[str]:
    """Its address. Raises UserError where it cannot run."""
    if kind == "embedded":
        with EmbeddedBroker(folder / "tansu") as broker:
            yield broker.bootstrap_servers
        return
    try:
        cluster = Cluster(heap="1g")
    except Unavailable as missing:
        raise UserError(str(missing), "fenghuo bench core state, and worker --broker embedded, need neither") from None
    with cluster:
        yield cluster.bootstrap_servers


def prepare(servers: str, namespace: str) -> KafkaSettings:
    """A namespace with all topics, empty."""
    settings = KafkaSettings(bootstrap_servers=servers, namespace=namespace)
    topics = Topics(settings)
    topics.apply(topics.plan())
    return settings


def worker_command(until_drained: bool = True) -> list[str]:
    """``fenghuo worker`` as a process of its own."""
    return [sys.executable, "-c", PROGRAM, "worker", *(["--until-drained"] if until_drained else [])]


def worker_environ(kafka: KafkaSettings) -> dict[str, str]:
    """What a worker, or another process on the same topics, must be told beside the settings of this one."""
    return os.environ | {
        "FENGHUO_KAFKA__BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
        "FENGHUO_KAFKA__NAMESPACE": kafka.namespace,
        "FENGHUO_KAFKA__PARTITIONS": str(kafka.partitions),
        "FENGHUO_PROBES__PORT": str(free_port()),
    }
