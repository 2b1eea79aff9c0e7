"""The connection settings reach every client, keep their secrets, and let nothing unsafe through."""

from __future__ import annotations

import confluent_kafka
import pytest
from confluent_kafka.admin import AdminClient
from pydantic import ValidationError

from schemas.connection import KafkaSettings


def test_the_defaults_need_no_environment() -> None:
    settings = KafkaSettings()
    assert settings.client_config()["bootstrap.servers"] == "127.0.0.1:9092"
    assert settings.registry().name("alerts") == "crm.alerts"


def test_every_client_takes_the_configuration() -> None:
    settings = KafkaSettings(security={"security.protocol": "sasl_plaintext", "sasl.mechanism": "PLAIN", "sasl.username": "u", "sasl.password": "hush"})
    common = settings.client_config()
    confluent_kafka.Producer(common)
    confluent_kafka.Consumer({**common, "group.id": "g"}).close()
    AdminClient(common)


def test_secrets_do_not_show() -> None:
    settings = KafkaSettings(security={"sasl.password": "hush"})
    assert settings.client_config()["sasl.password"] == "hush"
    assert "hush" not in f"{settings!r} {settings} {settings.model_dump_json()}"


@pytest.mark.parametrize("name", ["acks", "enable.idempotence", "isolation.level", "enable.auto.commit", "bootstrap.servers"])
def test_what_makes_delivery_safe_cannot_be_switched_off(name: str) -> None:
    with pytest.raises(ValidationError, match="no security setting"):
        KafkaSettings(security={name: "0"})


@pytest.mark.parametrize(
    "wrong", [{"bootstrap_servers": "localhost"}, {"bootstrap_servers": ""}, {"namespace": "a.b"}, {"partitions": 0}, {"acks": "0"}], ids=str
)
def test_what_cannot_work_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        KafkaSettings.model_validate(wrong)
