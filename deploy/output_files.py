"""The five files that ``replay`` and ``run`` write: what came out, in the order of partitions and offsets, and a summary."""

from __future__ import annotations

import base64
from collections import Counter
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Final

import msgspec

from alerting.pack import Pack
from deploy.errors import UserError
from schemas.events import EventKind
from streams.partition_record import OUTCOMES, Outcome, PartitionRecord
from streams.records import Output

FILES: Final = {"customer-metrics": "metrics.jsonl", "alerts": "alerts.jsonl", "dead-letters": "dead-letters.jsonl", "late-events": "late.jsonl"}
SUMMARY: Final = "summary.json"
_encode = msgspec.json.Encoder().encode


class _AlertLine(msgspec.Struct):
    rule: str
    state: str
    alert_id: str


_decode_alert = msgspec.json.Decoder(_AlertLine).decode


class OutputFiles:
    """A directory with the five files; with ``journal=True`` also ``journal-<partition>.jsonl``, which ``replay`` reads."""

    def __init__(self, directory: Path, pack: Pack, journal: bool = False) -> None:
        self.directory = directory
        self._pack = pack
        self._journal = journal
        self._open: dict[str, IO[bytes]] = {}
        self._lines: Counter[str] = Counter(dict.fromkeys(FILES.values(), 0))
        self._revisions: dict[str, Counter[str]] = {}
        self._alerts: set[str] = set()
        self._records: dict[int, dict[EventKind, Counter[Outcome]]] = {}
        self._positions: dict[int, int] = {}
        try:
            directory.mkdir(parents=True, exist_ok=True)
            for name in FILES.values():
                self._file(name)
        except OSError as error:
            raise UserError(f"{directory}: cannot write: {error.strerror}", "choose another --out") from None

    def write(self, partition: int, output: Output) -> None:
        """One output record of a partition. Outputs of topics that have no file are left out."""
        if output.topic == "journal":
            if self._journal:
                self._file(f"journal-{partition}.jsonl").write((output.value or b"") + b"\n")
            return
        name = FILES.get(output.topic)
        if name is None:
            return
        self._lines[name] += 1
        if output.topic == "alerts":
            alert = _decode_alert(output.value or b"")
            self._revisions.setdefault(alert.rule, Counter())[alert.state] += 1
            self._alerts.add(alert.alert_id)
        text = output.value if output.topic in ("customer-metrics", "alerts") else _aside(partition, output)
        self._file(name).write((text or b"") + b"\n")

    def account(self, partition: int, record: PartitionRecord) -> None:
        """What a partition has read so far, by kind and outcome, and how long its journal is. The latest account of a partition stands."""
        self._positions[partition] = record.position
        self._records[partition] = {kind: Counter({outcome: getattr(progress, outcome) for outcome in OUTCOMES}) for kind, progress in record.inputs.items()}

    def finish(self) -> dict[str, Any]:
        """Write the summary, when all else is in its files; its content."""
        records: dict[EventKind, Counter[Outcome]] = {}
        for by_kind in self._records.values():
            for kind, counts in by_kind.items():
                records.setdefault(kind, Counter()).update(counts)
        summary: dict[str, Any] = {
            "pack": {"name": self._pack.name, "version": self._pack.version, "fingerprint": self._pack.fingerprint},
            "records": {kind: {outcome: counts[outcome] for outcome in OUTCOMES} for kind, counts in sorted(records.items())},
            "journal": {str(partition): self._positions[partition] for partition in sorted(self._positions)},
            "lines": dict(self._lines),
            "alerts": len(self._alerts),
            "alert_revisions": {rule: dict(sorted(states.items())) for rule, states in sorted(self._revisions.items())},
        }
        for file in self._open.values():
            file.flush()
        (self.directory / SUMMARY).write_bytes(msgspec.json.format(_encode(summary), indent=2) + b"\n")
        return summary

    def __enter__(self) -> OutputFiles:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for file in self._open.values():
            file.close()

    def _file(self, name: str) -> IO[bytes]:
        if name not in self._open:
            self._open[name] = (self.directory / name).open("wb", buffering=1 << 20)
        return self._open[name]


def _aside(partition: int, output: Output) -> bytes:
    """A dead letter or late event as a line: key and value in base64, since they may be any bytes."""
    return _encode(
        {
            "partition": partition,
            "headers": [[name, value.decode("utf-8", "backslashreplace")] for name, value in output.headers],
            "key": None if output.key is None else base64.b64encode(output.key).decode(),
            "value": None if output.value is None else base64.b64encode(output.value).decode(),
        }
    )
