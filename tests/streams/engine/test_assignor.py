"""Sharing out partition numbers: balanced, complete, and moving no more than it must."""

from __future__ import annotations

from types import SimpleNamespace

from hypothesis import given
from hypothesis import strategies as st

from streams.engine.assignor import CopartitionAssignor, share_out

claims = st.dictionaries(st.text("abcdef", min_size=1, max_size=3), st.sets(st.integers(0, 30)), min_size=1, max_size=8)


@given(st.integers(0, 24), claims)
def test_every_number_has_one_owner_and_counts_differ_by_one(count: int, claims: dict[str, set[int]]) -> None:
    shares = share_out(range(count), claims)
    assert sorted(number for share in shares.values() for number in share) == list(range(count))
    assert max(map(len, shares.values())) - min(map(len, shares.values())) <= 1


@given(st.integers(1, 24), st.integers(1, 6))
def test_a_rebalance_that_changes_nothing_moves_nothing(count: int, members: int) -> None:
    before = share_out(range(count), {f"m{index}": [] for index in range(members)})
    assert share_out(range(count), before) == before


@given(st.integers(2, 24), st.integers(2, 6))
def test_who_stays_keeps_what_it_had_when_another_leaves(count: int, members: int) -> None:
    before = share_out(range(count), {f"m{index}": [] for index in range(members)})
    del before["m0"]
    after = share_out(range(count), before)
    assert all(set(before[member]) <= set(after[member]) for member in before)


def test_all_topics_of_a_number_go_to_one_member_and_it_claims_them_next_time() -> None:
    topics = {"crm.transactions": {0, 1, 2, 3}, "crm.complaints": {0, 1, 2, 3}}
    cluster = SimpleNamespace(partitions_for_topic=topics.get)
    assignors = {"one": CopartitionAssignor(), "two": CopartitionAssignor()}
    for _ in range(2):
        members = {name: assignor.metadata(topics) for name, assignor in assignors.items()}
        shares = assignors["one"].assign(cluster, members)
        for name, assignor in assignors.items():
            assignor.on_assignment(shares[name])
            given = dict(shares[name].assignment)
            assert given["crm.transactions"] == given["crm.complaints"]
            assert len(given["crm.transactions"]) == 2
    assert assignors["one"].metadata(topics).user_data == b"0,1"


def test_a_topic_the_broker_does_not_know_is_left_out() -> None:
    cluster = SimpleNamespace(partitions_for_topic={"crm.transactions": {0}}.get)
    assignor = CopartitionAssignor()
    shares = assignor.assign(cluster, {"one": assignor.metadata(["crm.transactions", "crm.ticks"])})
    assert dict(shares["one"].assignment) == {"crm.transactions": [0], "crm.ticks": []}
