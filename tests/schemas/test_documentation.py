"""The page for upstream teams says what the models say, and its example runs as printed."""

from __future__ import annotations

import re
from pathlib import Path

import confluent_kafka
import pytest

from deploy.documentation import PARTS, ROOT, with_part
from schemas.codec import decode
from schemas.connection import KafkaSettings

PAGE = Path(ROOT / "docs/events.md")


@pytest.mark.parametrize(("name", "render"), [(name, render) for path, name, render in PARTS if path == "docs/events.md"])
def test_a_generated_table_is_what_the_models_say(name: str, render: object) -> None:
    assert callable(render)
    page = PAGE.read_text(encoding="utf-8")
    assert with_part(page, name, render()) == page, "python -m deploy.documentation"


def test_the_publisher_example_runs(capsys: pytest.CaptureFixture[str]) -> None:
    owner = confluent_kafka.Producer({"test.mock.num.brokers": 1, "bootstrap.servers": "unused"})
    [broker] = owner.list_topics(timeout=10).brokers.values()
    [example] = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    address = f"{broker.host}:{broker.port}"
    exec(compile(example.replace("127.0.0.1:9092", address), str(PAGE), "exec"), {})
    topic, partition, offset = capsys.readouterr().out.split()
    assert (topic, offset) == ("crm.transactions", "0")

    settings = KafkaSettings(bootstrap_servers=address)
    consumer = confluent_kafka.Consumer({**settings.client_config(), "group.id": "reader"})
    consumer.assign([confluent_kafka.TopicPartition(topic, int(partition), 0)])
    [record] = consumer.consume(1, 10)
    consumer.close()
    assert decode("transaction", record.key(), record.value()).model_extra == {"ledger": {"batch": "B7"}}
