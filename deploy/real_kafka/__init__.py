"""Apache Kafka itself, fetched by Maven: what the tests of the guarantees and the benchmarks run against."""
