"""The input file: JSON Lines of ``{"topic", "key", "value"}``, the one format that simulator, importers, replay and run share.

Read and written as a stream, so that a file may be larger than memory; a value's bytes are passed on as they stand in the file.
"""

from __future__ import annotations

import base64
import binascii
import gzip
import heapq
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Final, NamedTuple

import msgspec

from deploy.errors import UserError
from schemas.topics import Registry, partition_of

TICKS: Final = "ticks"
_HINT: Final = 'each line is {"topic": ..., "key": ..., "value": {...}} (or "raw" and "key_raw" in base64)'


class InputError(UserError):
    """A line that is not in the format; the message names file and line, never a value."""


class InputLine(NamedTuple):
    """One line to write: short topic name, key (None for a tick) and the value's JSON bytes."""

    topic: str
    key: str | None
    value: bytes


class InputRecord(NamedTuple):
    """One record for a broker or the core: short topic name, partition, key and value as bytes."""

    topic: str
    partition: int
    key: bytes | None
    value: bytes | None


class _Line(msgspec.Struct, frozen=True):
    topic: str
    key: str | None = None
    value: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    raw: str | None = None
    key_raw: str | None = None


_decode_line = msgspec.json.Decoder(_Line).decode
_encode = msgspec.json.Encoder().encode


def read_inputs(paths: Iterable[Path], registry: Registry) -> Iterator[InputRecord]:
    """Every record of the files; a tick becomes one record for every partition. ``-`` is standard input, ``.gz`` is unpacked.

    One file is read in its own order. Several are read side by side, the oldest line next, as upstream systems would have sent
    them: one after the other, the first file's end would make all that is older in the next one late.
    Raises InputError for a line out of format and UserError for a file that cannot be read.
    """
    place = lru_cache(maxsize=1 << 17)(lambda key: partition_of(key, registry.partitions))
    shorts = {name: topic.short for topic in registry.inputs.values() for name in (topic.short, topic.name)}
    files = [_read_file(path, registry, shorts, place) for path in paths]
    if len(files) == 1:
        return files[0]
    return (record for _, record in heapq.merge(*map(_with_times, files), key=lambda timed: timed[0]))


class _Time(msgspec.Struct):
    occurred_at: datetime


_decode_time = msgspec.json.Decoder(_Time).decode


def _with_times(records: Iterator[InputRecord]) -> Iterator[tuple[float, InputRecord]]:
    """Each record with its event's time; one that states none goes with the record before it."""
    time = 0.0
    for record in records:
        with suppress(msgspec.DecodeError, UnicodeDecodeError, ValueError, OverflowError):
            time = _decode_time(record.value or b"").occurred_at.timestamp()
        yield time, record


def _read_file(path: Path, registry: Registry, shorts: Mapping[str, str], place: Callable[[bytes], int]) -> Iterator[InputRecord]:
    number = 0
    try:
        with _open_to_read(path) as lines:
            for number, text in enumerate(lines, 1):
                if text.isspace():
                    continue
                try:
                    line = _decode_line(text)
                    short = shorts[line.topic]
                    if short == TICKS and isinstance(line.value, msgspec.Raw) and line.key is None and line.key_raw is None:
                        yield from _tick_everywhere(bytes(line.value), registry.partitions)
                        continue
                    key, value = _key(line), _value(line)
                except (msgspec.DecodeError, UnicodeDecodeError, binascii.Error, _FormatError) as problem:
                    raise InputError(f"{path}:{number}: {_explain(problem)}", _HINT) from None
                except KeyError:
                    raise InputError(f"{path}:{number}: unknown topic", f"input topics: {', '.join(t.short for t in registry.inputs.values())}") from None
                yield InputRecord(short, place(key) if key is not None else 0, key, value)
    except (OSError, EOFError) as error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise UserError(f"{path}: cannot read after line {number}: {reason}", "give a readable input file") from None


class _FormatError(ValueError):
    pass


def _explain(problem: Exception) -> str:
    if isinstance(problem, msgspec.ValidationError):
        return "a field of the line is missing or of the wrong type"
    if isinstance(problem, _FormatError):
        return str(problem)
    if isinstance(problem, binascii.Error):
        return "raw or key_raw is not base64"
    return "the line is not JSON in UTF-8"


def _key(line: _Line) -> bytes | None:
    if line.key_raw is not None:
        return base64.b64decode(line.key_raw, validate=True)
    return line.key.encode() if line.key is not None else None


def _value(line: _Line) -> bytes | None:
    if line.raw is not None:
        return base64.b64decode(line.raw, validate=True)
    if line.value is msgspec.UNSET:
        raise _FormatError("the line has neither value nor raw")
    value = bytes(line.value)
    return None if value == b"null" else value


def _tick_everywhere(value: bytes, partitions: int) -> Iterator[InputRecord]:
    tick: dict[str, Any] = msgspec.json.decode(value, type=dict[str, Any])
    if not isinstance(tick.get("event_id"), str):
        raise _FormatError("a tick needs an event_id")
    for partition in range(partitions):
        own = tick | {"event_id": f"{tick['event_id']}-{partition}", "partition": partition}
        yield InputRecord(TICKS, partition, str(partition).encode(), _encode(own))


def _open_to_read(path: Path) -> IO[bytes]:
    if str(path) == "-":
        return sys.stdin.buffer
    return gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb")  # type: ignore[return-value]


def tick(event_id: str, occurred_at: str, source: str) -> InputLine:
    """A tick for every partition. ``occurred_at`` is RFC 3339 with a zone."""
    return InputLine(TICKS, None, _encode({"event_id": event_id, "occurred_at": occurred_at, "source": source}))


class InputWriter:
    """Writes lines to a file, ``-`` for standard output. A context manager: a file of an interrupted run is removed, not left half written."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lines = 0
        try:
            self._out: IO[bytes] = sys.stdout.buffer if str(path) == "-" else path.open("wb", buffering=1 << 20)
        except OSError as error:
            raise UserError(f"{path}: cannot write: {error.strerror}", "choose another --out") from None

    def write(self, lines: Iterable[InputLine]) -> None:
        """Append lines."""
        chunk = [b'{"topic":"%b","key":%b,"value":%b}\n' % (topic.encode(), b"null" if key is None else _encode(key), value) for topic, key, value in lines]
        self.lines += len(chunk)
        self._out.write(b"".join(chunk))

    def __enter__(self) -> InputWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._out is sys.stdout.buffer:
            self._out.flush()
            return
        self._out.close()
        if kind is not None and self.path.is_file():
            self.path.unlink(missing_ok=True)


def to_records(lines: Iterable[InputLine], registry: Registry) -> Iterator[InputRecord]:
    """Lines made in this process as records, without a file between."""
    place = lru_cache(maxsize=1 << 17)(lambda key: partition_of(key, registry.partitions))
    for topic, key, value in lines:
        if key is None and topic == TICKS:
            yield from _tick_everywhere(value, registry.partitions)
        else:
            data = None if key is None else key.encode()
            yield InputRecord(topic, 0 if data is None else place(data), data, value)
