from __future__ import annotations

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from runledger.scoring.progress import PartitionProgress


def test_nothing_is_due_before_anything_is_taken() -> None:
    progress = PartitionProgress(0)
    assert progress.next_offset is None
    assert progress.due_commit() is None


def test_an_open_job_holds_the_position() -> None:
    progress = PartitionProgress(0)
    for offset in (5, 6, 9):
        progress.take(offset)
    progress.finish(6)
    assert progress.next_offset == 5
    progress.finish(5)
    assert progress.next_offset == 9
    progress.finish(9)
    assert progress.next_offset == 10


def test_a_commit_is_due_only_after_a_move() -> None:
    progress = PartitionProgress(0)
    progress.take(5)
    assert progress.due_commit() == 5
    progress.committed(5)
    assert progress.due_commit() is None
    progress.finish(5)
    assert progress.due_commit() == 6


@given(
    gaps=st.lists(st.integers(1, 4), min_size=1, max_size=30),
    finishing=st.randoms(use_true_random=False),
    finished=st.integers(0, 30),
)
def test_the_position_is_the_first_offset_not_finished(gaps: list[int], finishing: Random, finished: int) -> None:
    """Against a naive look at all of them."""
    offsets = [sum(gaps[: index + 1]) for index in range(len(gaps))]
    progress = PartitionProgress(0)
    for offset in offsets:
        progress.take(offset)
    order = offsets.copy()
    finishing.shuffle(order)
    for offset in order[:finished]:
        progress.finish(offset)
    still_open = [offset for offset in offsets if offset not in order[:finished]]
    assert progress.next_offset == (still_open[0] if still_open else offsets[-1] + 1)
