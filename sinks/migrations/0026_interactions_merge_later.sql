-- A merge compares every row by a long key. Parts of ten instead of five batches are merged at once, a third fewer passes over a month; and a
-- small part is one file, not one for each column.
ALTER TABLE {database}.interactions MODIFY SETTING merge_selector_base = 10, min_bytes_for_wide_part = 67108864
