"""The states of failure groups: the tables' SQL against a naive recount, whatever the order, batches and repeats."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeAlias
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runledger.schemas.fingerprint import fingerprint
from runledger.schemas.run_events import (
    AnyRunEvent,
    EndedData,
    EndStatus,
    FailureData,
    FailureRecorded,
    FailureResolved,
    ResolvedData,
    RunEnded,
    RunStarted,
    StartedData,
)
from runledger.schemas.topics import RUN_EVENTS, RUNS
from runledger.sinks.verify import verify
from tests.integration.sinks.conftest import Ledger
from tests.integration.sinks.story import Story
from tests.unit.sinks.build import NOON, PROJECT, run_number

pytestmark = pytest.mark.integration

_BEGAN = NOON - timedelta(days=1)
"""Records are logged from noon on; what would lie ahead of that were clamped."""
_KINDS = ("disk full", "no such table", "connection reset")
_STATUSES: tuple[EndStatus, ...] = ("completed", "completed", "failed")
_TABLES = (
    "agent, agent_health, agent_run, agent_run_log, consumer_offset, erased_run, failure_group, failure_resolution,"
    " failure_task, incident, run_event, run_failure, run_rollup, scoring_outbox, task_completion"
)
_GROUPS = (
    "SELECT fingerprint, state, resolved_at, resolved_by_run_id, resolved_by_event_id FROM failure_group"
    " ORDER BY fingerprint"
)
Group: TypeAlias = tuple[str, str, datetime | None, UUID | None, str | None]


def _common(run: int, minute: int, name: str) -> dict[str, Any]:
    at = _BEGAN + timedelta(minutes=minute)
    return {"event_id": name, "project_key": PROJECT, "run_id": run_number(run), "occurred_at": at, "agent_id": "sage"}


def started(run: int, minute: int, task: str | None) -> RunStarted:
    return RunStarted(**_common(run, minute, f"start-{run}-{minute}-{task}"), data=StartedData(task_id=task))


def ended(run: int, minute: int, status: EndStatus = "completed") -> RunEnded:
    return RunEnded(**_common(run, minute, f"end-{run}-{minute}-{status}"), data=EndedData(status=status))


def failed(run: int, minute: int, kind: int = 0, task: str | None = None, *, detached: bool = False) -> FailureRecorded:
    data = FailureData(summary=_KINDS[kind], task_id=task, detached=detached)
    return FailureRecorded(**_common(run, minute, f"fail-{run}-{minute}-{kind}-{task}-{detached}"), data=data)


def resolved(run: int, minute: int, kind: int = 0, note: str | None = None) -> FailureResolved:
    data = ResolvedData(fingerprint=_fingerprint(kind), note=note, by="ops")
    return FailureResolved(**_common(run, minute, f"resolve-{run}-{minute}-{kind}"), data=data)


def _fingerprint(kind: int) -> str:
    return fingerprint(PROJECT, _KINDS[kind])


# --- a naive model ----------------------------------------------------------------------------------------------------


def naive_groups(story: Story, events: Iterable[AnyRunEvent]) -> list[Group]:
    """Recount from the distinct events and the runs' last snapshots."""
    distinct = list({(one.run_id, one.event_id): one for one in events}.values())
    failures = [one for one in distinct if isinstance(one, FailureRecorded)]
    words = [one for one in distinct if isinstance(one, FailureResolved)]
    groups = []
    for kind in sorted({_kind_of(one) for one in failures}):
        own = [one for one in failures if _kind_of(one) == kind]
        ways = [(one.occurred_at, 1, one.event_id, one.run_id) for one in words if one.data.fingerprint == kind]
        found: list[tuple[datetime, int, str, UUID]] = list(ways)
        for task in {one.data.task_id for one in own} - {None}:
            found += _by_run(story, failures, [one.occurred_at for one in own if one.data.task_id == task], task)
        last_seen_at = max(one.occurred_at for one in own)
        if not found:
            groups.append((kind, "open", None, None, None))
            continue
        at, by_word, event_id, run_id = max(found)
        state = "regressed" if last_seen_at > at else "resolved"
        groups.append((kind, state, at, None if by_word else run_id, event_id if by_word else None))
    return groups


def _kind_of(event: FailureRecorded) -> str:
    return fingerprint(event.project_key, event.data.error or event.data.summary)


def _by_run(
    story: Story, failures: Iterable[FailureRecorded], failed_at: list[datetime], task: str | None
) -> list[tuple[datetime, int, str, UUID]]:
    of_task = {one.run_id for one in failures if one.data.task_id == task and not one.data.detached}
    completed = [
        (run.ended_at, run.run_id)
        for run in story.runs.values()
        if run is not None and run.status == "completed" and run.ended_at is not None
        if run.task_id == task or run.run_id in of_task
    ]
    after = [one for one in completed if one[0] > max(failed_at)]
    before = [one for one in completed if one[0] > min(failed_at)]
    chosen = min(after) if after else max(before, default=None)
    return [] if chosen is None else [(chosen[0], 0, "", chosen[1])]


# --- any story --------------------------------------------------------------------------------------------------------

_runs = st.integers(0, 4)
_minutes = st.integers(0, 12)
_tasks = st.sampled_from([None, "build", "deploy"])
_events: st.SearchStrategy[AnyRunEvent] = st.one_of(
    st.builds(started, _runs, _minutes, _tasks),
    st.builds(ended, _runs, _minutes, st.sampled_from(_STATUSES)),
    st.builds(failed, _runs, _minutes, st.integers(0, 2), _tasks, detached=st.booleans()),
    st.builds(resolved, _runs, _minutes, st.integers(0, 2)),
)


@dataclass(frozen=True, slots=True)
class Telling:
    """A story, and the ways in which its records reach the tables."""

    events: list[AnyRunEvent]
    seed: int


_tellings = st.builds(Telling, st.lists(_events, min_size=1, max_size=25), st.integers(0, 10**6))


def _tell_in_batches(ledger: Ledger, story: Story, dice: random.Random) -> None:
    """Write the records as several sinks might: each topic in its order, topics and batches as they come."""
    queues = [[one for one in story.records if one.suffix == suffix] for suffix in (RUN_EVENTS.suffix, RUNS.suffix)]
    while any(queues):
        queue = dice.choice([one for one in queues if one])
        batch = [queue.pop(0) for _ in range(min(len(queue), dice.randint(1, 6)))]
        if dice.random() < 0.3:
            batch += [other.pop(0) for other in queues if other and other is not queue]
        ledger.write(batch)


def _emptied(ledger: Ledger) -> Ledger:
    ledger.connection.execute(f"TRUNCATE {_TABLES}".encode())
    return ledger


def test_states_equal_a_naive_recount_whatever_the_order_batches_and_repeats(ledger: Ledger) -> None:
    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    @given(_tellings)
    def check(telling: Telling) -> None:
        dice = random.Random(telling.seed)
        orders = [telling.events, dice.sample(telling.events, len(telling.events))]
        orders[1] += dice.sample(telling.events, dice.randint(0, len(telling.events)))
        for order in orders:
            story = Story()
            story.tell(order)
            _tell_in_batches(_emptied(ledger), story, dice)
            assert ledger.rows(_GROUPS) == naive_groups(story, telling.events)
            assert [one for one in verify(ledger.connection).differences if one.kind.startswith(_OURS)] == []

    check()


_OURS = ("failure", "task", "resolution")
