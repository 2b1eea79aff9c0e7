-- Records that could not be applied. Original coordinates are the key: written twice, it is one row after a merge.
CREATE TABLE IF NOT EXISTS {database}.dead_letters
(
    `topic` LowCardinality(String),
    `partition` UInt32,
    `offset` UInt64,
    `stage` LowCardinality(String),
    `set_aside_at` DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree
ORDER BY (topic, partition, offset, stage)
SETTINGS non_replicated_deduplication_window = {window}
