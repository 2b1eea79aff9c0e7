-- A month that has had no new row for a week becomes one part: a customer's events are then read from one part a month, not from four.
ALTER TABLE {database}.interactions MODIFY SETTING min_age_to_force_merge_seconds = 604800, min_age_to_force_merge_on_partition_only = 1
