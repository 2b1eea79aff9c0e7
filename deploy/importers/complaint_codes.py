"""How the complaint files name products, issues, channels and answers, and the facets of JR/T 0169-2018 that they become."""

from __future__ import annotations

from typing import Final

BUSINESS: Final[dict[str, str]] = {
    "bank account or service": "account",
    "consumer loan": "loan",
    "credit card": "card",
    "credit reporting": "credit_record",
    "debt collection": "loan",
    "money transfers": "payment",
    "mortgage": "loan",
    "payday loan": "loan",
    "prepaid card": "card",
    "student loan": "loan",
}

CHANNEL: Final[dict[str, str]] = {"web": "online", "referral": "regulator", "phone": "phone", "postal mail": "mail", "fax": "mail", "email": "mail"}

#: The first word found in the issue decides; the order is from the particular to the general.
_REASON_WORDS: Final[tuple[tuple[str, str], ...]] = (
    ("theft", "fund_safety"),
    ("fraud", "fund_safety"),
    ("unauthorized", "fund_safety"),
    ("scam", "fund_safety"),
    ("improper use", "information_safety"),
    ("improper contact", "information_safety"),
    ("privacy", "information_safety"),
    ("incorrect information", "information_safety"),
    ("credit report", "information_safety"),
    ("collect", "collection"),
    ("foreclosure", "collection"),
    ("communication tactics", "collection"),
    ("threatening", "collection"),
    ("debt", "collection"),
    ("advertising", "selling"),
    ("unsolicited", "selling"),
    ("rewards", "selling"),
    ("disclosure", "disclosure"),
    ("false statements", "disclosure"),
    ("arbitration", "contract"),
    ("terms", "contract"),
    ("fee", "pricing"),
    ("apr", "pricing"),
    ("interest", "pricing"),
    ("charged", "pricing"),
    ("customer service", "service"),
    ("can't contact", "service"),
    ("using a debit", "facilities"),
    ("atm", "facilities"),
    ("other", "other"),
)


def business_of(product: str) -> str:
    """Facet B of a product name."""
    return BUSINESS.get(product.lower(), "other")


def channel_of(submitted_via: str) -> str:
    """Facet A of how a complaint came in."""
    return CHANNEL.get(submitted_via.lower(), "other")


def reason_of(issue: str) -> str:
    """Facet C of an issue's text: by the first telling word, else rules and process."""
    text = issue.lower()
    return next((reason for word, reason in _REASON_WORDS if word in text), "rules_process")
