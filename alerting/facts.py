"""What a rule may know: a customer's metrics and context at one instant, read by key."""

from __future__ import annotations

from typing import Any, Final

#: Context a rule may test beside metrics: facts of the one complaint it is about, true or false.
CASE_FLAGS: Final = ("case.extended", "case.complex")


class Facts:
    """Values by metric key of ``schemas.metrics.KEYS`` (in the metric's unit; None where it has no value), plus context.

    Context: ``now`` (epoch ms), ``today`` (local day number), ``customer_id``, ``display_name``, ``outlet_id``,
    ``relationship_manager``, ``currency``, ``subject_id``, and for a complaint ``case.extended`` and ``case.complex``.
    The core gives a subclass that computes a value when it is first read; a key nobody has is None.
    """

    __slots__ = ("_values",)

    def __init__(self, values: dict[str, Any] | None = None) -> None:
        self._values: dict[str, Any] = {} if values is None else values

    def __getitem__(self, key: str) -> Any:
        value = self._values.get(key)
        if value is None and key not in self._values:
            value = self._values[key] = self.compute(key)
        return value

    def __setitem__(self, key: str, value: Any) -> None:
        self._values[key] = value

    def compute(self, key: str) -> Any:  # noqa: ARG002  what it is computed from is the subclass's
        """The value of a key that was not given."""
        return None
