"""The cluster from outside: who coordinates, who leads, who is in step; and brokers by the number they have there."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol, TypeVar

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from deploy.real_kafka.cluster import Broker

Answer = TypeVar("Answer")


class Running(Protocol):
    """A cluster that runs. ``brokers`` are those that may be struck; empty where it is not ours to strike."""

    @property
    def bootstrap_servers(self) -> str: ...
    @property
    def brokers(self) -> Sequence[Broker]: ...


class Brokers:
    """Questions are asked again until somebody answers."""

    def __init__(self, cluster: Running) -> None:
        self._cluster = cluster
        self._admin = AdminClient({"bootstrap.servers": cluster.bootstrap_servers, "log_level": 0})

    def broker(self, node: int) -> Broker:
        """The broker with this node id."""
        return self._cluster.brokers[node - 1]

    @property
    def nodes(self) -> list[int]:
        """All node ids."""
        return list(range(1, len(self._cluster.brokers) + 1))

    def group_coordinator(self, group: str) -> int:
        """The node that keeps this consumer group."""
        return int(_ask(self._cluster.bootstrap_servers, lambda admin: admin.find_coordinator(group)))

    def members(self, group: str) -> int | None:
        """How many members the group has; None while it rebalances."""
        return group_members(self._cluster.bootstrap_servers, group)

    def transaction_coordinator(self, transactional_id: str) -> int:
        """The node that keeps this transactional id."""
        topic = _asked(lambda: self._admin.list_topics("__transaction_state", 10).topics["__transaction_state"])
        return int(topic.partitions[abs(_java_hash(transactional_id)) % len(topic.partitions)].leader)

    def leader(self, topic: str, partition: int) -> int:
        """The node that leads a partition."""
        return _asked(lambda: int(self._admin.list_topics(topic, 10).topics[topic].partitions[partition].leader))

    def until_in_step(self, seconds: float = 60.0) -> None:
        """Until every partition of every topic has all its replicas in step."""
        deadline = time.monotonic() + seconds
        while True:
            topics = _asked(lambda: self._admin.list_topics(timeout=10)).topics.values()
            behind = [topic.topic for topic in topics for one in topic.partitions.values() if len(one.isrs) < len(one.replicas) or one.leader < 0]
            if not behind:
                return
            assert time.monotonic() < deadline, f"{len(behind)} partitions are not in step, {behind[0]} among them"
            time.sleep(0.2)

    def until_settled(self, group: str, members: int, seconds: float = 60.0, meanwhile: Callable[[], None] = lambda: None) -> None:
        """Until the group rests with so many members."""
        deadline = time.monotonic() + seconds
        while (found := self.members(group)) != members:
            meanwhile()
            assert time.monotonic() < deadline, f"the group has {found} members, not {members}"
            time.sleep(0.05)


def group_members(servers: str, group: str) -> int | None:
    """How many members the group has at rest (0 when it is empty); None while it rebalances."""
    [[_error, _group, state, _type, _protocol, members, *_]] = _ask(servers, lambda admin: admin.describe_consumer_groups([group]))[0].groups
    return len(members) if state in ("Stable", "Empty") else None


def _ask(servers: str, question: Callable[[Any], Awaitable[Any]]) -> Any:
    """Through aiokafka: librdkafka 2.16 aborts the process when a group's coordinator is lost while it is asked about the group."""

    async def ask() -> Any:
        admin = AIOKafkaAdminClient(bootstrap_servers=servers, request_timeout_ms=5_000)
        await admin.start()
        try:
            return await question(admin)
        finally:
            await admin.close()

    return _asked(lambda: asyncio.run(ask()))


def _asked(question: Callable[[], Answer], seconds: float = 60.0) -> Answer:
    deadline = time.monotonic() + seconds
    while True:
        try:
            return question()
        except (KafkaException, KafkaError, KeyError, TimeoutError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def _java_hash(text: str) -> int:
    """``String.hashCode``, by which Kafka places transactional ids."""
    value = 0
    for character in text:
        value = (31 * value + ord(character)) & 0xFFFFFFFF
    return value - (1 << 32) if value >= 1 << 31 else value
