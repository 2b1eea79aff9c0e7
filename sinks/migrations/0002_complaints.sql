-- A customer's events together, by time. The journal position is in the key, so that a merge removes only a copy of the same entry.
CREATE TABLE IF NOT EXISTS {database}.complaints
(
    `customer_id` String,
    `occurred_at` DateTime64(3, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
    `source` LowCardinality(String),
    `event_id` String,
    `_partition` UInt32,
    `_position` UInt64
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(occurred_at)
ORDER BY (customer_id, occurred_at, source, event_id, _partition, _position)
SETTINGS non_replicated_deduplication_window = {window}
