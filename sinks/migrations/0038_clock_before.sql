-- The same for what was stored before.
INSERT INTO {database}.clock (ticks, _partition, reached, _ingested_at)
SELECT true, _partition, max(occurred_at), max(_ingested_at) FROM {database}.ticks GROUP BY _partition
UNION ALL SELECT false, 0, max(as_of), now64(3, 'UTC') FROM {database}.customer_metrics HAVING count() > 0
