"""What must have come of a log: every run, outcome, streak and incident recounted from the list of distinct events.

The counting is the reducers' own test's (tests/unit/processors/laws): nothing of it is the product's code.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeAlias
from uuid import UUID

from runledger.processors.pricing import estimate_usd
from runledger.schemas.codec import decode, decode_event
from runledger.schemas.errors import DecodeError
from runledger.schemas.outcomes import RunOutcome
from runledger.schemas.run_events import RunTimedOut
from tests.faults.ledger import EventKey, key_of
from tests.faults.topics import Logged
from tests.unit.processors.laws import agents_model
from tests.unit.processors.laws.model import Said, Told, recount

RunKey: TypeAlias = tuple[str, UUID]
AgentKey: TypeAlias = tuple[str, str]
THRESHOLDS = (3, 3)


@dataclass(frozen=True)
class Log:
    """The topic run-events, read.

    Args:
        lives: {run: its distinct events in log order}.
        places: {(partition, offset): event that stands there}.
        timeouts: the ledger's own events.
    """

    lives: dict[RunKey, list[Said]]
    places: dict[tuple[int, int], EventKey]
    timeouts: set[EventKey]


def read_log(records: Iterable[Logged], only: Collection[RunKey] | None = None) -> Log:
    """Sort out the records of run-events.

    Args:
        records: of each partition in order.
        only: the runs whose lives are kept; None for all.
    """
    lives: dict[RunKey, list[Said]] = defaultdict(list)
    places: dict[tuple[int, int], EventKey] = {}
    known: set[EventKey] = set()
    timeouts: set[EventKey] = set()
    for record in records:
        try:
            event = decode_event(record.value, record.key)
        except DecodeError:
            continue
        key = places[record.partition, record.offset] = key_of(event)
        if isinstance(event, RunTimedOut):
            timeouts.add(key)
        if key not in known:
            known.add(key)
            if only is not None and key[:2] not in only:
                continue
            lives[event.project_key, event.run_id].append(Said(record.offset, record.logged_at, event))
    return Log(lives, places, timeouts)


def recount_runs(log: Log) -> dict[RunKey, Told]:
    """Recount every run of which something counts."""
    told = {run: recount(life, (), estimate_usd) for run, life in log.lives.items()}
    return {run: found for run, found in told.items() if found is not None}


def recount_agents(
    runs: dict[RunKey, Told], outcomes: Sequence[Logged], thresholds: tuple[int, int] = THRESHOLDS
) -> tuple[dict[AgentKey, agents_model.Agent], list[str]]:
    """Recount every agent, in the order in which its runs' outcomes stand in run-outcomes.

    Returns:
        ({agent: what it comes to}, what stands in run-outcomes otherwise than the runs have it).
    """
    expected = {(run, outcome.revision): outcome for run, told in runs.items() for _, outcome in told.outcomes}
    arrived: dict[AgentKey, list[agents_model.Arrived]] = defaultdict(list)
    differences: list[str] = []
    for record in outcomes:
        said = decode(RunOutcome, record.value)
        mine = expected.pop(((said.project_key, said.run_id), said.revision), None)
        if said != mine:
            differences.append(f"outcome {said.revision} of {said.run_id}: expected {mine}, found {said}")
        arrived[said.project_key, said.agent_id].append(
            agents_model.Arrived(record.offset, record.logged_at, said, thresholds)
        )
    differences += [f"outcome {revision} of {run} is missing" for run, revision in expected]
    return {agent: agents_model.Agent(told) for agent, told in arrived.items()}, differences


def hasty(log: Log, deadline: timedelta) -> list[EventKey]:
    """Name the timeouts that came before their run had been silent for so long, by the log's time."""
    found = []
    for life in log.lives.values():
        logged_at = {said.offset: said.logged_at for said in life}
        for said in life:
            if isinstance(said.event, RunTimedOut):
                last_heard = logged_at.get(said.event.data.last_version - 1)
                if last_heard is None or said.logged_at - last_heard < deadline:
                    found.append(key_of(said.event))
    return found


def strangers(log: Log, sent: Collection[EventKey]) -> list[EventKey]:
    """Name the events in the log that nobody sent; the ledger's own timeouts aside."""
    return [key for key in set(log.places.values()) if key not in sent and key not in log.timeouts]
