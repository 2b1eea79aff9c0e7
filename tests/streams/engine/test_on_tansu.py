"""The engine on the embedded broker: no transactions, wrong ListOffsets ends, and still exact state."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from deploy.embedded.broker import EmbeddedBroker
from deploy.errors import UserError
from streams.engine.broker import has_transactions
from tests.streams.engine.counting import PARTITION_RECORD, counting, create_topics, fill, read_all, state_of, total_of, worker

pytestmark = pytest.mark.embedded


@pytest.fixture(scope="module")
def tansu(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    broker = EmbeddedBroker(tmp_path_factory.mktemp("tansu"))
    try:
        broker.start()
    except UserError as missing:
        pytest.skip(str(missing))
    yield broker.bootstrap_servers
    broker.stop()


def test_knows_that_this_broker_does_not_isolate(tansu: str, namespace: str) -> None:
    processor = counting(namespace)
    create_topics(tansu, processor)
    assert not has_transactions({"bootstrap.servers": tansu}, processor)


def test_counts_every_record_once_in_one_order_and_goes_on_where_it_stopped(tansu: str, namespace: str) -> None:
    processor = counting(namespace, "abc")
    create_topics(tansu, processor)
    fill(tansu, processor, "a", range(1, 20_001))
    fill(tansu, processor, "b", range(5_000, 5_400))
    assert worker(tansu, processor, rebalance_timeout_seconds=3).run() == 0
    fill(tansu, processor, "a", range(20_001, 20_101))
    assert worker(tansu, processor, rebalance_timeout_seconds=3).run() == 0
    states = state_of(tansu, processor)
    assert total_of(states) == 20_500
    assert [by_key[PARTITION_RECORD]["out_of_order"] for by_key in states.values()] == [0, 0, 0, 0]
    outputs = [(number, key) for number, key, _ in read_all(tansu, processor.topic_name("seen"), 4)]
    assert len(outputs) == len(set(outputs)) == 20_500
