"""What is true of the broker before work starts: it answers, the topics are there, and whether its transactions are real.

Some brokers answer every transactional call and yet neither isolate nor fence. Names and versions do not tell them apart, so the
broker is tried: a producer that has been replaced under its own transactional id must be refused. Nothing is written to a topic.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from streams.engine.ports import Processor, Stopped

log = logging.getLogger("fenghuo.engine")

#: Being refused is what the trial is for: the client library's own log of it would only frighten.
_SILENT = logging.getLogger("fenghuo.engine.trial")
_SILENT.addHandler(logging.NullHandler())
_SILENT.propagate = False

FIRST_WAIT, LONGEST_WAIT = 0.5, 15.0


def wait_for_broker(client_config: Mapping[str, Any], stopping: Callable[[], bool], waiting: Callable[[str | None], None]) -> Any:
    """The cluster's metadata, however long the broker takes; None if ``stopping`` turns true first. ``waiting`` is told for what."""
    admin = AdminClient(dict(client_config) | {"log_level": 0})
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
    """Whether this broker fences: of two producers with one transactional id the older must be refused."""
    name = f"{processor.group}-probe-{uuid.uuid4().hex[:12]}"
    config = dict(client_config) | {"transactional.id": name, "transaction.timeout.ms": 10_000}
    consumer = Consumer(dict(client_config) | {"group.id": f"{processor.group}-probe", "enable.auto.commit": False, "log_level": 0})
    try:
        older, newer = Producer(config, logger=_SILENT), Producer(config, logger=_SILENT)
        older.init_transactions(15)
        newer.init_transactions(15)
        older.begin_transaction()
        place = TopicPartition(next(iter(processor.inputs)), 0, 0)
        older.send_offsets_to_transaction([place], consumer.consumer_group_metadata(), 15)
        older.commit_transaction(15)
    except KafkaException as error:
        cause = error.args[0]
        if cause.fatal() or cause.txn_requires_abort():
            return True
        log.info("the broker refuses transactions (%s)", cause.name())
        return False
    else:
        return False
    finally:
        consumer.close()
