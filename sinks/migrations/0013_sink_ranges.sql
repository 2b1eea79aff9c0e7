-- The range of offsets that a sink is about to insert, written before the rows: after a crash the next sink inserts exactly the same
-- ranges, so that their tokens match. Of two ranges that start at the same offset the first one written stands (its token is the start).
CREATE TABLE IF NOT EXISTS {database}.sink_ranges
(
    `topic` String COMMENT 'Topic name',
    `incarnation` String COMMENT 'Topic id on its cluster: a topic made anew starts anew',
    `partition` UInt32,
    `first` UInt64 COMMENT 'First offset of the range',
    `last` UInt64 COMMENT 'Last offset of the range',
    `written_at` DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(first)
ORDER BY (topic, incarnation, partition)
SETTINGS non_replicated_deduplication_window = {window}
