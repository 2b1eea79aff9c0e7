"""What is kept of a customer is what the windows, the open matters and the memory of the closed ones need: it does not grow with the years."""

from __future__ import annotations

from calendar import monthrange
from datetime import date, timedelta

from streams.customer.state import CustomerState, decode
from streams.testing import Bank

CUSTOMER = "c1"
FIRST_YEAR = 2015


def live_a_year(bank: Bank, year: int) -> None:
    """Like the year before, with an account, a loan and complaints of its own. What the year opened is over at its end."""
    account, loan = f"account-{year}", f"loan-{year}"
    day, end = date(year, 1, 1), date(year, 12, 31)
    while day <= end:
        left = "0.00" if day == end else f"{20_000 - day.day * 100}.00"
        in_account = {"account_id": account, "product_line": "deposit", "balance_after": left}
        of_case = f"case-{year}-{day.month}"
        if day.day % 5 == 0 or day == end:
            bank.transaction(CUSTOMER, "80.00", "card_purchase", f"{day}T10:00", channel="mobile", **in_account)
        if day.day == 3:
            bank.transaction(CUSTOMER, "8000.00", "salary", f"{day}T09:00", **in_account)
            bank.transaction(CUSTOMER, "1000.00", "instalment_due", f"{day}T11:00", loan_id=loan)
            bank.transaction(CUSTOMER, "1000.00", "loan_repayment", f"{day}T12:00", loan_id=loan)
        if day.day == 8:
            bank.event("interaction", CUSTOMER, f"{day}T14:00", kind="call", channel="phone", wait_seconds=30.0)
            bank.survey(CUSTOMER, 4, f"{day}T15:00")
            bank.complaint(CUSTOMER, of_case, "received", f"{day}T16:00")
        if day.day == 27:
            bank.complaint(CUSTOMER, of_case, "closed", f"{day}T16:00")
        day += timedelta(1)


def state(bank: Bank) -> CustomerState:
    return decode(bank.lane.states[CUSTOMER.encode()])


def test_a_customer_who_goes_on_living_alike_is_kept_in_as_little() -> None:
    bank, sizes = Bank(), []
    for year in range(FIRST_YEAR, FIRST_YEAR + 4):
        live_a_year(bank, year)
        sizes.append(len(bank.lane.states[CUSTOMER.encode()]))
    assert sizes[-1] < 1.03 * sizes[-2], sizes
    kept = state(bank)
    assert len(kept.balances.accounts) <= 2
    assert len(kept.loans.loans) <= 4
    assert len(kept.episodes) <= 3 * 14


def test_an_account_that_still_holds_money_counts_however_long_nothing_is_booked() -> None:
    bank = Bank()
    for day in range(1, 29):
        bank.transaction(CUSTOMER, "10.00", "card_purchase", f"2015-01-{day:02}T10:00", account_id="old", product_line="deposit", balance_after="500.00")
    for year in range(2015, 2018):
        for month in range(2, 13):
            end = monthrange(year, month)[1]
            bank.transaction(
                CUSTOMER, "10.00", "card_purchase", f"{year}-{month:02}-{end}T10:00", account_id="new", product_line="deposit", balance_after="100.00"
            )
    assert state(bank).balances.accounts["old"].balances == [50_000]
    assert bank.metrics(CUSTOMER)["balance.current"] == 60_000
    assert bank.metrics(CUSTOMER)["balance.average.90d"] == 60_000


def test_a_case_that_comes_back_after_it_was_forgotten_raises_an_alert_of_its_own() -> None:
    bank = Bank()
    live_a_year(bank, 2015)
    live_a_year(bank, 2016)
    live_a_year(bank, 2017)
    before = {alert.alert_id for alert in bank.alerts() if alert.subject.id == "case-2015-1"}
    bank.complaint(CUSTOMER, "case-2015-1", "reopened", "2018-02-01T10:00")
    bank.clock("2018-04-01T10:00")
    after = [alert for alert in bank.alerts() if alert.subject.id == "case-2015-1"]
    assert before
    assert {alert.alert_id for alert in after} > before
    revisions = [(alert.alert_id, alert.revision) for alert in bank.revisions()]
    assert len(revisions) == len(set(revisions))
