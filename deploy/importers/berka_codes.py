"""What Berka's Czech codes and their English translations mean, and the kind of event that a booking becomes."""

from __future__ import annotations

from typing import Final

#: Both spellings of every code to one meaning. ``VYBER`` as a type is a cash withdrawal like ``VYDAJ`` with the operation ``VYBER``.
CODES: Final[dict[str, str]] = {
    "": "",
    # type
    "PRIJEM": "in",
    "credit": "in",
    "VYDAJ": "out",
    "withdrawal": "out",
    "VYBER": "cash_out",
    "withdrawal in cash": "cash_out",
    # operation
    "VKLAD": "cash_in",
    "credit in cash": "cash_in",
    "PREVOD Z UCTU": "transfer_in",
    "collection from another bank": "transfer_in",
    "PREVOD NA UCET": "transfer_out",
    "remittance to another bank": "transfer_out",
    "VYBER KARTOU": "card",
    "credit card withdrawal": "card",
    # k_symbol
    "POJISTNE": "insurance",
    "insurrance payment": "insurance",
    "SLUZBY": "statement_fee",
    "payment for statement": "statement_fee",
    "UROK": "interest",
    "interest credited": "interest",
    "SANKC. UROK": "penalty_interest",
    "sanction interest if negative balance": "penalty_interest",
    "SIPO": "household",
    "household": "household",
    "DUCHOD": "pension",
    "old-age pension": "pension",
    "UVER": "loan",
    "loan payment": "loan",
}

_BY_SYMBOL: Final[dict[str, tuple[str, str]]] = {
    "insurance": ("insurance_premium", "system"),
    "statement_fee": ("fee", "system"),
    "interest": ("interest", "system"),
    "penalty_interest": ("penalty_interest", "system"),
    "pension": ("pension", "system"),
}
_BY_OPERATION: Final[dict[str, tuple[str, str]]] = {
    "cash_in": ("deposit", "branch"),
    "cash_out": ("withdrawal", "branch"),
    "card": ("withdrawal", "atm"),
    "transfer_in": ("transfer", "other"),
    "transfer_out": ("transfer", "other"),
    "": ("other", "other"),
}


def booking_kind(incoming: bool, operation: str, symbol: str, has_loan: bool) -> tuple[str, str]:
    """Kind and channel of a booking. What the payment was for (``symbol``) says more than how it was made (``operation``)."""
    if symbol in _BY_SYMBOL:
        return _BY_SYMBOL[symbol]
    if symbol == "household":
        return "utility_payment", "branch" if operation == "cash_out" else "system"
    if symbol == "loan" and has_loan and not incoming:
        return "loan_repayment", "system"
    return _BY_OPERATION[operation]
