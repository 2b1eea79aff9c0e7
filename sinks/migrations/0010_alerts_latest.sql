-- The newest revision of each alert.
CREATE TABLE IF NOT EXISTS {database}.alerts_latest
(
    `alert_id` String,
    `revision` UInt64,
    `occurred_at` DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(revision)
ORDER BY alert_id
SETTINGS non_replicated_deduplication_window = {window}
