"""Settings come from the environment, unknown ones are refused, secrets are never shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy.errors import ExitCode, UserError
from deploy.settings import Settings, declared_settings, effective, load_settings


def test_the_defaults_need_no_environment() -> None:
    assert load_settings({}) == Settings()
    assert load_settings({"PATH": "/bin", "FENGHUO_DATA": "/data"}) == Settings()


def test_a_variable_sets_its_setting() -> None:
    settings = load_settings({"FENGHUO_KAFKA__BOOTSTRAP_SERVERS": "a:9092,b:9092", "FENGHUO_WORKER__FRAME_EVENTS": "500", "FENGHUO_PROBES__ENABLED": "false"})
    assert settings.kafka.bootstrap_servers == "a:9092,b:9092"
    assert settings.worker.frame_events == 500
    assert settings.probes.enabled is False


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("FENGHUO_KAFKA__BOOTSTRAP_SERVER", "FENGHUO_KAFKA__BOOTSTRAP_SERVERS"),
        ("FENGHUO_CLICKHOUSE_PASSWORD", "FENGHUO_CLICKHOUSE__PASSWORD"),
        ("FENGHUO_LOG__LEVELS", "FENGHUO_LOG__LEVEL"),
        ("FENGHUO_KAFKA__PARTITIONS_FILES", "FENGHUO_KAFKA__PARTITIONS"),
    ],
)
def test_an_unknown_variable_is_refused_with_the_nearest_known_one(name: str, nearest: str) -> None:
    with pytest.raises(UserError) as caught:
        load_settings({name: "x"})
    assert caught.value.message == f"unknown setting {name}"
    assert caught.value.hint == f"did you mean {nearest}?"
    assert caught.value.exit_code is ExitCode.USAGE


def test_a_value_that_does_not_fit_is_named_but_not_repeated() -> None:
    with pytest.raises(UserError) as caught:
        load_settings({"FENGHUO_PROBES__PORT": "s3cret", "FENGHUO_LOG__LEVEL": "loud"})
    assert "FENGHUO_PROBES__PORT" in str(caught.value)
    assert "FENGHUO_LOG__LEVEL" in str(caught.value)
    assert "s3cret" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_secret_is_read_from_a_file_without_its_line_end(tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text("hunter2\n", encoding="utf-8")
    settings = load_settings({"FENGHUO_CLICKHOUSE__PASSWORD_FILE": str(secret), "FENGHUO_KAFKA__SECURITY__SASL_PASSWORD_FILE": str(secret)})
    assert settings.clickhouse.password.get_secret_value() == "hunter2"
    assert settings.kafka.security["sasl.password"].get_secret_value() == "hunter2"
    assert "hunter2" not in str(effective(settings)) + repr(settings)


def test_a_missing_secret_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"FENGHUO_CLICKHOUSE__PASSWORD_FILE: cannot read .*: No such file"):
        load_settings({"FENGHUO_CLICKHOUSE__PASSWORD_FILE": str(tmp_path / "absent")})


def test_a_value_and_a_file_for_the_same_setting_are_refused(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("b", encoding="utf-8")
    with pytest.raises(UserError, match="both set the same thing"):
        load_settings({"FENGHUO_CLICKHOUSE__PASSWORD": "a", "FENGHUO_CLICKHOUSE__PASSWORD_FILE": str(tmp_path / "password")})


def test_kafka_security_passes_through_by_entry_or_as_json() -> None:
    by_entry = load_settings({"FENGHUO_KAFKA__SECURITY__SECURITY_PROTOCOL": "SASL_SSL", "FENGHUO_KAFKA__SECURITY__SASL_MECHANISM": "PLAIN"})
    as_json = load_settings({"FENGHUO_KAFKA__SECURITY": '{"security.protocol": "SASL_SSL", "sasl.mechanism": "PLAIN"}'})
    assert by_entry == as_json
    assert by_entry.kafka.client_config()["security.protocol"] == "SASL_SSL"


def test_what_is_no_security_setting_does_not_pass() -> None:
    with pytest.raises(UserError, match="FENGHUO_KAFKA__SECURITY"):
        load_settings({"FENGHUO_KAFKA__SECURITY__ACKS": "0"})
    with pytest.raises(UserError, match="FENGHUO_KAFKA__SECURITY: not JSON"):
        load_settings({"FENGHUO_KAFKA__SECURITY": "acks=0"})


def test_every_setting_says_what_it_means() -> None:
    assert [declared.variable for declared in declared_settings() if not declared.field.description] == []
