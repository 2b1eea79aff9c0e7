-- Every revision of every alert.
CREATE TABLE IF NOT EXISTS {database}.alerts
(
    `alert_id` String,
    `revision` UInt64,
    `occurred_at` DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(occurred_at)
ORDER BY (alert_id, revision)
SETTINGS non_replicated_deduplication_window = {window}
