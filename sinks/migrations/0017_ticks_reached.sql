-- How far each partition's clock has come, without reading millions of ticks: every age on a dashboard asks for it. A row twice changes no maximum.
ALTER TABLE {database}.ticks ADD PROJECTION IF NOT EXISTS reached (SELECT _partition, max(occurred_at) GROUP BY _partition)
