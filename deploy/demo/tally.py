"""What a demo came to: counters, rows in ClickHouse, stories; as lines for people and as one object for programs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from deploy.demo.story_score import Score
from deploy.pipeline.audit import Audit
from deploy.pipeline.servers import Servers
from sinks.connection import connect
from sinks.tables import EVENT_TABLES


@dataclass(frozen=True)
class Rows:
    """Event rows and alert revisions in ClickHouse, and how many of each are distinct."""

    events: int
    distinct_events: int
    alerts: int
    alert_revisions: int
    distinct_revisions: int

    @property
    def distinct(self) -> bool:
        """Whether no row is there twice."""
        return self.events == self.distinct_events and self.alert_revisions == self.distinct_revisions


def count_rows(servers: Servers) -> Rows:
    """Counted in ClickHouse itself, without FINAL."""
    settings = servers.settings.clickhouse
    every = " UNION ALL ".join(f"SELECT source, event_id FROM {settings.database}.{table}" for table in EVENT_TABLES.values())
    client = connect(settings)
    try:
        ((events, distinct),) = client.query(f"SELECT count(), uniqExact(source, event_id) FROM ({every})").result_rows
        ((alerts, revisions, distinct_revisions),) = client.query(
            f"SELECT uniqExact(alert_id), count(), uniqExact(alert_id, revision) FROM {settings.database}.alerts"
        ).result_rows
    finally:
        client.close()
    return Rows(int(events), int(distinct), int(alerts), int(revisions), int(distinct_revisions))


@dataclass(frozen=True)
class Tally:
    """Everything the summary says. ``seconds`` is how long the workers took for ``events``."""

    score: Score
    revisions: int
    events: int
    outcomes: dict[str, int]
    seconds: float
    rows: Rows
    audit: Audit
    simulation: dict[str, Any]

    def lines(self) -> Iterator[str]:
        """The summary for a terminal."""
        score, rows, outcomes = self.score, self.rows, self.outcomes
        found, planted = len(score.found), len(score.found) + len(score.missed)
        yield (
            f"{score.planted + score.other:,} alerts, {score.planted:,} of them planted, {score.other:,} not · stories found {found} of {planted} · "
            f"{self.events:,} events: {outcomes['applied']:,} applied, {outcomes['duplicate']:,} duplicates, {outcomes['late']:,} late, "
            f"{outcomes['dead_lettered']:,} dead letters"
        )
        for label in score.missed:
            yield f"missed: {label.story} of {label.customer_id} ({label.subject}), to be noticed by {label.detect_by[:10]}"
        distinct = "all distinct" if rows.distinct else f"NOT DISTINCT: {rows.distinct_events:,} events, {rows.distinct_revisions:,} alert revisions"
        yield (
            f"ClickHouse: {rows.events:,} event rows, {rows.alerts:,} alerts in {rows.alert_revisions:,} revisions, {distinct} · "
            f"{self.events / self.seconds:,.0f} events/s · audit {self.audit.text}"
        )

    def as_json(self) -> dict[str, Any]:
        """The summary for programs."""
        score, rows = self.score, self.rows
        return {
            "alerts": score.planted + score.other,
            "alert_revisions": self.revisions,
            "alerts_planted": score.planted,
            "alerts_not_planted": score.other,
            "stories_found": [label.as_dict() for label in score.found],
            "stories_missed": [label.as_dict() for label in score.missed],
            "events": self.events,
            "outcomes": self.outcomes,
            "worker_seconds": round(self.seconds, 3),
            "events_per_second": round(self.events / self.seconds),
            "clickhouse": {
                "event_rows": rows.events,
                "distinct_events": rows.distinct_events,
                "alerts": rows.alerts,
                "alert_revisions": rows.alert_revisions,
                "distinct_alert_revisions": rows.distinct_revisions,
            },
            "audit_clean": self.audit.clean,
            "audit": self.audit.report,
            "simulation": self.simulation,
        }
