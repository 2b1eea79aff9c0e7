"""Runs the policy pack's rules over a customer in hand: which rules an event touches, which the clock wakes, and their episodes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Literal

from alerting.episode import Episode, Trigger, evaluate, feedback, next_wake
from alerting.pack import Pack
from alerting.rule import Rule
from schemas.codec import ReadEvent
from schemas.events import EventKind, Feedback
from schemas.localtime import DAY_MS, Instant
from schemas.outputs.alert import Alert, Cause
from streams.customer.customer import CustomerInHand, Families
from streams.customer.facts import CustomerFacts
from streams.customer.snapshot import snapshot
from streams.customer.state import NEVER
from streams.records import Output

#: A customer to whom nothing happens is written again as its last day leaves the windows of 30, 90 and 365 days ...
_QUIET_DAYS: Final = (30, 60, 275)
#: ... and from then on only while a loan, a case or an alert is open, at this interval.
_OPEN_MATTER_DAYS: Final = 90
_EVIDENCE_AT_MOST: Final = 8


class Look:
    """Why a customer is looked at: an applied event, or the clock; at which journal position, and the partition's clock then."""

    __slots__ = ("event_id", "kind", "position", "trace", "watermark")

    def __init__(self, kind: EventKind | Literal["clock"], event_id: str | None, position: int, watermark: Instant | None, trace: str | None) -> None:
        self.kind = kind
        self.event_id = event_id
        self.position = position
        self.watermark = watermark
        self.trace = trace


class Warnings:
    """The rules of one pack on one partition. Holds no state of its own: everything is in the customer."""

    def __init__(self, pack: Pack, partition: int) -> None:
        self._pack = pack
        self._partition = partition
        self._rules = {rule.id: rule for rule in pack.rules}

    def take_in_hand(self, customer: CustomerInHand) -> None:
        """Derive when each rule wants its next look, as of the last time the customer was looked at. Needed before anything else."""
        facts = CustomerFacts(customer)
        known = {(episode.rule, episode.subject): episode for episode in customer.state.episodes}
        warned = {episode.rule for episode in customer.state.episodes}
        for rule in self._pack.rules:
            if rule.awaited is None and rule.id not in warned:
                continue  # nothing but an event can raise it
            for subject, of_subject in self._subjects(rule, customer, facts):
                self._schedule(rule, subject, customer, of_subject, known.get((rule.id, subject)))

    def event_applied(self, customer: CustomerInHand, event: ReadEvent, at: Instant, families: Families, look: Look) -> list[Output]:
        """Evaluate the rules that the event touched; schedule the snapshot that will show it."""
        state = customer.state
        state.idle_snapshots = 0
        state.snapshot_due = min(state.snapshot_due, self._close(customer, at))
        facts = CustomerFacts(customer)
        alerts: list[Alert] = []
        if look.kind == "feedback":
            assert isinstance(event, Feedback)
            alerts += self._fed_back(customer, event, facts, look)
        touched = self._pack.rules_touched(families)
        opened = {episode.rule for episode in state.episodes if episode.open}
        for rule in touched.read if opened else touched.raised:
            is_open = rule.id in opened
            if not is_open and rule.id not in touched.raised_ids:
                continue
            if is_open or rule.subject != "customer":
                subjects = dict(self._subjects(rule, customer, facts))
                for settled in [key for key in customer.wakes if key[0] == rule.id and key[1] not in subjects]:
                    del customer.wakes[settled]
                for subject, of_subject in subjects.items():
                    alerts += self._evaluate(rule, subject, customer, of_subject, look)
            else:
                alerts += self._raise(rule, customer, facts, look)
        return [_alert(customer, alert, look) for alert in alerts]

    def _raise(self, rule: Rule, customer: CustomerInHand, facts: CustomerFacts, look: Look) -> list[Alert]:
        """Evaluate a rule on a customer that has no open warning of it.

        By far the most frequent outcome is that there is none now either: all that can have moved is when an absence falls due.
        """
        state, subject = customer.state, customer.customer_id
        falls_due = rule.wake(facts)
        known = state.episodes and any(episode.rule == rule.id for episode in state.episodes)
        if known or ((falls_due is None or falls_due <= state.now) and rule.holds(facts)):
            return self._evaluate(rule, subject, customer, facts, look)
        if falls_due is not None and falls_due > state.now:
            customer.wakes[rule.id, subject] = falls_due
        else:
            customer.wakes.pop((rule.id, subject), None)
        return []

    def clock_passed(self, customer: CustomerInHand, as_of: Instant, look: Look) -> list[Output]:
        """Write the snapshot if its time has come; evaluate what fell due as the clock passed."""
        state = customer.state
        outputs = self.day_closed(customer, as_of, look)
        if outputs and _earliest(customer.wakes) > as_of:
            return outputs  # as of the day that closed: the next one need not be begun for it
        customer.advance(as_of)
        state.now = max(state.now, as_of)
        facts = CustomerFacts(customer)
        alerts: list[Alert] = []
        for rule_id, subject in sorted(key for key, wake in customer.wakes.items() if wake <= state.now):
            rule = self._rules[rule_id]
            alerts += self._evaluate(rule, subject, customer, self._of_subject(rule, subject, facts), look)
        outputs += [_alert(customer, alert, look) for alert in alerts]
        if state.snapshot_due <= state.as_of:
            outputs.append(self._snapshot(customer, look))
        return outputs

    def day_closed(self, customer: CustomerInHand, as_of: Instant, look: Look) -> list[Output]:
        """The snapshot of a day that is over for the customer, since it is looked at as of a later one: that must not show in it.

        The clock follows the events at a distance, and the pack spreads the snapshots: too late for a customer who is active as the day begins.
        """
        state = customer.state
        if as_of <= state.snapshot_due:
            return []
        customer.advance(state.snapshot_due)
        if look.watermark is not None:
            state.now = max(state.now, min(state.snapshot_due, look.watermark))
        return [self._snapshot(customer, look)]

    def _snapshot(self, customer: CustomerInHand, look: Look) -> Output:
        output = Output("customer-metrics", customer.customer_id.encode(), snapshot(customer, self._partition, look.position), [])
        customer.state.snapshot_due = self._refresh(customer)
        customer.state.idle_snapshots += 1
        return output

    def _close(self, customer: CustomerInHand, at: Instant) -> Instant:
        """When what happened at ``at`` is to be written: as its business day closes, or the last of the days that the pack gathers.

        An event ahead of the trusted time counts on its own day, so it is that day whose close shows it.
        """
        every = self._pack.snapshot_every_ms
        if every % DAY_MS:
            return max(customer.state.as_of, at) + every
        return customer.calendar.start(max(customer.today, customer.calendar.day(at)) + every // DAY_MS) - 1

    @staticmethod
    def _refresh(customer: CustomerInHand) -> Instant:
        """When a customer that was just written is to be written again if nothing happens: silence and days past due go on."""
        state = customer.state
        if state.idle_snapshots < len(_QUIET_DAYS):
            return state.as_of + _QUIET_DAYS[state.idle_snapshots] * DAY_MS
        loan_due = any(loan.due for loan in state.loans.loans.values())
        if loan_due or state.complaints.open_cases() or any(episode.open for episode in state.episodes):
            return state.as_of + _OPEN_MATTER_DAYS * DAY_MS
        return NEVER

    def wake(self, customer: CustomerInHand) -> Instant:
        """When the customer must next be looked at if nothing happens."""
        due = customer.state.snapshot_due
        return min(due + customer.snapshot_delay if due < NEVER else NEVER, _earliest(customer.wakes))

    # -- rules and subjects ------------------------------------------------------------------------------------------

    def _evaluate(self, rule: Rule, subject: str, customer: CustomerInHand, facts: CustomerFacts, look: Look) -> list[Alert]:
        episodes = customer.state.episodes
        index = next((i for i, known in enumerate(episodes) if known.rule == rule.id and known.subject == subject), None)
        before = None if index is None else episodes[index]
        after, alerts = evaluate(rule, self._pack, facts, before, self._trigger(rule, subject, customer, look))
        _keep(episodes, index, after)
        self._schedule(rule, subject, customer, facts, after)
        return alerts

    def _fed_back(self, customer: CustomerInHand, event: Feedback, facts: CustomerFacts, look: Look) -> list[Alert]:
        episodes = customer.state.episodes
        for index, episode in enumerate(episodes):
            rule = self._rules.get(episode.rule)
            if episode.alert_id == event.alert_id and rule is not None:
                of_subject = self._of_subject(rule, episode.subject, facts)
                after, alerts = feedback(rule, self._pack, of_subject, episode, event, self._trigger(rule, episode.subject, customer, look))
                _keep(episodes, index, after)
                self._schedule(rule, episode.subject, customer, of_subject, after)
                return alerts
        return []

    def _trigger(self, rule: Rule, subject: str, customer: CustomerInHand, look: Look) -> Trigger:
        state = customer.state
        watermark = state.as_of if look.watermark is None else look.watermark
        return Trigger(
            Cause(kind=look.kind, event_id=look.event_id, position=look.position),
            state.as_of,
            watermark,
            _evidence(rule, subject, customer),
            self._partition,
            state.forgotten,
        )

    def _subjects(self, rule: Rule, customer: CustomerInHand, facts: CustomerFacts) -> Iterator[tuple[str, CustomerFacts]]:
        """What the rule looks at: the customer, or each of its loans or cases that has something open."""
        if rule.subject == "customer":
            yield customer.customer_id, facts
            return
        state = customer.state
        loans, cases = state.loans.loans, state.complaints.open_cases()
        subjects = {loan_id for loan_id, loan in loans.items() if loan.due_since() is not None} if rule.subject == "loan" else set(cases)
        subjects.update(episode.subject for episode in state.episodes if episode.rule == rule.id)
        for subject in sorted(subjects):
            yield subject, self._of_subject(rule, subject, facts)

    @staticmethod
    def _of_subject(rule: Rule, subject: str, facts: CustomerFacts) -> CustomerFacts:
        if rule.subject == "loan":
            return facts.of_loan(subject)
        if rule.subject == "complaint":
            return facts.of_complaint(subject)
        return facts

    @staticmethod
    def _schedule(rule: Rule, subject: str, customer: CustomerInHand, facts: CustomerFacts, episode: Episode | None) -> None:
        now = customer.state.now
        instants = [rule.wake(facts)]
        if episode is not None:
            instants.append(next_wake(rule, episode, facts))
        ahead = [instant for instant in instants if instant is not None and instant > now]
        if ahead:
            customer.wakes[rule.id, subject] = min(ahead)
        else:
            customer.wakes.pop((rule.id, subject), None)


def _earliest(wakes: dict[tuple[str, str], Instant]) -> Instant:
    first = NEVER
    for wake in wakes.values():
        if wake < first:
            first = wake
    return first


def _keep(episodes: list[Episode], index: int | None, after: Episode | None) -> None:
    if index is None:
        if after is not None:
            episodes.append(after)
    elif after is None:
        del episodes[index]
    else:
        episodes[index] = after


def _evidence(rule: Rule, subject: str, customer: CustomerInHand) -> list[int]:
    """Journal positions that bear on a rule's subject, oldest first."""
    state = customer.state
    positions: set[int] = set()
    if rule.subject == "loan" and subject in state.loans.loans:
        positions.update(state.loans.loans[subject].positions)
    elif rule.subject == "complaint" and subject in state.complaints.cases:
        positions.update(state.complaints.cases[subject].positions)
    else:
        for family in rule.families:
            positions.update(state.evidence.get(family, ()))
    return sorted(positions)[-_EVIDENCE_AT_MOST:]


def _alert(customer: CustomerInHand, alert: Alert, look: Look) -> Output:
    headers = [] if look.trace is None else [("traceparent", look.trace.encode())]
    return Output("alerts", customer.customer_id.encode(), alert.model_dump_json().encode(), headers)
