"""Replay a file of runs into the ledger and wait for what the ledger makes of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import psycopg

from runledger.analytics.summary import AgentRow, RunRow, select_agents, select_runs, totals
from runledger.producers.client import RunClient
from runledger.producers.importers import read_events, replay
from runledger.producers.settings import ProducerSettings
from runledger.schemas.run_events import AnyRunEvent, RunEnded, RunLogged, RunRecorded
from runledger.settling import settled_report
from runledger.sinks.verify import Report

_POLL_SECONDS = 0.1
_SETTLE_SECONDS = 15


class NotScoredError(Exception):
    """Not every finished run was scored in time."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a file held.

    Args:
        runs: (project, run) of every run.
        finished: those of them that have an end; the others end only by their deadline.
        events: how many events were sent.
    """

    runs: frozenset[tuple[str, UUID]]
    finished: frozenset[tuple[str, UUID]]
    events: int


@dataclass(frozen=True, slots=True)
class Findings:
    """What the ledger says of the runs replayed."""

    runs: list[RunRow]
    agents: list[AgentRow]
    report: Report

    def totals(self) -> dict[str, object]:
        """Add it up, as `--json` prints it."""
        return totals(self.runs, self.agents, verified=self.report.clean)


def send_file(
    path: Path, settings: ProducerSettings, *, rate: float | None = None, progress: Callable[[int, int], None]
) -> Replayed:
    """Send every event of a file and wait for the broker's acknowledgements.

    Args:
        path: the file, in any format of `runledger.producers.importers`.
        settings: where the broker is.
        rate: events per second; None for as fast as the broker takes them.
        progress: called with (events sent, events in all).

    Raises:
        ProducerError: the file cannot be read, or the broker did not take everything.
    """
    events = list(read_events(path))
    with RunClient(kafka=settings.kafka, settings=settings, strict=True) as client:
        sent = replay(events, client, rate=rate, on_progress=lambda count: progress(count, len(events)))
    return Replayed(
        _runs(events), _runs([e for e in events if isinstance(e, RunEnded | RunRecorded | RunLogged)]), sent
    )


def _runs(events: Sequence[AnyRunEvent]) -> frozenset[tuple[str, UUID]]:
    return frozenset((event.project_key, event.run_id) for event in events)


def wait_until_scored(
    connection: psycopg.Connection,
    replayed: Replayed,
    *,
    timeout_seconds: float,
    progress: Callable[[int, int], None],
) -> None:
    """Wait until every finished run of the file has its score.

    Args:
        connection: in autocommit mode, so that each look is a new one.
        replayed: of `send_file`.
        timeout_seconds: how long to wait.
        progress: called with (runs scored, runs to be scored).

    Raises:
        NotScoredError: the time is over.
    """
    deadline = time.monotonic() + timeout_seconds
    while True:
        scored = sum(run.score is not None for run in select_runs(connection, list(replayed.finished)))
        progress(scored, len(replayed.finished))
        if scored == len(replayed.finished):
            return
        if time.monotonic() > deadline:
            raise NotScoredError(
                f"{scored} of {len(replayed.finished)} finished runs were scored within {timeout_seconds:.0f} s; "
                "`runledger status` shows what the pipeline is doing"
            )
        time.sleep(_POLL_SECONDS)


def look(connection: psycopg.Connection, replayed: Replayed) -> Findings:
    """Read the runs of the file from the tables, and recount the whole ledger."""
    runs = list(replayed.runs)
    report = settled_report(connection, _SETTLE_SECONDS)
    return Findings(select_runs(connection, runs), select_agents(connection, runs), report)
