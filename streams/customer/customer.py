"""A customer in hand: the stored state with its running totals, and how each kind of event changes them.

Pure: no clock, no I/O. ``today`` only moves forward, with the instant as of which the customer is looked at.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final
from zlib import crc32

from alerting.pack import Pack
from schemas.codec import ReadEvent
from schemas.events import Customer, EventKind, Interaction, Transaction
from schemas.events.transactions import customer_initiated
from schemas.localtime import Calendar, Day, Instant
from schemas.money import minor_units
from schemas.quick import QuickInteraction, QuickTransaction
from streams.customer.state import CustomerState
from streams.metrics import complaints as complaint_metrics
from streams.metrics import flows, salary
from streams.metrics.contacts import Contacts
from streams.metrics.flows import Flows
from streams.metrics.satisfaction import Satisfaction
from streams.metrics.windows import Windows

Families = frozenset[str]

_MONEY: Final[Families] = frozenset({"flow", "activity"})
_CASH: Final[Families] = frozenset({"flow", "activity", "cash"})
_BALANCE: Final[Families] = frozenset({"balance"})
_CONTACT: Final[Families] = frozenset({"contact", "activity"})
_SURVEY: Final[Families] = frozenset({"satisfaction"})
_COMPLAINT: Final[Families] = frozenset({"complaint", "one_complaint"})
_LOAN: Final[Families] = frozenset({"loan", "one_loan"})
_SALARY: Final[Families] = frozenset({"salary"})
_NOTHING: Final[Families] = frozenset()

_EVIDENCE_KEPT = 4
_EFFECTIVE_CHANGES = frozenset({"recorded", "change_approved"})
_PROFILE_FACTS = ("display_name", "outlet_id", "relationship_manager", "nature", "tier")


class CustomerInHand:
    """One customer, decoded, with totals derived."""

    __slots__ = ("calendar", "contacts", "customer_id", "flows", "pack", "received", "satisfaction", "snapshot_delay", "state", "today", "wakes")

    def __init__(self, customer_id: str, state: CustomerState, pack: Pack, calendar: Calendar, as_of: Instant) -> None:
        self.customer_id = customer_id
        self.state = state
        self.pack = pack
        self.calendar = calendar
        if not state.as_of:
            state.as_of = as_of
        today = self.today = calendar.day(state.as_of)
        self.flows = Flows(state.flows, today)
        self.contacts = Contacts(state.contacts, today)
        self.satisfaction = Satisfaction(state.satisfaction, today)
        self.received = Windows(state.complaints.received, complaint_metrics.DAYS, today)
        #: How long after it fell due the snapshot is written, in ms, if nothing happens to the customer before.
        self.snapshot_delay = crc32(customer_id.encode()) % pack.snapshot_within_ms if pack.snapshot_within_ms else 0
        #: When each rule next wants a look, by (rule, subject): derived from the state, so not stored.
        self.wakes: dict[tuple[str, str], Instant] = {}

    def advance(self, as_of: Instant) -> None:
        """Look at the customer as of an instant; an earlier one than before changes nothing."""
        state = self.state
        if as_of <= state.as_of:
            return
        state.as_of = as_of
        today = self.calendar.day(as_of)
        if today != self.today:
            week_passed = today // 7 != self.today // 7
            self.today = today
            for windows in (self.flows.windows, self.contacts.windows, self.satisfaction.windows, self.received):
                windows.advance(today)
            if state.complaints.cases:
                state.complaints.forget(today)
            if week_passed:
                self._forget_what_is_over()
            self._forget_seen(self._settled)

    def _forget_what_is_over(self) -> None:
        """Once a week: what it looks through is long, and what it finds little."""
        state = self.state
        state.loans.forget(self.today)
        state.balances.forget(self.today)
        if state.episodes:
            self._forget_episodes()

    def _forget_episodes(self) -> None:
        """A closed warning goes with the loan or case that it was of: nothing can bear on it any more."""
        state = self.state
        known = {self.customer_id, *state.loans.loans, *state.complaints.cases}
        kept = [episode for episode in state.episodes if episode.subject in known or episode.open or (episode.cooldown_until or 0) > state.as_of]
        if len(kept) < len(state.episodes):
            state.forgotten += len(state.episodes) - len(kept)
            state.episodes = kept
            known.update(episode.subject for episode in kept)
            self.wakes = {key: wake for key, wake in self.wakes.items() if key[1] in known}

    @property
    def _settled(self) -> Day:
        """No event of an earlier day can be applied any more: it would be late. Two days to spare for zones and disorder."""
        return self.today - self.pack.lateness_days - 2

    def _forget_seen(self, oldest: Day) -> None:
        """An event older than the pack's lateness is refused as late before it could be a duplicate.

        Only from the front, where the oldest mostly are: what arrived out of order is forgotten a little later.
        """
        seen = self.state.seen
        while seen:
            digest = next(iter(seen))
            if seen[digest] >= oldest:
                return
            del seen[digest]

    def apply(self, kind: EventKind, event: ReadEvent, at: Instant, position: int) -> Families:
        """Take one event in; the metric families that it touched. ``position`` is its place in the journal."""
        families = self._take(kind, event, at, self.calendar.day(at), position)
        evidence = self.state.evidence
        for family in _in_order(families):
            positions = evidence.get(family)
            if positions is None:
                evidence[family] = [position]
            else:
                positions.append(position)
                if len(positions) > _EVIDENCE_KEPT:
                    del positions[0]
        return families

    def _take(self, kind: EventKind, event: Any, at: Instant, day: Day, position: int) -> Families:
        if kind == "transaction":
            return self._transaction(event, at, day, position)
        if kind == "interaction":
            return self._interaction(event, day)
        if kind == "complaint":
            self.state.complaints.apply(event, at, day, position, self.received)
            return _COMPLAINT
        if kind == "customer":
            self._profile(event)
        return _NOTHING

    def _transaction(self, event: Transaction | QuickTransaction, at: Instant, day: Day, position: int) -> Families:
        if event.status == "declined":
            return _NOTHING
        state, kind = self.state, event.kind
        sign = -1 if event.status == "reversed" else 1
        mark = ""
        minor = self._reporting(event.amount, event.currency, day)
        if minor is None:
            minor, mark = 0, flows.UNCONVERTED
        if kind in ("instalment_due", "loan_repayment"):
            assert event.loan_id is not None
            loan = state.loans.loan(event.loan_id)
            loan.touched(position, day)
            if kind == "loan_repayment":
                loan.repaid(sign * minor)
            elif sign > 0:
                loan.falls_due(day, minor)
            else:
                loan.repaid(minor)
        families = _MONEY
        if event.direction != "none":
            if state.first_transaction_day is None or day < state.first_transaction_day:
                state.first_transaction_day = day
            if kind == "deposit" and event.direction == "in" and self._near_limit(minor):
                mark = flows.NEAR
                families = _CASH
            self.flows.windows.add(day, flows.label(event.direction, kind, event.channel, mark), sign, sign * minor)
        if sign > 0 and customer_initiated(kind, event.direction):
            state.activity.transacted(day)
        if event.balance_after is not None and event.product_line == "deposit":
            balance = self._reporting(event.balance_after, event.currency, day)
            if balance is not None:
                state.balances.book(event.account_id, day, at, balance, self.today, self._settled)
                families = families | _BALANCE
        if kind in salary.KINDS and event.direction == "in":
            state.salary.paid(day, sign * minor)
            families = families | _SALARY
        if event.loan_id is not None:
            families = families | _LOAN
        return families

    def _near_limit(self, minor: int) -> bool:
        limit = self.pack.large_value
        return limit.near_from <= minor < limit.cash_limit

    def _reporting(self, amount: str, currency: str, day: Day) -> int | None:
        minor = minor_units(amount, currency)
        return minor if currency == self.pack.currency else self.pack.rates.to_reporting(minor, currency, day)

    def _interaction(self, event: Interaction | QuickInteraction, day: Day) -> Families:
        if event.kind == "survey_answer":
            self.satisfaction.answered(event, day)
            return _SURVEY
        self.contacts.contacted(event, day)
        if event.by_customer:
            self.state.activity.active(day)
        return _CONTACT

    def _profile(self, event: Customer) -> None:
        if event.change in _EFFECTIVE_CHANGES:
            for name in _PROFILE_FACTS:
                value = getattr(event, name)
                if value is not None:
                    setattr(self.state.profile, name, value)


@lru_cache(maxsize=256)
def _in_order(families: Families) -> tuple[str, ...]:
    """A set's own order differs from process to process; what is stored must not."""
    return tuple(sorted(families))
