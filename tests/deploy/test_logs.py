"""Logs are lines for people or objects for machines, and hold neither secrets nor events."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest
from pydantic import BaseModel, ValidationError

from deploy.logs import configure_logs
from deploy.settings import LogSettings, load_settings

log = logging.getLogger("streams.engine")


@pytest.fixture(autouse=True)
def root_restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


def lines(format: str, level: str = "info", **secrets: str) -> io.StringIO:
    stream = io.StringIO()
    configure_logs(LogSettings.model_validate({"format": format, "level": level}), load_settings(secrets), stream)
    return stream


def test_a_machine_gets_one_object_a_line_with_its_fields() -> None:
    stream = lines("auto")
    log.warning("late by %d s", 3, extra={"partition": 2})
    [line] = stream.getvalue().splitlines()
    entry = json.loads(line)
    assert entry.pop("time").endswith("+00:00")
    assert entry == {"level": "warning", "logger": "streams.engine", "message": "late by 3 s", "partition": 2}


def test_a_person_gets_a_line() -> None:
    stream = lines("human")
    log.info("ready", extra={"partition": 2})
    log.error("gone")
    first, second = stream.getvalue().splitlines()
    assert first.endswith(" streams.engine: ready partition=2")
    assert " ERROR streams.engine: gone" in second


def test_the_level_is_kept() -> None:
    stream = lines("json", "warning")
    log.info("not news")
    assert stream.getvalue() == ""


@pytest.mark.parametrize("format", ["human", "json"])
def test_secrets_never_appear(format: str) -> None:
    stream = lines(format, FENGHUO_CLICKHOUSE__PASSWORD="hunter2secret")
    log.info("connecting with hunter2secret")
    log.info("sasl.password=abc123 at https://me:pw99@host/path", extra={"config": "token: t0k3n"})
    try:
        raise ValueError("hunter2secret")
    except ValueError:
        log.exception("failed")
    for secret in ("hunter2secret", "abc123", "pw99", "t0k3n"):
        assert secret not in stream.getvalue()
    assert "host/path" in stream.getvalue()


class Event(BaseModel):
    amount: int


@pytest.mark.parametrize("format", ["human", "json"])
def test_a_validation_error_is_logged_without_the_value(format: str) -> None:
    stream = lines(format)
    try:
        Event.model_validate_json(b'{"amount": "\xe5\xbc\xa0\xe4\xbc\x9f owes 500"}')
    except ValidationError:
        log.exception("refused")
    assert "张伟" not in stream.getvalue()
    assert "amount: int_parsing" in stream.getvalue()
