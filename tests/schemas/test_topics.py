"""The registry says what every client and the broker are told; the partitioner agrees with Kafka's own."""

from __future__ import annotations

import pytest

from schemas.events import MODELS
from schemas.topics import load_registry, murmur2, partition_of

INPUTS = {
    "transaction": "crm.transactions",
    "complaint": "crm.complaints",
    "interaction": "crm.interactions",
    "customer": "crm.customers",
    "tick": "crm.ticks",
    "feedback": "crm.alert-feedback",
}


@pytest.mark.parametrize(
    ("key", "signed"),
    [  # from Apache Kafka's UtilsTest
        ("21", -973932308),
        ("foobar", -790332482),
        ("a-little-bit-long-string", -985981536),
        ("a-little-bit-longer-string", -1486304829),
        ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
        ("abc", 479470107),
    ],
)
def test_murmur2_is_kafkas(key: str, signed: int) -> None:
    assert murmur2(key.encode()) == signed % 2**32


def test_a_negative_hash_loses_its_sign_before_the_modulo() -> None:
    assert partition_of(b"foobar", 4) == (-790332482 & 0x7FFFFFFF) % 4
    assert all(0 <= partition_of(f"c{n}".encode(), 7) < 7 for n in range(1000))


def test_every_kind_of_event_has_one_input_topic() -> None:
    registry = load_registry()
    assert {kind: topic.name for kind, topic in registry.inputs.items()} == INPUTS
    assert registry.inputs.keys() == MODELS.keys()
    assert all(registry.kind_of(name) == kind for kind, name in INPUTS.items())


def test_only_inputs_have_a_kind() -> None:
    registry = load_registry()
    for topic in registry.topics:
        assert (topic.kind is not None) == (topic.role == "input")
    for name in ("crm.alerts", "transactions", "other.transactions"):
        with pytest.raises(KeyError):
            registry.kind_of(name)


def test_namespace_partitions_and_replication_reach_every_topic() -> None:
    registry = load_registry("t-1", partitions=12, replication=3)
    assert registry.name("alerts") == "t-1.alerts"
    assert {(topic.partitions, topic.replication) for topic in registry.topics} == {(12, 3)}
    assert {topic.config["min.insync.replicas"] for topic in registry.topics} == {"2"}
    assert {topic.config["min.insync.replicas"] for topic in load_registry().topics} == {"1"}


def test_state_and_profiles_are_compacted_and_nothing_else() -> None:
    compacted = {topic.short for topic in load_registry().topics if topic.config["cleanup.policy"] == "compact"}
    assert compacted == {"customers", "customer-changelog"}
    assert not any("retention.ms" in load_registry().topic(short).config for short in compacted)


def test_what_an_input_accepts_can_be_set_aside_with_its_headers() -> None:
    registry = load_registry()
    largest = max(int(topic.config["max.message.bytes"]) for topic in registry.inputs.values())
    for short in ("dead-letters", "late-events"):
        assert int(registry.topic(short).config["max.message.bytes"]) >= largest + 2**20


def test_history_loaded_today_is_not_past_its_retention() -> None:
    assert {topic.config["message.timestamp.type"] for topic in load_registry().topics} == {"LogAppendTime"}


@pytest.mark.parametrize("namespace", ["", "Crm", "a.b", "a_b", "a b", "crm\n"])
def test_a_namespace_that_would_make_a_bad_topic_name_is_refused(namespace: str) -> None:
    with pytest.raises(ValueError, match="namespace"):
        load_registry(namespace)


def test_counts_below_one_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        load_registry(partitions=0)
    with pytest.raises(ValueError, match="at least 1"):
        load_registry(replication=0)
