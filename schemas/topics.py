"""The topic registry: names, keys, partitions and settings as data (``topics.yaml``), and where a key goes.

Everything that touches a topic asks here, so that no name and no partition count is written twice.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Final, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict

from schemas.events.envelope import EventKind

Role = Literal["input", "output", "internal"]

_FILE: Final = Path(__file__).with_name("topics.yaml")
_NAMESPACE: Final = re.compile(r"[a-z0-9-]{1,100}")


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic. ``key`` and ``value`` say what records hold; ``config`` is what the broker is told, as the broker spells it."""

    short: str
    name: str
    role: Role
    kind: EventKind | None
    partitions: int
    replication: int
    config: Mapping[str, str]
    key: str
    value: str
    description: str


@dataclass(frozen=True)
class Registry:
    """All topics of one namespace, all with the same partition count."""

    namespace: str
    partitions: int
    topics: tuple[Topic, ...]
    inputs: Mapping[EventKind, Topic] = field(init=False)
    _by_short: Mapping[str, Topic] = field(init=False, repr=False, compare=False)
    _kinds: Mapping[str, EventKind] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        inputs = {topic.kind: topic for topic in self.topics if topic.kind is not None}
        object.__setattr__(self, "inputs", MappingProxyType(inputs))
        object.__setattr__(self, "_by_short", {topic.short: topic for topic in self.topics})
        object.__setattr__(self, "_kinds", {topic.name: kind for kind, topic in inputs.items()})

    def topic(self, short: str) -> Topic:
        """The topic of a short name (``alerts``). Raises KeyError for one that is not in the registry."""
        return self._by_short[short]

    def name(self, short: str) -> str:
        """The full name (``crm.alerts``) of a short one. Raises KeyError."""
        return self._by_short[short].name

    def kind_of(self, topic_name: str) -> EventKind:
        """The kind of event that an input topic of this full name carries. Raises KeyError for any other topic."""
        return self._kinds[topic_name]


def _as_broker_text(value: object) -> object:
    return value if isinstance(value, str) else str(value)


_Config = dict[str, Annotated[str, BeforeValidator(_as_broker_text)]]


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    short: str
    role: Role
    kind: EventKind | None = None
    key: str
    value: str
    description: str
    config: _Config = {}


class _Declaration(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    defaults: _Config
    topics: tuple[_Entry, ...]


_DECLARATION: Final = _Declaration.model_validate(yaml.safe_load(_FILE.read_text(encoding="utf-8")))


def load_registry(namespace: str = "crm", partitions: int = 4, replication: int = 1) -> Registry:
    """The registry of one installation.

    ``min.insync.replicas`` follows from ``replication``: one replica may be lost without stopping writers.
    Raises ValueError for a namespace that is not ``[a-z0-9-]+`` or counts below 1.
    """
    if not _NAMESPACE.fullmatch(namespace):
        raise ValueError("kafka namespace must be 1 to 100 of a-z, 0-9 and '-' (it stands before the dot in every topic name)")
    if partitions < 1 or replication < 1:
        raise ValueError("kafka partitions and replication must be at least 1")
    shared = _DECLARATION.defaults | {"min.insync.replicas": str(max(1, replication - 1))}
    return Registry(
        namespace,
        partitions,
        tuple(
            Topic(
                short=entry.short,
                name=f"{namespace}.{entry.short}",
                role=entry.role,
                kind=entry.kind,
                partitions=partitions,
                replication=replication,
                config=_settings(shared | entry.config),
                key=entry.key,
                value=entry.value,
                description=entry.description,
            )
            for entry in _DECLARATION.topics
        ),
    )


def _settings(config: dict[str, str]) -> Mapping[str, str]:
    """A compacted topic keeps its records for ever: time-based retention does not apply and is left out."""
    if config["cleanup.policy"] == "compact":
        config.pop("retention.ms")
    return MappingProxyType(config)


def partition_of(key: bytes, partitions: int) -> int:
    """The partition that Kafka's own default partitioner (Java murmur2) gives a key, so that any producer agrees with ours."""
    return (murmur2(key) & 0x7FFFFFFF) % partitions


def murmur2(data: bytes) -> int:
    """Kafka's 32-bit murmur2, unsigned."""
    mixer = 0x5BD1E995
    length = len(data)
    value = 0x9747B28C ^ length
    whole = length & ~3
    for start in range(0, whole, 4):
        word = int.from_bytes(data[start : start + 4], "little") * mixer & 0xFFFFFFFF
        word = (word ^ word >> 24) * mixer & 0xFFFFFFFF
        value = value * mixer & 0xFFFFFFFF ^ word
    if length > whole:
        value = (value ^ int.from_bytes(data[whole:], "little")) * mixer & 0xFFFFFFFF
    value = (value ^ value >> 13) * mixer & 0xFFFFFFFF
    return value ^ value >> 15
