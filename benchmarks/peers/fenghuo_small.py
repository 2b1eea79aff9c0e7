"""The small job on Fenghuo's engine: the same framed worker and transactions as the product, with a lane that only sums.

One Kafka transaction a frame holds sums and positions, so the positions alone make a replay harmless. Events are validated by
msgspec, as in the product.
"""

from __future__ import annotations

from collections import Counter
from typing import Annotated

import msgspec
from msgspec import Meta
from one_topic import TRANSACTION, OneTopicFrame, OneTopicLane, settings, work


class Transaction(msgspec.Struct, gc=False):
    """What the job reads of an event, validated; as its peers do, it takes the customer from the record's key and the day as it is spelled."""

    event_id: Annotated[str, Meta(min_length=1, max_length=128)]
    occurred_at: Annotated[str, Meta(min_length=19, max_length=35)]
    amount: Annotated[str, Meta(min_length=4, max_length=18)]


validate = msgspec.json.Decoder(Transaction).decode


class SumLane(OneTopicLane):
    """Minor units per customer and day."""

    def __init__(self, states: dict[bytes, bytes]) -> None:
        super().__init__(states)
        self._sums = {key: int(value) for key, value in states.items()}

    def frame(self, limit: int) -> OneTopicFrame | None:
        records = self.take(limit)
        if not records:
            return None
        sums, touched, counts = self._sums, set(), Counter[tuple[str, str]]()
        for record in records:
            try:
                event = validate(record.value)
                minor = int(event.amount.replace(".", ""))
            except ValueError:  # of msgspec too
                counts[TRANSACTION, "dead_lettered"] += 1
                continue
            key = record.key + event.occurred_at[:10].encode()
            sums[key] = sums.get(key, 0) + minor
            touched.add(key)
        counts[TRANSACTION, "applied"] = len(records) - counts[TRANSACTION, "dead_lettered"]
        return self.made({key: b"%d" % sums[key] for key in touched}, counts)


if __name__ == "__main__":
    work("small", settings(), SumLane)
