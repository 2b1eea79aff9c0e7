-- So that the next step may add a projection to a table that replaces rows: a merge makes it anew.
ALTER TABLE {database}.ticks MODIFY SETTING deduplicate_merge_projection_mode = 'rebuild'
