"""The records of one topic partition that were read and are not yet in ClickHouse."""

from __future__ import annotations

from collections import deque

from sinks.ranges import Range
from sinks.rows import rows_in
from sinks.settings import SinkSettings
from sinks.source import Fetched, Place


class Hand:
    """Gathers records in order of offset. ``reached`` is up to where the partition was read, ``at_end`` whether that is its end."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.records: deque[Fetched] = deque()
        self._rows: deque[int] = deque()  # of each record
        self.rows = 0
        self.bytes = 0
        self.since = 0.0
        self.reached = 0
        self.at_end = False
        self._waiting_at = -1

    @property
    def waiting(self) -> bool:
        """Whether it was found to wait for the end of the stored range, and nothing has come since."""
        return self._waiting_at == self.reached

    def wait(self) -> None:
        """There is nothing to be done with it before more is read."""
        self._waiting_at = self.reached

    def add(self, record: Fetched, now: float) -> int:
        """Take a record; ``now`` is monotonic seconds. Returns how many rows it will make."""
        if not self.records:
            self.since = now
        self.records.append(record)
        self._rows.append(rows_in(self.place[0], record))
        self.rows += self._rows[-1]
        self.bytes += len(record.value or b"")
        self.reached = record.offset + 1
        self.at_end = False
        return self._rows[-1]

    def ripe(self, settings: SinkSettings, now: float, patience: int = 1) -> bool:
        """Whether there is enough, or it has waited ``patience`` times long enough."""
        waited = now - self.since >= settings.batch_seconds * patience
        return bool(self.records) and (self.rows >= settings.batch_rows or self.bytes >= settings.batch_bytes or waited)

    def span(self, settings: SinkSettings) -> Range:
        """The oldest records in hand that make a batch of at most about ``batch_rows`` rows and ``batch_bytes`` bytes."""
        batch, _ = self._batch(settings, -1)
        return Range(batch[0].offset, batch[-1].offset)

    def full(self, settings: SinkSettings, after: int) -> list[Fetched]:
        """The batch behind offset ``after``; empty if what is read next may still change it."""
        if self.rows < settings.batch_rows and self.bytes < settings.batch_bytes:
            return []
        batch, full = self._batch(settings, after)
        return batch if full else []

    def _batch(self, settings: SinkSettings, after: int) -> tuple[list[Fetched], bool]:
        rows = size = 0
        batch: list[Fetched] = []
        for record, rows_of_record in zip(self.records, self._rows, strict=True):
            if record.offset <= after:
                continue
            rows += rows_of_record
            size += len(record.value or b"")
            if batch and (rows > settings.batch_rows or size > settings.batch_bytes):
                return batch, True
            batch.append(record)
        return batch, False

    def within(self, offsets: Range) -> list[Fetched]:
        """The records of a range; they stay in hand."""
        return [record for record in self.records if offsets.first <= record.offset <= offsets.last]

    def drop(self, last: int, now: float) -> None:
        """Let go of everything up to and including offset ``last``."""
        while self.records and self.records[0].offset <= last:
            record = self.records.popleft()
            self.rows -= self._rows.popleft()
            self.bytes -= len(record.value or b"")
        self.since = now
