"""The policy pack's complaint clock as ClickHouse is told it, so that a view judges a case as the rules do."""

from __future__ import annotations

from alerting.pack import Pack
from schemas.localtime import to_date
from sinks.views.complaints import ClockLine


def clock_lines(pack: Pack) -> tuple[ClockLine, ...]:
    """Every version of the pack's clock, the oldest first."""
    return tuple(
        ClockLine(
            effective=to_date(version.effective),
            ordinary=version.ordinary,
            complex=version.complex,
            extension=version.extension,
            working=version.calendar == "working",
            next_day=version.count_from == "next-day",
            holidays=tuple(map(to_date, sorted(version.holidays))),
            workdays=tuple(map(to_date, sorted(version.workdays))),
            cite=version.cite,
        )
        for version in pack.complaint_clock.versions
    )
