-- The same of snapshots: the clock of a database that has no ticks.
CREATE MATERIALIZED VIEW IF NOT EXISTS {database}.clock_of_snapshots TO {database}.clock AS
SELECT false AS ticks, 0 AS _partition, max(as_of) AS reached FROM {database}.customer_metrics
