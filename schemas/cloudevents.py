"""CloudEvents headers, Kafka binary mode: so that routers and gateways can see what a record is without opening it.

The event is complete without them: inbound they are carried along and not read, since the envelope is in the value.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

from schemas.events import AnyEvent, EventKind, Tick

CONTENT_TYPE: Final = ("content-type", b"application/json")
_URI_REFERENCE: Final = "/:@!$&'()*+,;=-._~?#[]%"


def cloud_event_headers(kind: EventKind, event: AnyEvent) -> list[tuple[str, bytes]]:
    """The headers of one event. ``ce_subject`` is the customer, as the record's key is; for a tick its partition."""
    subject = str(event.partition) if isinstance(event, Tick) else event.customer_id
    attributes = {
        "ce_specversion": "1.0",
        "ce_id": event.event_id,
        "ce_source": quote(event.source, safe=_URI_REFERENCE),
        "ce_type": f"fenghuo.{kind}.v{event.schema_version}",
        "ce_time": event.occurred_at.isoformat(),
        "ce_subject": subject,
    }
    return [CONTENT_TYPE, *((name, text.encode()) for name, text in attributes.items())]
