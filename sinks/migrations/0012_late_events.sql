-- Events that came too late, as dead letters are kept.
CREATE TABLE IF NOT EXISTS {database}.late_events
(
    `topic` LowCardinality(String),
    `partition` UInt32,
    `offset` UInt64,
    `stage` LowCardinality(String),
    `set_aside_at` DateTime64(3, 'UTC'),
    `_partition` UInt32,
    `_offset` UInt64
)
ENGINE = ReplacingMergeTree
ORDER BY (topic, partition, offset, stage, _partition, _offset)
SETTINGS non_replicated_deduplication_window = {window}
