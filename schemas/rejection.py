"""Why a record is refused: stable reason codes, so that counters, dead letters and dashboards mean the same for years."""

from __future__ import annotations

from typing import Final, Literal, get_args

from schemas.outputs.dead_letter import Stage

Reason = Literal[
    "tombstone",
    "empty",
    "too_large",
    "not_utf8",
    "not_json",
    "too_deep",
    "missing_field",
    "unknown_value",
    "wrong_type",
    "bad_format",
    "naive_time",
    "amount_format",
    "amount_decimals",
    "unknown_currency",
    "negative_amount",
    "inconsistent",
    "wrong_key",
    "far_future",
    "processor_error",
]

#: Largest value that is decoded, in bytes.
MAX_BYTES: Final = 1_048_576
#: Deepest nesting of objects and lists, the event itself being level 1.
MAX_DEPTH: Final = 100

#: What each code means and what the upstream system does about it.
REASONS: Final[dict[Reason, tuple[str, str]]] = {
    "tombstone": ("The record has no value at all", "Send a `purged` change to have a customer forgotten"),
    "empty": ("The value has no bytes", "Send the event"),
    "too_large": ("The value is larger than 1 MiB", "Send documents elsewhere and refer to them"),
    "not_utf8": ("The bytes are not UTF-8", "Encode as UTF-8"),
    "not_json": ("The value is not one JSON document (NaN, Infinity and lone surrogates are none either)", "Write it with a JSON library"),
    "too_deep": ("Objects and lists are nested more than 100 deep", "Flatten the field"),
    "missing_field": ("A required field is absent", "Send the field"),
    "unknown_value": ("A field holds a value that is not in its list", "Use a value of the schema, or ask for a new one"),
    "wrong_type": ("A field, or the document itself, has another JSON type than the schema says", "Send the type of the schema"),
    "bad_format": ("A field breaks its length, pattern or limits", "Send the format of the schema"),
    "naive_time": ("A time has no zone", "End it in `Z` or an offset such as `+08:00`"),
    "amount_format": ("An amount is not a plain decimal string (a JSON number never is)", 'Send `"12.30"`, in quotes'),
    "amount_decimals": ("An amount has more decimals than its currency", "Round at the source, where the rule is known"),
    "unknown_currency": ("The currency is not an active ISO 4217 code", "Send the three-letter code"),
    "negative_amount": ("An amount is negative", "Tell the way by `direction`"),
    "inconsistent": ("Fields contradict each other, or one requires another", "See the rules of the kind"),
    "wrong_key": ("The record's key is not the event's `customer_id` (for a tick: its partition in decimal)", "Key by `customer_id`, in UTF-8"),
    "far_future": ("The event lies further ahead of the broker's own time than the policy pack allows", "Set the sender's clock right"),
    "processor_error": ("Fenghuo itself failed on the event", "Report it; replay the dead letter after the fix"),
}
assert REASONS.keys() == set(get_args(Reason))


class Rejected(Exception):
    """A record that is not an event of its topic.

    ``stage`` is where it failed, ``reason`` the stable code, ``field`` the path of the declared field at fault (``merchant.id``).
    ``message`` is for people and holds no personal data: neither a value of the event nor the name of an undeclared field.
    """

    def __init__(self, stage: Stage, reason: Reason, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.stage: Stage = stage
        self.reason: Reason = reason
        self.message = message
        self.field = field
