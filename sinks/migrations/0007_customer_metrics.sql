-- Every snapshot. A copy of a revision is the same row, so a merge may remove it. By year: with a hundred columns, each part of a
-- small insert costs more than its rows.
CREATE TABLE IF NOT EXISTS {database}.customer_metrics
(
    `customer_id` String,
    `as_of` DateTime64(3, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
    `business_day` Date32,
    `revision` UInt64
)
ENGINE = ReplacingMergeTree
PARTITION BY toYear(as_of)
ORDER BY (customer_id, revision)
SETTINGS non_replicated_deduplication_window = {window}
