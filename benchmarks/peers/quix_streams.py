"""The small job in Quix Streams: stateful, exactly once, with its changelog, as its documentation has it.

A stateful function of our own, not its windows: they store more for each event and were slower. orjson decodes, by its own default.
"""

import os

from quixstreams import Application, State

app = Application(
    broker_address=os.environ["BENCH_SERVERS"],
    consumer_group=os.environ["BENCH_GROUP"],
    processing_guarantee="exactly-once",
    auto_offset_reset="earliest",
    state_dir="quix-state",
    loglevel="WARNING",
)
transactions = app.topic(os.environ["BENCH_TOPIC"], value_deserializer="json")


def add(transaction: dict, sums: State) -> None:
    """Add the amount, in minor units, to its customer's day; state is kept per customer, the record's key."""
    day = transaction["occurred_at"][:10]
    sums.set(day, sums.get(day, 0) + int(transaction["amount"].replace(".", "")))


app.dataframe(transactions).update(add, stateful=True)

if __name__ == "__main__":
    app.run()
