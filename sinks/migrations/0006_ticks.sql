-- The clock's ticks: kept for 90 days, the journal has them all.
CREATE TABLE IF NOT EXISTS {database}.ticks
(
    `occurred_at` DateTime64(3, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
    `_ingested_at` DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC'),
    `_partition` UInt32,
    `_position` UInt64
)
ENGINE = ReplacingMergeTree
ORDER BY (_partition, _position)
TTL toDateTime(_ingested_at) + INTERVAL 90 DAY
SETTINGS non_replicated_deduplication_window = {window}
