-- The same for events stored before.
ALTER TABLE {database}.transactions MATERIALIZE INDEX by_day
