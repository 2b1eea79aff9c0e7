"""The jobs that run on the engine. A further one is a lane, its input topics and a changelog; nothing in the engine changes."""

from __future__ import annotations

from alerting.pack import Pack
from schemas.topics import Registry
from streams.engine.ports import Processor
from streams.lane import Lane


def customer_processor(registry: Registry, pack: Pack) -> Processor:
    """Running metrics and warnings per customer, from all six inputs."""
    return Processor(
        name="customer",
        namespace=registry.namespace,
        partitions=registry.partitions,
        inputs={topic.name: kind for kind, topic in registry.inputs.items()},
        changelog=registry.name("customer-changelog"),
        topic_name=registry.name,
        lane_factory=lambda number, states: Lane(number, registry, pack, states),
    )
