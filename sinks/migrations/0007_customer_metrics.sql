-- Every snapshot. A copy of a revision is the same row, so a merge may remove it.
CREATE TABLE IF NOT EXISTS {database}.customer_metrics
(
    `customer_id` String,
    `as_of` DateTime64(3, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
    `business_day` Date32,
    `revision` UInt64
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(as_of)
ORDER BY (customer_id, revision)
SETTINGS non_replicated_deduplication_window = {window}
