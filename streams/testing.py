"""The test driver for whoever writes a rule: events in, a controlled clock, metrics and alerts out. No broker, no sleep, no mock.

::

    def test_salary_gone():
        bank = Bank()
        bank.salary("c1", "32000.00", day=10, months=6, until="2026-06")
        bank.clock("2026-07-20T00:00:00+08:00")
        [alert] = bank.alerts()
        assert alert.rule == "churn.salary-gone"
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import msgspec

from alerting.pack import Pack, load_pack
from schemas.codec import key_of
from schemas.events import MODELS, AnyEvent, EventKind
from schemas.journal import read_chunk
from schemas.localtime import Instant, to_instant
from schemas.outputs import Alert, Snapshot
from schemas.topics import load_registry
from streams.customer.customer import CustomerInHand
from streams.customer.facts import CustomerFacts
from streams.customer.state import decode
from streams.lane import Frame, Lane
from streams.records import InputRecord, Output

_RECEIVED_AT = 1 << 50  # the broker's time of every record: late enough that no event is in its future


class Bank:
    """One partition of the real engine, fed one event at a time.

    Times are RFC 3339 strings or aware datetimes; a string without a zone is local time of the pack. The clock goes with the
    events: before one later than all others is applied, all that fell due until then is judged. Every event must be valid and not
    later than the pack's ``lateness`` behind the clock: others are what ``raw`` is for, and it leaves the clock alone.
    """

    def __init__(self, pack: str | Pack = "bank-cn") -> None:
        self.pack = load_pack(pack) if isinstance(pack, str) else pack
        self.calendar = self.pack.time
        self.lane = Lane(0, load_registry(partitions=1), self.pack, {})
        self.frames: list[Frame] = []
        self._offsets: dict[EventKind, int] = dict.fromkeys(MODELS, 0)
        self._events = 0
        for kind in MODELS:
            self.lane.ended(kind, True)

    # -- in ----------------------------------------------------------------------------------------------------------

    def event(self, kind: EventKind, customer_id: str, at: str | datetime, /, **fields: Any) -> str:
        """Apply one event of any kind; its ``event_id`` (yours, or a new one). Raises ValueError for one that comes too late to count."""
        self._events += 1
        fields = {"event_id": f"event-{self._events}", "source": "test", "occurred_at": self.time(at).isoformat(), "customer_id": customer_id} | fields
        if kind == "tick":
            del fields["customer_id"]
        value = msgspec.json.encode(fields)
        event: AnyEvent = MODELS[kind].model_validate_json(value)
        if kind != "tick" and to_instant(event.occurred_at) > (self.lane.record.watermark.high or 0):
            self.clock(event.occurred_at)
        late = self.count("late")
        self.raw(kind, key_of(event), value)
        if self.count("late") > late:
            raise ValueError(f"{fields['event_id']} lies more than {self.pack.lateness_days} days before the clock: tell a story in the order of time")
        return str(fields["event_id"])

    def transaction(self, customer_id: str, amount: str, kind: str, at: str | datetime, **fields: Any) -> str:
        """A transaction in the pack's currency; salary, pension, interest and deposit come in, all else goes out unless you say."""
        direction = "in" if kind in ("salary", "pension", "interest", "deposit", "loan_disbursement", "investment_sell") else "out"
        if kind in ("instalment_due", "product_opened", "product_closed", "account_frozen", "loan_write_off"):
            direction = "none"
        defaults = {"account_id": f"{customer_id}-1", "currency": self.pack.currency, "direction": direction}
        return self.event("transaction", customer_id, at, **(defaults | {"kind": kind, "amount": amount} | fields))

    def salary(self, customer_id: str, amount: str, day: int, months: int, until: str = "2026-06", **fields: Any) -> None:
        """A salary on this day of each of the ``months`` up to and including ``until`` (YYYY-MM), at 09:00 local time."""
        last = date.fromisoformat(f"{until}-01")
        for back in range(months - 1, -1, -1):
            year, month = divmod(last.year * 12 + last.month - 1 - back, 12)
            self.transaction(customer_id, amount, "salary", f"{year}-{month + 1:02}-{day:02}T09:00:00", **fields)

    def complaint(self, customer_id: str, case_id: str, step: str, at: str | datetime, **fields: Any) -> str:
        """One step of a complaint."""
        return self.event("complaint", customer_id, at, case_id=case_id, step=step, **fields)

    def survey(self, customer_id: str, score: int, at: str | datetime, instrument: str = "csat", scale_max: int = 5, **fields: Any) -> str:
        """A survey answer; CSAT on 1 to 5 unless you say."""
        scale = {"scale_min": 0 if instrument == "nps" else 1, "scale_max": 10 if instrument == "nps" else scale_max}
        answer = {"kind": "survey_answer", "instrument": instrument, "score": score}
        return self.event("interaction", customer_id, at, **(scale | answer | fields))

    def feedback(self, alert: Alert, action: str, at: str | datetime, **fields: Any) -> str:
        """What somebody says of an alert: acknowledged, dismissed, snoozed ``until`` ... with the fields that the action needs."""
        if "until" in fields:
            fields["until"] = self.time(fields["until"]).isoformat()
        return self.event("feedback", alert.subject.customer_id, at, **({"alert_id": alert.alert_id, "action": action, "actor": "tester"} | fields))

    def clock(self, at: str | datetime) -> None:
        """A tick: everything that falls due up to and including this instant is judged."""
        self.event("tick", "", at, partition=0)

    def raw(self, kind: EventKind, key: bytes | None, value: bytes | None) -> None:
        """One record as bytes, good or bad."""
        self.lane.offer(kind, [InputRecord(self._offsets[kind], _RECEIVED_AT, key, value)])
        self._offsets[kind] += 1
        while (frame := self.lane.frame(1000)) is not None:
            self.frames.append(frame)

    def time(self, at: str | datetime) -> datetime:
        """An aware datetime; one without a zone is local time of the pack."""
        moment = datetime.fromisoformat(at) if isinstance(at, str) else at
        return moment if moment.tzinfo else moment.replace(tzinfo=self.pack.timezone)

    # -- out ---------------------------------------------------------------------------------------------------------

    def revisions(self) -> list[Alert]:
        """Every revision of every alert, in the order written."""
        return [Alert.model_validate_json(output.value or b"") for output in self.outputs("alerts")]

    def alerts(self, rule: str | None = None) -> list[Alert]:
        """The latest revision of every alert (of one rule), in the order raised."""
        latest = {alert.alert_id: alert for alert in self.revisions()}
        return [alert for alert in latest.values() if rule in (None, alert.rule)]

    def open_alerts(self, rule: str | None = None) -> list[Alert]:
        """The alerts that are not closed."""
        return [alert for alert in self.alerts(rule) if alert.state not in ("resolved", "dismissed", "cleared", "expired")]

    def evidence(self, alert: Alert) -> list[AnyEvent]:
        """The events that the alert rests on, read back from the journal, oldest first."""
        entries = {entry.position: entry for output in self.outputs("journal") for entry in read_chunk(output.value or b"")}
        return [MODELS[entries[position].kind].model_validate_json(entries[position].value) for position in alert.evidence.positions]

    def snapshots(self) -> list[Snapshot]:
        """Every snapshot, in the order written."""
        return [Snapshot.model_validate_json(output.value or b"") for output in self.outputs("customer-metrics")]

    def metrics(self, customer_id: str, as_of: str | datetime | None = None) -> CustomerFacts:
        """The customer's metrics by key, as of its last event or a later instant. Raises KeyError for an unknown customer."""
        customer = CustomerInHand(customer_id, decode(self.lane.states[customer_id.encode()]), self.pack, self.calendar, 0)
        if as_of is not None:
            customer.advance(self._instant(as_of))
        return CustomerFacts(customer)

    def outputs(self, topic: str) -> list[Output]:
        """Everything written to an output topic, by its short name."""
        return [output for frame in self.frames for output in frame.outputs if output.topic == topic]

    def count(self, outcome: str) -> int:
        """How many records ended as applied, duplicate, late or dead_lettered."""
        return sum(n for frame in self.frames for (_, ended), n in frame.counts.items() if ended == outcome)

    def _instant(self, at: str | datetime) -> Instant:
        return to_instant(self.time(at))
