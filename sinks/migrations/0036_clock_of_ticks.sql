-- An insert whose token was seen is dropped, but still comes here: so the clock cannot stay behind the ticks, wherever an insert was cut off.
CREATE MATERIALIZED VIEW IF NOT EXISTS {database}.clock_of_ticks TO {database}.clock AS
SELECT true AS ticks, _partition, max(occurred_at) AS reached FROM {database}.ticks GROUP BY _partition
