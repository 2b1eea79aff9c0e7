-- The bank's time in a handful of rows: how far each partition's ticks have come, and the newest snapshot for where no ticks are kept.
-- A greatest instant: rows counted twice change nothing. Ticks count for as long as they are kept.
CREATE TABLE IF NOT EXISTS {database}.clock
(
    `ticks` Bool COMMENT 'Whether of ticks; else of snapshots of customers',
    `_partition` UInt32 COMMENT 'Partition of the journal; 0 for snapshots',
    `reached` SimpleAggregateFunction(max, DateTime64(3, 'UTC')) COMMENT 'The newest instant of them',
    `_ingested_at` SimpleAggregateFunction(max, DateTime64(3, 'UTC')) DEFAULT now64(3, 'UTC') COMMENT 'When the last of them was inserted'
)
ENGINE = AggregatingMergeTree
ORDER BY (ticks, _partition)
TTL toDateTime(_ingested_at) + INTERVAL 90 DAY WHERE ticks
COMMENT 'How far the clock of each partition has come: read it through v_clock'
