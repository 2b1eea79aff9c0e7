"""The input file format: what is written is read back byte for byte, and a bad line is named by file and number."""

from __future__ import annotations

import base64
import gzip
import json
from pathlib import Path

import pytest
from confluent_kafka import Consumer, TopicPartition

from deploy.embedded.broker import EmbeddedBroker
from deploy.errors import UserError
from deploy.inputs import InputError, InputLine, InputRecord, InputWriter, read_inputs, tick, to_records
from deploy.publish_inputs import InputPublisher
from deploy.topic_plan import Topics
from schemas.connection import KafkaSettings
from schemas.topics import Registry, load_registry, partition_of


@pytest.fixture
def registry() -> Registry:
    return load_registry(partitions=4)


def written(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_a_line_becomes_a_record_in_the_partition_of_its_key(tmp_path: Path, registry: Registry) -> None:
    path = written(tmp_path / "f.jsonl", '{"topic":"transactions","key":"张-1","value":{"a" : 1.50}}', "", '{"topic":"crm.complaints","key":"c2","value":{}}')
    key = "张-1".encode()
    assert list(read_inputs([path], registry)) == [
        InputRecord("transactions", partition_of(key, 4), key, b'{"a" : 1.50}'),
        InputRecord("complaints", partition_of(b"c2", 4), b"c2", b"{}"),
    ]


def test_raw_values_and_tombstones_pass_byte_for_byte(tmp_path: Path, registry: Registry) -> None:
    bad = b"\xff\x00 not json"
    path = written(
        tmp_path / "f.jsonl",
        json.dumps({"topic": "customers", "key_raw": base64.b64encode(b"\xfe").decode(), "raw": base64.b64encode(bad).decode()}),
        '{"topic":"customers","key":"c1","value":null}',
        '{"topic":"customers","key":null,"value":"text"}',
    )
    records = list(read_inputs([path], registry))
    assert [(record.key, record.value) for record in records] == [(b"\xfe", bad), (b"c1", None), (None, b'"text"')]


def test_a_tick_goes_to_every_partition_with_an_id_of_its_own(tmp_path: Path, registry: Registry) -> None:
    with InputWriter(tmp_path / "f.jsonl") as writer:
        writer.write([tick("t1", "2025-01-01T00:00:00+08:00", "clock")])
    records = list(read_inputs([tmp_path / "f.jsonl"], registry))
    assert [(record.partition, record.key) for record in records] == [(number, str(number).encode()) for number in range(4)]
    values = [json.loads(record.value or b"") for record in records]
    assert [(value["event_id"], value["partition"]) for value in values] == [(f"t1-{number}", number) for number in range(4)]


def test_written_lines_are_read_as_they_would_be_published(tmp_path: Path, registry: Registry) -> None:
    lines = [InputLine("customers", 'a"b\\c', b'{"x":"\xe5\xbc\xa0"}'), tick("t", "2025-01-01T00:00:00Z", "s"), InputLine("transactions", "c", b"{}")]
    with InputWriter(tmp_path / "f.jsonl") as writer:
        writer.write(lines)
    assert list(read_inputs([tmp_path / "f.jsonl"], registry)) == list(to_records(lines, registry))


def test_a_packed_file_is_read(tmp_path: Path, registry: Registry) -> None:
    path = tmp_path / "f.jsonl.gz"
    path.write_bytes(gzip.compress(b'{"topic":"customers","key":"c","value":{}}\n'))
    assert len(list(read_inputs([path], registry))) == 1


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("{", "not JSON"),
        ('{"key":"c","value":{}}', "missing or of the wrong type"),
        ('{"topic":"alerts","key":"c","value":{}}', "unknown topic"),
        ('{"topic":"customers","key":5,"value":{}}', "missing or of the wrong type"),
        ('{"topic":"customers","key":"c"}', "neither value nor raw"),
        ('{"topic":"customers","key":"c","raw":"?"}', "base64"),
        ('{"topic":"ticks","key":null,"value":{}}', "event_id"),
    ],
)
def test_a_line_out_of_format_is_named_by_file_and_number(tmp_path: Path, registry: Registry, line: str, says: str) -> None:
    path = written(tmp_path / "f.jsonl", '{"topic":"customers","key":"c","value":{}}', line)
    with pytest.raises(InputError, match=rf"f\.jsonl:2: .*{says}"):
        list(read_inputs([path], registry))


def test_a_file_that_is_not_there_is_said_clearly(tmp_path: Path, registry: Registry) -> None:
    with pytest.raises(UserError, match="cannot read"):
        list(read_inputs([tmp_path / "none.jsonl"], registry))
    with pytest.raises(UserError, match="cannot write"):
        InputWriter(tmp_path / "no" / "such" / "folder")


def test_an_interrupted_run_leaves_no_half_written_file(tmp_path: Path) -> None:
    def interrupted() -> None:
        with InputWriter(tmp_path / "f.jsonl") as writer:
            writer.write([InputLine("customers", "c", b"{}")])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert not (tmp_path / "f.jsonl").exists()


@pytest.mark.embedded
def test_publishing_keeps_the_order_within_each_partition(tmp_path: Path, namespace: str) -> None:
    lines = [InputLine("customers", f"c{number % 50}", b'{"n":%d}' % number) for number in range(5000)]
    with EmbeddedBroker(tmp_path / "broker") as broker:
        kafka = KafkaSettings(bootstrap_servers=broker.bootstrap_servers, namespace=namespace)
        registry = kafka.registry()
        with pytest.raises(UserError, match="partitions"):
            InputPublisher(kafka, registry)
        topics = Topics(kafka)
        topics.apply(topics.plan())
        publisher = InputPublisher(kafka, registry)
        publisher.publish(to_records(lines, registry))
        assert publisher.finish() == len(lines)
        consumer = Consumer(kafka.client_config() | {"group.id": "test", "enable.auto.commit": False})
        consumer.assign([TopicPartition(registry.name("customers"), number, 0) for number in range(4)])
        got: dict[int, list[int]] = {number: [] for number in range(4)}
        while sum(map(len, got.values())) < len(lines):
            for message in consumer.consume(1000, 10.0):
                assert message.error() is None
                assert message.partition() == partition_of(message.key(), 4)
                got[message.partition()].append(json.loads(message.value())["n"])
        consumer.close()
    assert all(numbers == sorted(numbers) and numbers for numbers in got.values())
