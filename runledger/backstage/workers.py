"""Ask the workers how they do, all at once."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from runledger.analytics.dashboard.backstage import WorkerLook
from runledger.stack.vitals import why_unwell

_AT_ONCE = 16


def look_at_workers(workers: Sequence[tuple[str, str, int]]) -> tuple[WorkerLook, ...]:
    """Ask each at its /healthz; who does not answer within seconds is unwell.

    Args:
        workers: (name, host, port) of each.
    """
    if not workers:
        return ()
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="ask") as pool:
        problems = pool.map(lambda worker: why_unwell(*worker[1:]), workers)
        return tuple(WorkerLook(name, problem) for (name, *_), problem in zip(workers, problems, strict=True))
