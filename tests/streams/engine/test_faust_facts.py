"""Canaries: what the engine relies on in Faust and aiokafka, or works around. If one fails after an upgrade, read the engine again."""

from __future__ import annotations

import importlib.metadata
import inspect
from collections.abc import Iterator

import faust
import pytest
from aiokafka.consumer import fetcher  # type: ignore[import-untyped]
from aiokafka.consumer.subscription_state import TopicPartitionState  # type: ignore[import-untyped]
from faust.transport import consumer
from faust.transport.drivers import aiokafka as driver
from faust.types import TP
from faust.types.tuples import ConsumerMessage

from schemas.telemetry import Telemetry
from streams.engine.app import EngineApp, build_app
from streams.engine.consumer import FramedConsumer, FramedThread, reader_of
from streams.engine.hub import Hub
from streams.engine.meter import Meter
from streams.engine.ports import Place
from streams.settings import WorkerSettings
from tests.streams.engine.counting import counting


def test_the_version_is_the_one_that_was_studied() -> None:
    assert importlib.metadata.version("faust-streaming") == "0.15.3"


def test_every_method_that_frames_replace_is_still_there() -> None:
    for name in ("_add_gap", "_filter_tps_with_pending_acks", "_new_offset", "_should_commit", "_commit_offsets", "perform_seek", "_getmany"):
        assert inspect.signature(getattr(FramedConsumer, name)).parameters.keys() <= inspect.signature(getattr(driver.Consumer, name)).parameters.keys(), name
    for name in ("_create_worker_consumer", "_fetch_records", "_commit"):
        assert (
            inspect.signature(getattr(FramedThread, name)).parameters.keys()
            == inspect.signature(getattr(driver.AIOKafkaConsumerThread, name)).parameters.keys()
        )


def test_faust_still_acknowledges_the_event_that_begins_a_gap() -> None:
    """ENGINE fact: a gap recorded by Faust includes the unacknowledged event before it, so its own commits would lose a frame."""
    source = inspect.getsource(consumer.Consumer._drain_messages)
    assert "_add_gap(tp, r_offset + 1, offset)" in source


def test_faust_takes_the_poll_from_a_getmany_that_ours_overrides() -> None:
    assert "self._fetch_records" in inspect.getsource(driver.AIOKafkaConsumerThread.getmany)
    assert "self.scheduler.iterate(records)" in inspect.getsource(consumer.Consumer.getmany)


def test_aiokafka_moves_a_position_only_when_records_are_handed_over() -> None:
    """The end of a partition is judged from position and last stable offset; both must mean what they meant."""
    assert "_update_position" in inspect.getsource(fetcher.FetchResult.getall)
    assert "tp_state.lso = lso" in inspect.getsource(fetcher.Fetcher._proc_fetch_request)
    for name in ("self.lso = None", "self._position = None"):
        assert name in inspect.getsource(TopicPartitionState.__init__)


def test_a_poll_without_waiting_does_not_yield_to_others() -> None:
    """Positions before and after a poll belong together only if nothing runs in between."""
    source = inspect.getsource(fetcher.Fetcher.fetched_records)
    before_return = source[: source.index("if drained or not timeout")]
    assert before_return.count("await ") == 1
    assert "await self._subscriptions.wait_for_assignment()" in before_return


@pytest.fixture
def app() -> Iterator[EngineApp]:
    """Of a worker without a broker."""
    processor = counting("canary")
    hub = Hub(processor, WorkerSettings(), {"bootstrap.servers": "127.0.0.1:1", "log_level": 0}, True, Meter(Telemetry(), processor), lambda _reason: None)
    app = build_app(processor, WorkerSettings(), "127.0.0.1:1", {}, 30.0, hub)
    app.finalize()
    yield app
    hub.shut()


def test_what_faust_notes_of_every_frame_is_dropped_at_the_next_commit(app: EngineApp) -> None:
    """Its own commits would empty these lists; they are not used here, and there are some twenty frames a second."""
    reader = reader_of(app)
    place = Place(*TP("transactions", 0))
    app.topics._acking_topics.add(place.topic)
    for offset in range(100):
        message = ConsumerMessage(place.topic, place.partition, offset, 0.0, 0, [], None, None, None, tp=TP(*place))
        reader.track_message(message)
        message.incref()
        message.ack(reader)
        reader.mark_done(place, offset + 1)
    assert len(reader._acked[TP(*place)]) == len(reader._acked_index[TP(*place)]) == 100
    assert reader._new_offset(TP(*place)) == 100
    assert not reader._acked
    assert not reader._acked_index


def test_the_app_has_no_web_server_no_producer_and_one_agent(app: EngineApp) -> None:
    assert isinstance(app, faust.App)
    assert not app.conf.web_enabled
    assert list(app.boot_strategy.kafka_producer()) == []
    assert list(app.boot_strategy.web_server()) == []
    [agent] = app.agents.values()
    assert agent.concurrency == 1
    assert app.client_options["isolation_level"] == "read_committed"
    assert app.client_options["enable_auto_commit"] is False
