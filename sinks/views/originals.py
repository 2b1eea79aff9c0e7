"""The original JSON of one event, out of the journal's record that holds it. For operators: readers of dashboards may not read it."""

from __future__ import annotations

from sinks.titles import Title
from sinks.views.view import View

_TRACE = r',"trace":"(?:[^"\\]|\\.)*"'
_HEAD = r'^\{"kind":"[a-z]+","position":[0-9]+,"offset":[0-9]+,'
_EVENT = rf'{_HEAD}"event":(\{{.*\}})(?:{_TRACE})?(?:,"place":[0-9]+)?\}}$'
_TITLES = {
    "partition": Title("分区", "Partition", "Partition of the journal"),
    "position": Title("日志位置", "Journal position", "Entry in the journal's partition, counted from 0: an event row's _position"),
    "event_kind": Title("事件类型", "Event kind", "Which topic the event came from"),
    "original": Title("原始报文", "Original JSON", "The event, byte for byte as the input topic held it"),
}


def original_views(database: str) -> tuple[View, ...]:
    """By partition and position: what an alert's evidence names, and every event row has."""
    select = f"""
SELECT {{partition:UInt32}} AS partition, {{position:UInt64}} AS position, JSONExtractString(line, 'kind') AS event_kind,
       if(match(line, {_sql(_HEAD + '"raw":')}), JSONExtractString(line, 'raw'), extract(line, {_sql(_EVENT)})) AS original, as_of
FROM (SELECT splitByChar('\\n', lines)[toInt64({{position:UInt64}} - first_position) + 1] AS line, _ingested_at AS as_of
      FROM {database}.journal_records
      WHERE _partition = {{partition:UInt32}} AND first_position <= {{position:UInt64}} AND last_position >= {{position:UInt64}}
      ORDER BY _offset LIMIT 1)"""
    return (
        View(
            "v_original",
            "The original JSON of one event, for operators: v_original(partition = 3, position = 38128)",
            select,
            ("partition", "position", "event_kind", "original", "as_of"),
            _TITLES,
            ("partition", "position"),
            withheld=True,
        ),
    )


def _sql(pattern: str) -> str:
    escaped = pattern.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
