"""Every topic is spread over all members, and what a member holds stays with it."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from runledger.processors.assignor import spread

MEMBERS = st.sets(st.sampled_from("abcdef"), min_size=1).map(sorted)
PARTITIONS = st.integers(0, 12).map(lambda count: list(range(count)))


def nothing(members: list[str]) -> dict[str, int]:
    return dict.fromkeys(members, 0)


@given(PARTITIONS, MEMBERS, st.dictionaries(st.integers(0, 14), st.sampled_from("abcdefgh")))
def test_every_partition_has_one_member_and_none_has_two_more_than_another(
    partitions: list[int], members: list[str], held: dict[int, str]
) -> None:
    chosen = spread(partitions, members, held, nothing(members))
    count = Counter(chosen.values())
    assert set(chosen) == set(partitions)
    assert set(count) <= set(members)
    assert max(count[member] for member in members) - min(count[member] for member in members) <= 1


@given(PARTITIONS, MEMBERS)
def test_nothing_moves_while_nobody_joins_or_leaves(partitions: list[int], members: list[str]) -> None:
    held = spread(partitions, members, {}, nothing(members))
    assert spread(partitions, members, held, nothing(members)) == held


@given(PARTITIONS, MEMBERS)
def test_a_member_that_joins_takes_no_more_than_its_share(partitions: list[int], members: list[str]) -> None:
    held = spread(partitions, members, {}, nothing(members))
    joined = spread(partitions, [*members, "z"], held, nothing([*members, "z"]))
    assert all(member == held[partition] for partition, member in joined.items() if member != "z")


@given(PARTITIONS, MEMBERS)
def test_a_member_that_leaves_moves_only_what_it_had(partitions: list[int], members: list[str]) -> None:
    held = spread(partitions, [*members, "z"], {}, nothing([*members, "z"]))
    left = spread(partitions, members, held, nothing(members))
    assert all(member == held[partition] for partition, member in left.items() if held[partition] != "z")


def test_ties_go_to_the_member_with_less_of_other_topics() -> None:
    assert spread([0], ["a", "b"], {}, {"a": 1, "b": 0}) == {0: "b"}
