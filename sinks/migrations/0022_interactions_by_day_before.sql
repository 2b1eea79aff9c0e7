-- The same for events stored before.
ALTER TABLE {database}.interactions MATERIALIZE INDEX by_day
