"""The simulation is only worth what it finds: each bug, put back on purpose, must be found within a few schedules."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from schemas.codec import Rejected
from schemas.events import EventKind
from streams.customer.state import decode, encode, wake_of
from streams.engine.hub import Hub
from streams.engine.keeper import Keeper
from streams.engine.ports import Processor
from streams.lane import Lane
from streams.partition_record import KEY, decode_record, encode_record
from streams.processors import customer_processor
from streams.records import Record
from tests.simulation.invariants import check
from tests.simulation.schedule import Mode, Schedule, ground, mode_of

AT_MOST = 100


def found(mode: Mode | None = None, processor: Processor | None = None) -> list[str]:
    """What the first schedule that finds anything says; fails if none of ``AT_MOST`` does."""
    seeds = [seed for seed in range(5 * AT_MOST) if mode in (None, mode_of(seed))][:AT_MOST]
    for seed in seeds:
        wrong = check(Schedule(seed, processor).run())
        if wrong:
            return wrong
    raise AssertionError(f"{len(seeds)} schedules have not found the bug")


def test_committing_before_the_transaction(monkeypatch: pytest.MonkeyPatch) -> None:
    next_frame = Keeper._next_frame

    def early(keeper: Keeper) -> Any:
        frame = next_frame(keeper)
        if frame is not None:
            keeper._settle(frame)
        return frame

    monkeypatch.setattr(Keeper, "_next_frame", early)
    assert any("the changelog has lost records" in wrong or "the group has committed" in wrong for wrong in found("transactions"))


@pytest.mark.parametrize("mode", ["transactions", "plain"])
def test_a_lost_revoke(monkeypatch: pytest.MonkeyPatch, mode: Mode) -> None:
    async def lost(_hub: Hub) -> None:
        """Go on as if nothing had been said."""

    monkeypatch.setattr(Hub, "revoked", lost)
    assert found(mode)


def test_state_kept_after_a_revoke_and_used_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only with transactions: without them the old state goes through the same records to the same end, and nobody can tell."""
    assigned = Hub.assigned

    def keep(hub: Hub, places: set[Any], generation: int) -> None:
        numbers = {place.partition for place in places}
        kept = hub.__dict__.setdefault("kept", {})
        kept.update({number: hub._keepers.pop(number) for number in list(hub._keepers) if number not in numbers})
        hub._keepers.update({number: kept.pop(number) for number in numbers if number in kept})
        hub._generation = generation - 1
        assigned(hub, places, generation)

    monkeypatch.setattr(Hub, "assigned", keep)
    seeds = [seed for seed in range(20) if mode_of(seed) == "transactions"]
    finding = [seed for seed in seeds if any("fenced" in wrong for wrong in check(Schedule(seed, to_and_fro=True).run()))]
    assert len(finding) >= len(seeds) // 4


def test_a_partition_that_comes_back_is_read_anew() -> None:
    """The schedules that find the bug above find nothing without it."""
    assert not [wrong for seed in range(15) for wrong in check(Schedule(seed, to_and_fro=True).run())]


def with_states(change: Callable[[dict[bytes, bytes]], None]) -> Processor:
    """The customer processor whose recovered states are changed before they are used."""
    processor = customer_processor(*ground())

    def faulty(number: int, states: dict[bytes, bytes]) -> Any:
        change(states)
        return processor.lane_factory(number, states)

    return replace(processor, lane_factory=faulty)


def test_the_guard_in_each_customer_removed() -> None:
    def forget_offsets(states: dict[bytes, bytes]) -> None:
        for key, value in states.items():
            if key != KEY:
                state = decode(value)
                state.offsets.clear()
                states[key] = encode(state, wake_of(value))

    assert found("plain", with_states(forget_offsets))


@pytest.mark.parametrize("mode", ["transactions", "plain"])
def test_the_recovered_positions_ignored(mode: Mode) -> None:
    def forget_positions(states: dict[bytes, bytes]) -> None:
        if KEY in states:
            record = decode_record(states[KEY])
            record.inputs.clear()
            states[KEY] = encode_record(record)

    assert found(mode, with_states(forget_positions))


@pytest.mark.parametrize("mode", ["transactions", "plain"])
def test_the_clock_moved_by_a_tick_that_was_only_read(monkeypatch: pytest.MonkeyPatch, mode: Mode) -> None:
    offer = Lane.offer

    def hasty(lane: Lane, kind: EventKind, records: Sequence[Record]) -> None:
        if kind == "tick":
            for record in records:
                try:
                    _tick, at = lane._decode(kind, record)
                except Rejected:
                    continue
                lane.record.watermark.tick(at)
        offer(lane, kind, records)

    monkeypatch.setattr(Lane, "offer", hasty)
    assert any("differ" in wrong or "lost or added" in wrong or "counted" in wrong for wrong in found(mode))
