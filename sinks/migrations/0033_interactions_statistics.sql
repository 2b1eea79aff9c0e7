-- requires: table setting auto_statistics_types
-- No column statistics, which newer servers make in merges and read from every part while they plan: queries go by the keys and the day.
ALTER TABLE {database}.interactions MODIFY SETTING auto_statistics_types = ''
