-- The same for ticks stored before.
ALTER TABLE {database}.ticks MATERIALIZE PROJECTION reached
