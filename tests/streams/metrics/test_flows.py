"""Flows: the snapshot's one pass over the cells and a rule's look-up of one key give the same; the norm."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.metrics import DICTIONARY
from streams.metrics.flows import NEAR, UNCONVERTED, Flows, label
from streams.metrics.windows import History

TODAY = 20_000
_CELL = st.tuples(
    st.integers(0, 380),
    st.sampled_from(("in", "out")),
    st.sampled_from(("deposit", "salary", "transfer", "fee")),
    st.sampled_from(("atm", "branch")),
    st.sampled_from(("", NEAR, UNCONVERTED)),
    st.sampled_from((1, -1)),
    st.integers(0, 1000),
)


@settings(max_examples=100, deadline=None)
@given(st.lists(_CELL, max_size=30))
def test_the_snapshot_shows_what_a_rule_reads(cells: list[Any]) -> None:
    flows = Flows(History(), TODAY)
    for ago, direction, kind, channel, mark, sign, amount in cells:
        flows.windows.add(TODAY - ago, label(direction, kind, channel, mark), sign, sign * amount)
    filled: dict[str, Any] = {}
    flows.fill(filled)
    read: dict[str, Any] = {}
    for days in DICTIONARY["flow.in.count"].windows:
        for direction in ("in", "out"):
            read[f"flow.{direction}.count.{days}d"] = flows.count(direction, days)
            read[f"flow.{direction}.amount.{days}d"] = flows.amount(direction, days)
        for facet in ("kind", "channel"):
            read[f"flow.{facet}.count.{days}d"], read[f"flow.{facet}.amount.{days}d"] = flows.by(facet, days)
    read["cash.near_threshold.count.1d"], read["cash.near_threshold.amount.1d"] = flows.marked(NEAR, 1)
    read["flow.unconverted.count.365d"] = flows.marked(UNCONVERTED, 365)[0]
    read["activity.frequency.365d"], read["activity.monetary.365d"] = flows.initiated(365)
    assert filled == {key: value for key, value in read.items() if value}


def _spending(ago: int, amount: int) -> Flows:
    flows = Flows(History(), TODAY)
    flows.windows.add(TODAY - ago, label("out", "transfer", "online", ""), 1, amount)
    return flows


def test_the_norm_is_that_of_the_180_days_before_the_last_30() -> None:
    assert _spending(30, 6000).norm(TODAY - 400) == 1000
    assert _spending(209, 6000).norm(TODAY - 400) == 1000
    assert _spending(29, 6000).norm(TODAY - 400) == 0
    assert _spending(210, 6000).norm(TODAY - 400) == 0


def test_the_norm_needs_90_days_known() -> None:
    assert _spending(50, 9000).norm(TODAY - 30 - 89) == 3000
    assert _spending(50, 9000).norm(TODAY - 30 - 88) is None
    assert _spending(50, 9000).norm(None) is None
