"""The six inputs: one module a topic, one model a kind of event."""

from schemas.events.complaints import Complaint
from schemas.events.customers import Customer
from schemas.events.envelope import Event, EventKind
from schemas.events.feedback import Feedback
from schemas.events.interactions import Interaction
from schemas.events.ticks import Tick
from schemas.events.transactions import Transaction

AnyEvent = Transaction | Complaint | Interaction | Customer | Tick | Feedback
MODELS: dict[EventKind, type[Transaction] | type[Complaint] | type[Interaction] | type[Customer] | type[Tick] | type[Feedback]] = {
    "transaction": Transaction,
    "complaint": Complaint,
    "interaction": Interaction,
    "customer": Customer,
    "tick": Tick,
    "feedback": Feedback,
}

__all__ = ["MODELS", "AnyEvent", "Complaint", "Customer", "Event", "EventKind", "Feedback", "Interaction", "Tick", "Transaction"]
