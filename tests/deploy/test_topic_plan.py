"""``fenghuo topics`` against brokers: creates what is missing, mends settings, and never touches a partition count."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import pytest
import typer
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, NewTopic, ResourceType
from typer.testing import CliRunner, Result

from deploy.commands import topics as command
from deploy.embedded.broker import EmbeddedBroker
from deploy.errors import DependencyLost, Failed
from schemas.topics import load_registry


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with EmbeddedBroker(tmp_path_factory.mktemp("broker")) as running:
        yield running.bootstrap_servers


@pytest.fixture(params=[pytest.param("embedded", marks=pytest.mark.embedded), pytest.param("kafka", marks=pytest.mark.kafka)])
def servers(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue(request.param))


class Program:
    """The command against one broker and namespace."""

    def __init__(self, servers: str, namespace: str) -> None:
        self._app = typer.Typer()
        command.register(self._app)
        self._environment = {"FENGHUO_KAFKA__BOOTSTRAP_SERVERS": servers, "FENGHUO_KAFKA__NAMESPACE": namespace}

    def run(self, *words: str, **settings: str) -> Result:
        return CliRunner().invoke(self._app, ["topics", *words], env=self._environment | settings)

    def actions(self) -> dict[str, str]:
        return {each["topic"]: each["action"] for each in json.loads(self.run("plan", "--json").output)["topics"]}


@pytest.fixture
def program(servers: str, namespace: str) -> Program:
    return Program(servers, namespace)


def test_missing_topics_are_created_once(program: Program, servers: str, namespace: str) -> None:
    registry = load_registry(namespace)
    assert program.actions() == {topic.name: "create" for topic in registry.topics}
    assert program.run("plan").exit_code == 1

    assert program.run("apply", "--dry-run").exit_code == 0
    assert set(program.actions().values()) == {"create"}

    applied = program.run("apply")
    assert applied.exit_code == 0, applied.output
    assert applied.output.count("created ") == len(registry.topics)
    assert set(program.actions().values()) == {"ok"}
    assert program.run("plan").exit_code == 0
    assert "created" not in program.run("apply").output

    admin = AdminClient({"bootstrap.servers": servers})
    found = admin.list_topics(timeout=10).topics
    assert {len(found[topic.name].partitions) for topic in registry.topics} == {4}


def test_another_partition_count_is_told_and_left_alone(program: Program, servers: str, namespace: str) -> None:
    admin = AdminClient({"bootstrap.servers": servers})
    for future in admin.create_topics([NewTopic(f"{namespace}.ticks", 2, 1)]).values():
        future.result(10)
    applied = program.run("apply")
    assert applied.exit_code == 1
    assert f"drift    {namespace}.ticks" in applied.output
    assert "has 2 partitions, not 4" in applied.output
    actions = program.actions()
    assert actions.pop(f"{namespace}.ticks") == "drift"
    assert set(actions.values()) == {"ok"}


@pytest.mark.kafka
def test_a_setting_that_was_changed_is_set_back(kafka: str, namespace: str) -> None:
    program = Program(kafka, namespace)
    program.run("apply")
    changed = ConfigResource(
        ResourceType.TOPIC,
        f"{namespace}.alerts",
        incremental_configs=[ConfigEntry("retention.ms", "5000", incremental_operation=AlterConfigOpType.SET)],
    )
    admin = AdminClient({"bootstrap.servers": kafka})
    for future in admin.incremental_alter_configs([changed]).values():
        future.result(10)
    until = time.monotonic() + 10
    while f"alter    {namespace}.alerts" not in program.run("plan").output:
        assert time.monotonic() < until
    assert "retention.ms 5000 -> 31536000000" in program.run("apply").output
    assert set(program.actions().values()) == {"ok"}


@pytest.mark.kafka
def test_what_the_broker_refuses_is_said(kafka: str, namespace: str) -> None:
    refused = Program(kafka, namespace).run("apply", FENGHUO_KAFKA__REPLICATION="3")
    assert isinstance(refused.exception, Failed)
    assert "INVALID_REPLICATION_FACTOR" in refused.exception.message


def test_no_broker_is_one_clear_error(monkeypatch: pytest.MonkeyPatch, namespace: str) -> None:
    monkeypatch.setattr("deploy.topic_plan._REPLY_SECONDS", 1.0)
    lost = Program("127.0.0.1:1", namespace).run("plan")
    assert isinstance(lost.exception, DependencyLost)
    assert "127.0.0.1:1 does not answer" in lost.exception.message
