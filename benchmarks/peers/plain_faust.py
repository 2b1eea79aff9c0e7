"""The small job in plain Faust: a Record, an agent and a Table, as its user guide has them.

Settings that help it: no web server, no leader topic, the memory store; everything else as it comes.
"""

import os

import faust

app = faust.App(
    os.environ["BENCH_GROUP"],
    broker=f"kafka://{os.environ['BENCH_SERVERS']}",
    store="memory://",
    topic_partitions=int(os.environ["BENCH_PARTITIONS"]),
    topic_replication_factor=1,
    topic_disable_leader=True,
    consumer_auto_offset_reset="earliest",
    broker_session_timeout=10,
    broker_heartbeat_interval=2,
    broker_rebalance_timeout=10,
    web_enabled=False,
    datadir="faust-data",
)


class Transaction(faust.Record, serializer="json"):
    event_id: str
    customer_id: str
    occurred_at: str
    amount: str


transactions = app.topic(os.environ["BENCH_TOPIC"], value_type=Transaction)
sums = app.Table("sums", default=int)


@app.agent(transactions)
async def add(stream: faust.StreamT[Transaction]) -> None:
    """Add each amount, in minor units, to its customer's day."""
    async for transaction in stream:
        sums[f"{transaction.customer_id}|{transaction.occurred_at[:10]}"] += int(transaction.amount.replace(".", ""))


if __name__ == "__main__":
    app.main()
