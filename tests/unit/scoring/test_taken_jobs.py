"""A worker counts what it gives up, and stops before the job that is one too many."""

from __future__ import annotations

import pytest

from runledger.schemas.dead_letter_limits import Limits, Refusals
from runledger.scoring.errors import DeadLetterLimitError
from runledger.scoring.jobs import TakenJob
from runledger.scoring.progress import PartitionProgress

LIMITS = Limits(in_a_row=2)


def job(progress: PartitionProgress, offset: int) -> TakenJob:
    return TakenJob("runledger.scoring-jobs", 1, offset, None, None, 0, (), progress)


def test_jobs_given_up_in_a_row_stop_the_worker_and_are_not_counted() -> None:
    progress = PartitionProgress(1)
    for offset in range(2):
        job(progress, offset).refuse(LIMITS)
    for _ in range(2):
        with pytest.raises(DeadLetterLimitError, match="RUNLEDGER_DEAD_LETTER_LIMIT"):
            job(progress, 2).refuse(LIMITS)
    assert progress.refusals == Refusals(2, 2, 2)


def test_an_answer_ends_the_row() -> None:
    progress = PartitionProgress(1, Refusals.from_text("2,5,2"))
    job(progress, 5).answered(LIMITS)
    job(progress, 6).refuse(LIMITS)
    assert progress.refusals == Refusals(1, 7, 3)
