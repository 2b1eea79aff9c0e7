"""What a rule may know: a customer's metrics and context at one instant, read by key."""

from __future__ import annotations

from typing import Any, Final

#: Context a rule may test beside metrics: facts of the one complaint it is about, true or false.
CASE_FLAGS: Final = ("case.extended", "case.complex")


class Facts(dict[str, Any]):
    """Values by metric key of ``schemas.metrics.KEYS`` (in the metric's unit; None where it has no value), plus context.

    Context: ``now`` (epoch ms), ``today`` (local day number), ``customer_id``, ``display_name``, ``outlet_id``,
    ``relationship_manager``, ``currency``, ``subject_id``, and for a complaint ``case.extended`` and ``case.complex``.
    The core gives a subclass whose ``__missing__`` computes a value when it is first read; a key nobody has is None.
    """

    __slots__ = ()

    def __missing__(self, key: str) -> Any:
        return None
