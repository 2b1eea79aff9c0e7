-- The newest snapshot of each customer: a final state, so that a row inserted twice changes nothing.
CREATE TABLE IF NOT EXISTS {database}.customer_metrics_latest
(
    `customer_id` String,
    `revision` UInt64
)
ENGINE = ReplacingMergeTree(revision)
ORDER BY customer_id
SETTINGS non_replicated_deduplication_window = {window}
