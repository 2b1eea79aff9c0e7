-- Which outlets a branch's reader of dashboards may see: one row for each user and outlet.
CREATE TABLE IF NOT EXISTS {database}.reader_outlets
(
    `reader` String COMMENT 'User of ClickHouse with the role bi_branch_reader',
    `outlet_id` String COMMENT 'Outlet whose rows and customers it may see'
)
ENGINE = ReplacingMergeTree
ORDER BY (reader, outlet_id)
COMMENT 'Outlets that a branch reader may see'
