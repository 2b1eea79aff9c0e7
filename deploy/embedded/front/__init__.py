"""ClickHouse's HTTP interface over the embedded ClickHouse, on loopback, so that clickhouse-connect and BI tools connect as to a server."""
