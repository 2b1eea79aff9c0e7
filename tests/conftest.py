"""What tests share: a real Kafka for the whole session, and a namespace of its own for each test that asks."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest

from deploy.real_kafka.cluster import Cluster, Unavailable


@pytest.fixture(scope="session")
def kafka() -> Iterator[str]:
    """Bootstrap servers of a real Apache Kafka 4.1 started for this session; skips, saying why, where there is no Java or Maven."""
    try:
        cluster = Cluster()
    except Unavailable as missing:
        pytest.skip(str(missing))
    with cluster:
        yield cluster.bootstrap_servers


@pytest.fixture
def namespace() -> str:
    """A namespace that no other test uses, so that all can share a broker."""
    return f"t-{uuid.uuid4().hex[:10]}"
