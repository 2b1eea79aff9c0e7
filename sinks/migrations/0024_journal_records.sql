-- The journal's records in their order, with the original JSON of every event: found by partition and position.
CREATE TABLE IF NOT EXISTS {database}.journal_records
(
    `_partition` UInt32,
    `_offset` UInt64,
    `first_position` UInt64,
    `last_position` UInt64,
    INDEX by_end last_position TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree
ORDER BY (_partition, first_position, _offset)
SETTINGS non_replicated_deduplication_window = {window}, index_granularity_bytes = 1048576, merge_selector_base = 10
