"""Transactions: every movement on an account, and the loan and product events that core banking books."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from schemas.events.envelope import Amount, Channel, Currency, Event, FieldError, Identifier, Text, exact

TransactionKind = Literal[
    "deposit",  # cash paid in
    "withdrawal",  # cash taken out
    "transfer",
    "card_purchase",
    "salary",
    "pension",
    "fee",
    "interest",
    "penalty_interest",
    "tax",
    "loan_disbursement",
    "instalment_due",  # a claim falls due; no money moves
    "loan_repayment",
    "loan_write_off",
    "investment_buy",
    "investment_sell",
    "insurance_premium",
    "insurance_claim",
    "utility_payment",
    "direct_debit",
    "cheque",
    "foreign_exchange",
    "product_opened",
    "product_closed",
    "account_frozen",
    "adjustment",
    "other",
]
Direction = Literal["in", "out", "none"]
TransactionStatus = Literal["posted", "declined", "reversed"]
ProductLine = Literal["deposit", "loan", "intermediary"]

#: Kinds that the customer starts; the others (salary, interest, fees ...) say nothing about activity.
CUSTOMER_INITIATED: frozenset[str] = frozenset(
    {
        "deposit",
        "withdrawal",
        "transfer",
        "card_purchase",
        "loan_repayment",
        "investment_buy",
        "investment_sell",
        "utility_payment",
        "cheque",
        "foreign_exchange",
        "product_opened",
        "product_closed",
    }
)
#: Of these, kinds that somebody else starts when the money comes in.
_STARTED_BY_SENDER: frozenset[str] = frozenset({"transfer", "cheque"})
#: Kinds that book a fact without moving money.
WITHOUT_MOVEMENT: frozenset[str] = frozenset({"instalment_due", "product_opened", "product_closed", "account_frozen", "loan_write_off"})


def customer_initiated(kind: str, direction: str) -> bool:
    """Whether the customer started a transaction: money sent by others shows no activity of the customer's own."""
    return kind in CUSTOMER_INITIATED and not (direction == "in" and kind in _STARTED_BY_SENDER)


class Counterparty(BaseModel):
    """The other side of a movement, as far as the bank knows it."""

    model_config = ConfigDict(extra="allow", strict=True)
    account: Identifier | None = None
    bank: Identifier | None = None
    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")] | None = None


class Merchant(BaseModel):
    """Where a card was used."""

    model_config = ConfigDict(extra="allow", strict=True)
    id: Identifier
    category: Identifier | None = None


class Transaction(Event):
    """One booking. ``amount`` is never negative: ``direction`` says which way, seen from the customer.

    ``status`` ``declined`` moves nothing; ``reversed`` takes an earlier booking back (``reverses`` names its event) and
    carries the same kind, direction and amount. ``balance_after`` is the account's balance once booked.
    ``loan_id`` and ``instalment`` tie an instalment due and its repayment together.
    """

    account_id: Identifier
    amount: Amount
    currency: Currency
    direction: Direction
    kind: TransactionKind
    status: TransactionStatus = "posted"
    channel: Channel = "other"
    outlet_id: Identifier | None = None
    product_line: ProductLine = "deposit"
    product_id: Identifier | None = None
    counterparty: Counterparty | None = None
    merchant: Merchant | None = None
    balance_after: Amount | None = None
    loan_id: Identifier | None = None
    instalment: Annotated[int, Field(ge=1, le=2000)] | None = None
    reverses: Identifier | None = None
    description: Text | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if exact("amount", self.amount, self.currency) < 0:
            raise FieldError("amount", "amount must not be negative: direction tells which way it went", "negative_amount")
        if self.balance_after is not None:
            exact("balance_after", self.balance_after, self.currency)
        if (self.direction == "none") != (self.kind in WITHOUT_MOVEMENT):
            raise FieldError("direction", "direction is none for kinds that move no money, and in or out for all others")
        if self.kind in ("instalment_due", "loan_repayment") and self.loan_id is None:
            raise FieldError("loan_id", "loan_id is required for instalment_due and loan_repayment")
        return self
