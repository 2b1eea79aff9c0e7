"""The embedded broker comes up, serves Kafka clients, and never outlives who started it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import OFFSET_BEGINNING, Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from deploy.embedded import broker as module
from deploy.embedded.broker import EmbeddedBroker, find_binary
from deploy.embedded.ports import choose_port, is_free
from deploy.errors import UserError

pytestmark = pytest.mark.embedded


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedBroker]:
    with EmbeddedBroker(tmp_path_factory.mktemp("broker")) as running:
        yield running


def read_all(broker: EmbeddedBroker, topic: str) -> list[bytes | None]:
    consumer = Consumer({"bootstrap.servers": broker.bootstrap_servers, "group.id": "reader", "enable.partition.eof": True})
    consumer.assign([TopicPartition(topic, 0, OFFSET_BEGINNING)])
    values = []
    while True:
        for message in consumer.consume(1000, 1):
            if message.error():
                consumer.close()
                return values
            values.append(message.value())


def test_what_is_produced_is_consumed_in_order(broker: EmbeddedBroker) -> None:
    admin = AdminClient({"bootstrap.servers": broker.bootstrap_servers})
    admin.create_topics([NewTopic("plain", 1, 1)])["plain"].result(10)
    producer = Producer({"bootstrap.servers": broker.bootstrap_servers, "enable.idempotence": True})
    for number in range(5000):
        producer.produce("plain", str(number).encode(), partition=0)
    assert producer.flush(30) == 0
    assert read_all(broker, "plain") == [str(number).encode() for number in range(5000)]


def test_a_ten_megabyte_record_passes(broker: EmbeddedBroker) -> None:
    admin = AdminClient({"bootstrap.servers": broker.bootstrap_servers})
    admin.create_topics([NewTopic("big", 1, 1, config={"max.message.bytes": str(16 << 20)})])["big"].result(10)
    producer = Producer({"bootstrap.servers": broker.bootstrap_servers, "message.max.bytes": 18 << 20})
    value = os.urandom(10_000_000)
    producer.produce("big", value, partition=0)
    assert producer.flush(30) == 0
    assert read_all(broker, "big") == [value]


def test_a_second_broker_takes_another_port_and_says_so(broker: EmbeddedBroker, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    taken = broker.port
    with socket.socket() as holder:  # the default port is taken, whoever runs beside this test
        if is_free(module.DEFAULT_PORT):
            holder.bind(("127.0.0.1", module.DEFAULT_PORT))
            holder.listen()
        with EmbeddedBroker(tmp_path) as second:
            assert second.port not in (taken, module.DEFAULT_PORT)
            assert f"port {module.DEFAULT_PORT} is taken: the embedded broker listens on {second.port}" in caplog.text


def test_a_port_that_was_asked_for_is_not_exchanged(broker: EmbeddedBroker, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=f"port {broker.port} for the embedded broker is taken"):
        EmbeddedBroker(tmp_path, broker.port).start()


def test_stopping_frees_the_port_and_can_be_repeated(tmp_path: Path) -> None:
    broker = EmbeddedBroker(tmp_path)
    broker.start()
    broker.stop()
    broker.stop()
    assert not broker.alive()
    assert is_free(broker.port)


def test_the_broker_ends_when_its_owner_is_killed(tmp_path: Path) -> None:
    script = (
        "import pathlib, sys, time\nfrom deploy.embedded.broker import EmbeddedBroker\n"
        "broker = EmbeddedBroker(pathlib.Path(sys.argv[1]))\nbroker.start()\nprint(broker.port, flush=True)\ntime.sleep(60)"
    )
    owner = subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE)
    assert owner.stdout is not None
    port = int(owner.stdout.readline())
    assert not is_free(port)
    owner.send_signal(signal.SIGKILL)
    owner.wait()
    deadline = time.monotonic() + 10
    while not is_free(port) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert is_free(port)


def test_a_platform_without_the_binary_is_told_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(UserError, match="FENGHUO_KAFKA__BOOTSTRAP_SERVERS"):
        find_binary()


def test_no_free_port_is_one_clear_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deploy.embedded.ports.is_free", lambda _: False)
    with pytest.raises(UserError, match="no free port between 7000 and 7049 for the test"):
        choose_port(None, 7000, "test")
