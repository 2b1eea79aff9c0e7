"""What rules and snapshots read of a customer: metrics computed when first read, and context."""

from __future__ import annotations

from typing import Any, Final

from alerting.facts import Facts
from streams.customer.customer import CustomerInHand
from streams.metrics.computed import COMPUTED, Compute, of_complaint, of_loan

_CONTEXT: Final[dict[str, Compute]] = {
    "now": lambda c: c.state.now,
    "today": lambda c: c.today,
    "customer_id": lambda c: c.customer_id,
    "subject_id": lambda c: c.customer_id,
    "display_name": lambda c: c.state.profile.display_name,
    "outlet_id": lambda c: c.state.profile.outlet_id,
    "relationship_manager": lambda c: c.state.profile.relationship_manager,
    "currency": lambda c: c.pack.currency,
}
_READ: Final[dict[str, Compute]] = COMPUTED | _CONTEXT


class CustomerFacts(Facts):
    """Facts of one customer as of the instant it was last advanced to. Good until the next event or advance."""

    __slots__ = ("_customer",)

    def __init__(self, customer: CustomerInHand, values: dict[str, Any] | None = None) -> None:
        super().__init__(values)
        self._customer = customer

    def compute(self, key: str) -> Any:
        compute = _READ.get(key)
        return None if compute is None else compute(self._customer)

    def of_complaint(self, case_id: str) -> CustomerFacts:
        """The same facts with one case as the subject."""
        return self._of(case_id, of_complaint(self._customer, case_id))

    def of_loan(self, loan_id: str) -> CustomerFacts:
        """The same facts with one loan as the subject."""
        return self._of(loan_id, of_loan(self._customer, loan_id))

    def _of(self, subject_id: str, values: dict[str, Any]) -> CustomerFacts:
        return CustomerFacts(self._customer, {**values, "subject_id": subject_id})
