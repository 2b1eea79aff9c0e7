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
        self.waiting = False  # for the end of the stored range

    def add(self, record: Fetched, now: float) -> None:
        """Take a record; ``now`` is monotonic seconds."""
        if not self.records:
            self.since = now
        self.records.append(record)
        self._rows.append(rows_in(self.place[0], record))
        self.rows += self._rows[-1]
        self.bytes += len(record.value or b"")
        self.reached = record.offset + 1
        self.at_end = False

    def ripe(self, settings: SinkSettings, now: float) -> bool:
        """Whether there is enough, or it has waited long enough."""
        return bool(self.records) and (self.rows >= settings.batch_rows or self.bytes >= settings.batch_bytes or now - self.since >= settings.batch_seconds)

    def span(self, settings: SinkSettings) -> Range:
        """The oldest records in hand that make a batch of at most about ``batch_rows`` rows and ``batch_bytes`` bytes."""
        rows = size = 0
        last = self.records[0].offset
        for record, rows_of_record in zip(self.records, self._rows, strict=True):
            rows += rows_of_record
            size += len(record.value or b"")
            if record.offset != self.records[0].offset and (rows > settings.batch_rows or size > settings.batch_bytes):
                break
            last = record.offset
        return Range(self.records[0].offset, last)

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
