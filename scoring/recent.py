"""The ids of the jobs answered last, so that a repeat is not scored again."""

from __future__ import annotations

from collections import OrderedDict
from uuid import UUID


class RecentJobs:
    """Remember a bounded number of job ids, forgetting the oldest. Beyond it the sink tells repeats by job id."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._ids: OrderedDict[UUID, None] = OrderedDict()

    def __contains__(self, job_id: UUID) -> bool:
        return job_id in self._ids

    def add(self, job_id: UUID) -> None:
        """Remember an answered job."""
        self._ids[job_id] = None
        self._ids.move_to_end(job_id)
        if len(self._ids) > self._capacity:
            self._ids.popitem(last=False)
