"""How a process writes its log: lines for people on a terminal, one JSON object a line elsewhere, and never a secret or an event's value."""

from __future__ import annotations

import json
import logging
import re
import sys
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, TextIO

from pydantic import BaseModel, SecretStr, ValidationError

from deploy.settings import LogSettings, Settings

HIDDEN = "**********"
#: Talkative libraries, with the least level that is news.
QUIET = {"uvicorn": logging.WARNING, "aiokafka": logging.WARNING, "clickhouse_connect": logging.WARNING, "asyncio": logging.WARNING, "urllib3": logging.WARNING}

_PASSWORDS = re.compile(r"(?i)((?:password|secret|token|authorization)\w*[\"']?\s*[=:]\s*[\"']?)[^\s\"',;&}]+|(?<=://)[^/\s:@]+:[^/\s@]+(?=@)")
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}


def configure_logs(settings: LogSettings, secrets: Settings | None = None, stream: TextIO | None = None) -> None:
    """Send every log record of the process to standard error in the format set. The secrets of ``secrets`` never appear."""
    stream = sys.stderr if stream is None else stream
    human = settings.format == "human" or (settings.format == "auto" and stream.isatty())
    handler = logging.StreamHandler(stream)
    hidden = tuple(secret for secret in _secrets_of(secrets) if len(secret) > 3) if secrets else ()
    handler.setFormatter(HumanFormatter(hidden) if human else JsonFormatter(hidden))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.level.upper())
    for name, level in QUIET.items():
        logging.getLogger(name).setLevel(max(level, root.level))


class _Redacting(logging.Formatter):
    """What both formats share: no secrets, no values of events, nothing on several lines but a trace."""

    def __init__(self, hidden: tuple[str, ...]) -> None:
        super().__init__()
        self._hidden = hidden

    def clean(self, text: str) -> str:
        for secret in self._hidden:
            text = text.replace(secret, HIDDEN)
        return _PASSWORDS.sub(lambda found: f"{found[1] or ''}{HIDDEN}", text)

    def trace(self, record: logging.LogRecord) -> str:
        """Where it happened and of which class. Of a validation error, which repeats the value, only the fields and codes."""
        if not record.exc_info or record.exc_info[1] is None:
            return ""
        error = record.exc_info[1]
        frames = "".join(traceback.format_tb(error.__traceback__))
        return self.clean(f"{frames}{type(error).__name__}: {_message_of(error)}")


class HumanFormatter(_Redacting):
    """``22:01:03 WARNING deploy.embedded.ports: port 9092 is taken``."""

    def format(self, record: logging.LogRecord) -> str:
        moment = datetime.fromtimestamp(record.created).astimezone()
        level = "" if record.levelno == logging.INFO else f"{record.levelname} "
        extra = "".join(f" {name}={value}" for name, value in _extra(record).items())
        trace = self.trace(record)
        return self.clean(f"{moment:%H:%M:%S} {level}{record.name}: {record.getMessage()}{extra}") + (f"\n{trace}" if trace else "")


class JsonFormatter(_Redacting):
    """One object a line: time (UTC), level, logger, message, the record's extra fields, and ``trace`` of an exception."""

    def format(self, record: logging.LogRecord) -> str:
        moment = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line: dict[str, Any] = {"time": moment, "level": record.levelname.lower(), "logger": record.name, "message": self.clean(record.getMessage())}
        line |= {name: self.clean(value) if isinstance(value, str) else value for name, value in _extra(record).items()}
        if trace := self.trace(record):
            line["trace"] = trace
        return json.dumps(line, ensure_ascii=False, default=str)


def _extra(record: logging.LogRecord) -> dict[str, Any]:
    return {name: value for name, value in vars(record).items() if name not in _STANDARD}


def _message_of(error: BaseException) -> str:
    if isinstance(error, ValidationError):
        return "; ".join(f"{'.'.join(map(str, problem['loc']))}: {problem['type']}" for problem in error.errors(include_input=False, include_url=False))
    return str(error)


def _secrets_of(value: Any) -> Iterator[str]:
    if isinstance(value, SecretStr):
        yield value.get_secret_value()
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from _secrets_of(getattr(value, name))
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _secrets_of(inner)
