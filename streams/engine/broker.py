"""What is true of the broker before work starts: it answers, the topics are there, and whether its transactions are real.

Some brokers answer every transactional call and yet neither isolate nor fence. Names and versions do not tell them apart, so the
broker is tried: what a rolled-back transaction wrote must not be seen.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from streams.engine.ports import Processor, Stopped
from streams.engine.quiet import CLIENT_LOG

log = logging.getLogger("fenghuo.engine")

FIRST_WAIT, LONGEST_WAIT = 0.5, 15.0
TRIAL_SECONDS = 15.0
TRIAL_KEY = b"\x00trial"


def wait_for_broker(client_config: Mapping[str, Any], stopping: Callable[[], bool], waiting: Callable[[str | None], None]) -> Any:
    """The cluster's metadata, however long the broker takes; None if ``stopping`` turns true first. ``waiting`` is told for what."""
    admin = AdminClient(dict(client_config), logger=CLIENT_LOG)
    wait = FIRST_WAIT
    while not stopping():
        try:
            metadata = admin.list_topics(timeout=3)
        except KafkaException as error:
            waiting(f"kafka {client_config['bootstrap.servers']}")
            log.warning("kafka does not answer (%s), trying again in %.1f s", error.args[0].name(), wait)
            until = time.monotonic() + wait
            while time.monotonic() < until and not stopping():
                time.sleep(0.1)
            wait = min(wait * 2, LONGEST_WAIT)
        else:
            waiting(None)
            return metadata
    return None


def check_topics(metadata: Any, processor: Processor, outputs: list[str]) -> None:
    """Raises Stopped (configuration) when a topic is missing or has another partition count than the settings say."""
    for name in [*processor.inputs, processor.changelog, *outputs]:
        topic = metadata.topics.get(name)
        if topic is None:
            raise Stopped(f"topic {name} does not exist; make the topics with: fenghuo topics apply", code=2)
        if len(topic.partitions) != processor.partitions:
            raise Stopped(
                f"topic {name} has {len(topic.partitions)} partitions, the settings say {processor.partitions}; set FENGHUO_KAFKA__PARTITIONS to match", code=2
            )


def has_transactions(client_config: Mapping[str, Any], processor: Processor) -> bool:
    """Whether this broker isolates: a record whose transaction was rolled back must stay invisible to a read_committed reader.

    The record is a deletion of a key that no state has, in the changelog that only workers read: visible, it does no harm.
    Raises Stopped when the broker goes away meanwhile.
    """
    name = f"{processor.group}-trial-{uuid.uuid4().hex[:12]}"
    producer = Producer(dict(client_config) | {"transactional.id": name, "transaction.timeout.ms": 10_000}, logger=CLIENT_LOG)
    offsets: list[int | None] = []
    try:
        producer.init_transactions(TRIAL_SECONDS)
        producer.begin_transaction()
        producer.produce(processor.changelog, None, TRIAL_KEY, 0, on_delivery=lambda error, message: offsets.append(None if error else message.offset()))
        producer.flush(TRIAL_SECONDS)
        producer.abort_transaction(TRIAL_SECONDS)
    except KafkaException as error:
        log.info("the broker refuses transactions (%s)", error.args[0].name())
        return False
    if not offsets or offsets[0] is None:
        raise Stopped(f"kafka did not take a trial record into {processor.changelog}[0]: {'no answer' if not offsets else 'refused'}")
    return not _is_visible(client_config, processor, offsets[0])


def _is_visible(client_config: Mapping[str, Any], processor: Processor, offset: int) -> bool:
    settings = {"group.id": f"{processor.group}-trial", "enable.auto.commit": False, "isolation.level": "read_committed", "enable.partition.eof": True}
    consumer = Consumer(dict(client_config) | settings, logger=CLIENT_LOG)
    try:
        consumer.assign([TopicPartition(processor.changelog, 0, offset)])
        deadline = time.monotonic() + TRIAL_SECONDS
        while time.monotonic() < deadline:
            message = consumer.poll(0.1)
            if message is None:
                continue
            error = message.error()
            if error is None:
                return message.offset() == offset
            if error.code() == KafkaError._PARTITION_EOF:  # whether beyond the record or held back before it: it is not shown
                return False
    finally:
        consumer.close()
    raise Stopped(f"kafka did not answer in {TRIAL_SECONDS:.0f} s reading {processor.changelog}[0]")
