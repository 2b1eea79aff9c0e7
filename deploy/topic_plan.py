"""What the broker has against what the registry says: found first, changed second, nothing ever deleted.

A partition count that differs is never put right here: customers would move to other partitions, away from their state.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Final, Literal

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # re-exported there without saying so
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewTopic,
    ResourceType,
    TopicMetadata,
)

from deploy.errors import DependencyLost, Failed
from schemas.connection import KafkaSettings
from schemas.topics import Registry, Topic

Action = Literal["create", "alter", "ok", "drift"]
_REPLY_SECONDS: Final = 15.0
_CRITICAL: Final = 2  # librdkafka's own log: a failed connection is told once, by the command
_SETTLED_SECONDS: Final = 30.0
_UNCHECKED: Final = "settings not compared: this broker does not tell them"


@dataclass(frozen=True, slots=True)
class Change:
    """One topic: what is to be done and why. ``settings`` are those to set; ``drift`` cannot be put right by a command.

    ``led`` says whether every partition has a leader, and so can be written to.
    """

    topic: Topic
    action: Action
    detail: str = ""
    settings: Mapping[str, str] | None = None
    led: bool = True

    @property
    def settled(self) -> bool:
        """Whether nothing is left to do or to wait for."""
        return self.led and self.action in ("ok", "drift")

    def as_json(self) -> dict[str, Any]:
        return {"topic": self.topic.name, "action": self.action, "detail": self.detail, "settings": dict(self.settings or {})}


class Topics:
    """The topics of one broker beside those of one registry. Raises DependencyLost when the broker does not answer."""

    def __init__(self, settings: KafkaSettings) -> None:
        self._servers = settings.bootstrap_servers
        self._registry: Registry = settings.registry()
        self._admin = AdminClient({**settings.client_config(), "client.id": "fenghuo-topics", "log_level": _CRITICAL})

    def plan(self) -> list[Change]:
        """One entry a topic, in the order of the registry."""
        found = self._metadata()
        existing = [topic for topic in self._registry.topics if topic.name in found]
        settings = self._settings(existing) if existing else {}
        return [self._compare(topic, found.get(topic.name), settings.get(topic.name)) for topic in self._registry.topics]

    def apply(self, plan: list[Change]) -> list[Change]:
        """Create and alter what the plan says, wait until the broker shows it, and return what it then has.

        Brokers learn of changes a moment later, also of those that somebody else made since. Raises Failed with the first refusal.
        """
        self._create([change.topic for change in plan if change.action == "create"])
        self._alter([change for change in plan if change.action == "alter"])
        give_up = time.monotonic() + _SETTLED_SECONDS
        while True:
            now = self.plan()
            if all(change.settled for change in now):
                return now
            if time.monotonic() > give_up:
                raise Failed(f"the broker does not show the changes after {_SETTLED_SECONDS:.0f} s", "look at its log, then run fenghuo topics plan")
            time.sleep(0.1)

    def _metadata(self) -> dict[str, TopicMetadata]:
        try:
            found = self._admin.list_topics(timeout=_REPLY_SECONDS).topics
        except KafkaException as wrong:
            raise DependencyLost(
                f"Kafka at {self._servers} does not answer ({_name(wrong)})", "is it up? FENGHUO_KAFKA__BOOTSTRAP_SERVERS says where"
            ) from None
        return {name: topic for name, topic in found.items() if topic.error is None}

    def _settings(self, topics: list[Topic]) -> dict[str, dict[str, str | None]]:
        """The settings of each topic; a broker that does not tell them (the embedded one tells few) gives none."""
        told: dict[str, dict[str, str | None]] = {}
        asked = self._admin.describe_configs([ConfigResource(ResourceType.TOPIC, topic.name) for topic in topics], request_timeout=_REPLY_SECONDS)
        for resource, answer in asked.items():
            try:
                told[resource.name] = {name: entry.value for name, entry in answer.result(_REPLY_SECONDS + 1).items()}
            except (KafkaException, TimeoutError):
                continue
        return told

    def _compare(self, topic: Topic, found: TopicMetadata | None, settings: Mapping[str, str | None] | None) -> Change:
        if found is None:
            return Change(topic, "create", f"{topic.partitions} partitions, {topic.replication} replicas", topic.config)
        partitions = len(found.partitions)
        if partitions != topic.partitions:
            return Change(
                topic,
                "drift",
                f"has {partitions} partitions, not {topic.partitions}: set FENGHUO_KAFKA__PARTITIONS={partitions} if all topics have as many, "
                "else move to a new namespace and load the inputs again",
            )
        replicas = {len(partition.replicas) for partition in found.partitions.values()}
        led = all(partition.leader >= 0 for partition in found.partitions.values())
        notes = [] if led else ["a partition has no leader"]
        if replicas != {topic.replication}:
            notes.append(f"has {_numbers(replicas)} replicas, not {topic.replication}: kafka-reassign-partitions changes that")
        if not settings or not topic.config.keys() & settings.keys():
            return Change(topic, "ok", "; ".join([*notes, _UNCHECKED]), led=led)
        wrong = {name: value for name, value in topic.config.items() if name in settings and settings[name] != value}
        if wrong:
            notes.insert(0, ", ".join(f"{name} {settings[name]} -> {value}" for name, value in sorted(wrong.items())))
        return Change(topic, "alter" if wrong else "ok", "; ".join(notes), wrong, led)

    def _create(self, topics: list[Topic]) -> None:
        if not topics:
            return
        wanted = [NewTopic(topic.name, topic.partitions, topic.replication, config=dict(topic.config)) for topic in topics]
        for name, answer in self._admin.create_topics(wanted, request_timeout=_REPLY_SECONDS).items():
            _settle(answer, f"{name} was not created", ignore=KafkaError.TOPIC_ALREADY_EXISTS)

    def _alter(self, changes: list[Change]) -> None:
        if not changes:
            return
        resources = [
            ConfigResource(
                ResourceType.TOPIC,
                change.topic.name,
                incremental_configs=[ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET) for name, value in (change.settings or {}).items()],
            )
            for change in changes
        ]
        for resource, answer in self._admin.incremental_alter_configs(resources, request_timeout=_REPLY_SECONDS).items():
            _settle(answer, f"{resource.name} was not altered")


def _settle(answer: Future[Any], what: str, ignore: int | None = None) -> None:
    try:
        answer.result(_REPLY_SECONDS + 1)
    except KafkaException as wrong:
        if wrong.args[0].code() != ignore:
            raise Failed(f"{what}: {_name(wrong)} ({wrong.args[0].str()})", "mend it and run fenghuo topics apply again; it goes on where it stopped") from None


def _name(wrong: KafkaException) -> str:
    return str(wrong.args[0].name())


def _numbers(values: set[int]) -> str:
    return " or ".join(map(str, sorted(values)))
