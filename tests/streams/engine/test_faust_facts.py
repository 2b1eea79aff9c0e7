"""Canaries: what the engine relies on in Faust and aiokafka, or works around. If one fails after an upgrade, read the engine again."""

from __future__ import annotations

import asyncio
import importlib.metadata
import inspect
from collections.abc import Iterator

import faust
import pytest
from aiokafka.consumer import fetcher  # type: ignore[import-untyped]
from aiokafka.consumer.subscription_state import TopicPartitionState  # type: ignore[import-untyped]
from aiokafka.record.default_records import DefaultRecordBatch, DefaultRecordBatchBuilder  # type: ignore[import-untyped]
from faust.transport import consumer
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from schemas.telemetry import Telemetry
from streams.engine.app import EngineApp, build_app
from streams.engine.consumer import FramedConsumer, FramedThread, Poll, Seen, reader_of
from streams.engine.frames import PolledFrame
from streams.engine.hub import Hub
from streams.engine.meter import Meter
from streams.engine.ports import Place
from streams.records import InputRecord
from streams.settings import WorkerSettings
from tests.streams.engine.counting import counting


def test_the_version_is_the_one_that_was_studied() -> None:
    assert importlib.metadata.version("faust-streaming") == "0.15.3"


def test_every_method_that_frames_replace_is_still_there() -> None:
    for name in ("_filter_tps_with_pending_acks", "_new_offset", "_should_commit", "_commit_offsets", "perform_seek", "_getmany"):
        assert inspect.signature(getattr(FramedConsumer, name)).parameters.keys() <= inspect.signature(getattr(driver.Consumer, name)).parameters.keys(), name
    for name in ("_create_worker_consumer", "_fetch_records", "_commit"):
        assert (
            inspect.signature(getattr(FramedThread, name)).parameters.keys()
            == inspect.signature(getattr(driver.AIOKafkaConsumerThread, name)).parameters.keys()
        )


def test_faust_takes_the_poll_from_a_getmany_that_ours_overrides() -> None:
    assert "self._fetch_records" in inspect.getsource(driver.AIOKafkaConsumerThread.getmany)
    assert "await self._getmany(" in inspect.getsource(consumer.Consumer._wait_next_records)


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


def test_a_parsed_record_has_all_that_a_lane_reads() -> None:
    """Lanes get what aiokafka's parser makes, not its ConsumerRecord: a method of the instance is set aside for that."""
    assert "consumer_record = self._consumer_record(tp, record)" in inspect.getsource(fetcher.PartitionRecords._unpack_records)
    assert not hasattr(fetcher.PartitionRecords, "__slots__")
    builder = DefaultRecordBatchBuilder(2, 0, 0, -1, -1, -1, 1_000)
    builder.append(0, 5, b"key", b"value", [("name", b"of it")])
    builder.append(1, 6, None, None, [])
    full, empty = DefaultRecordBatch(builder.build())
    assert (full.offset, full.timestamp, full.key, full.value, list(full.headers)) == (0, 5, b"key", b"value", [("name", b"of it")])
    assert (empty.offset, empty.timestamp, empty.key, empty.value, list(empty.headers)) == (1, 6, None, None, [])


def test_fetches_are_begun_by_the_method_that_keeps_the_pace() -> None:
    assert "self._proc_fetch_request(assignment, node_id, request)" in inspect.getsource(fetcher.Fetcher._fetch_requests_routine)
    assert list(inspect.signature(fetcher.Fetcher._proc_fetch_request).parameters) == ["self", "assignment", "node_id", "request"]


@pytest.fixture
def app() -> Iterator[EngineApp]:
    """Of a worker without a broker."""
    processor = counting("canary")
    hub = Hub(processor, WorkerSettings(), {"bootstrap.servers": "127.0.0.1:1", "log_level": 0}, True, Meter(Telemetry(), processor), lambda _reason: None)
    app = build_app(processor, WorkerSettings(), "127.0.0.1:1", {}, 30.0, hub)
    app.finalize()
    yield app
    hub.shut()


def test_frames_go_to_the_hub_and_nothing_is_left_for_faust(app: EngineApp, monkeypatch: pytest.MonkeyPatch) -> None:
    """What went through its streams would be noted, acknowledged and kept until a commit of its own."""
    reader, place = reader_of(app), Place("transactions", 0)
    frame = PolledFrame([InputRecord(0, 0, None, b"")], 0, 1, place)
    told: list[object] = []
    monkeypatch.setattr(reader.membership, "received", lambda *what: told.append(what))
    monkeypatch.setattr(reader.membership, "polled", told.append)

    async def taken(*_arguments: object) -> list[PolledFrame]:
        reader.note(Poll({place: Seen(1, 1)}, []))
        return [frame]

    monkeypatch.setattr(reader._thread, "getmany", taken)
    assert asyncio.run(reader._getmany(set(), 1.0)) == {}
    assert told == [(place, frame), Poll({place: Seen(1, 1)}, [])]
    reader.mark_done(place, 1)
    assert reader._new_offset(TP(*place)) == 1
    assert not reader._acked


def test_the_app_has_no_web_server_no_producer_and_one_agent(app: EngineApp) -> None:
    assert isinstance(app, faust.App)
    assert not app.conf.web_enabled
    assert list(app.boot_strategy.kafka_producer()) == []
    assert list(app.boot_strategy.web_server()) == []
    [agent] = app.agents.values()
    assert agent.concurrency == 1
    assert app.client_options["isolation_level"] == "read_committed"
    assert app.client_options["enable_auto_commit"] is False
