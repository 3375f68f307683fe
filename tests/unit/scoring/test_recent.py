from __future__ import annotations

from uuid import UUID

from runledger.scoring.recent import RecentJobs


def test_the_oldest_job_is_forgotten_first() -> None:
    recent = RecentJobs(2)
    for number in (1, 2, 1, 3):
        recent.add(UUID(int=number))
    assert UUID(int=1) in recent
    assert UUID(int=2) not in recent
    assert UUID(int=3) in recent
