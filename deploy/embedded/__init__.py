"""The embedded stack: a Kafka-protocol broker and ClickHouse itself with nothing to install, for a laptop, a demo and the tests. Not for production."""
