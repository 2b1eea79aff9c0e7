-- Dashboards ask by business day. Partitions are months of UTC, so a day's range in each part lets a month's query skip the other years.
ALTER TABLE {database}.transactions
    ADD COLUMN IF NOT EXISTS `business_day` Date32 DEFAULT toDate32(toTimeZone(occurred_at, '{zone}')),
    ADD INDEX IF NOT EXISTS by_day business_day TYPE minmax GRANULARITY 1
