"""Faults 21 to 24: late, reordered, from wrong clocks, read after a pause, and told again."""

from __future__ import annotations

import itertools
import signal
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import orjson
import pytest

from runledger.schemas.codec import decode
from runledger.schemas.outcomes import Incident
from runledger.schemas.run_events import (
    AnyRunEvent,
    EndedData,
    EndStatus,
    RunEnded,
    RunHeartbeat,
    RunStarted,
    StartedData,
    UsageData,
    UsageReported,
)
from runledger.schemas.topics import INCIDENTS, RUNS
from runledger.schemas.usage import TokenUsage
from tests.e2e.command import runledger
from tests.e2e.pipeline import wait_for
from tests.faults.ledger import Sender
from tests.faults.site import WORKERS, MakeSite, Site

pytestmark = [pytest.mark.faults, pytest.mark.timeout(400)]

DEADLINE_SECONDS = 6
PAUSE_SECONDS = 14
BEATS_PER_SECOND = 20


def life(agent: str, at: datetime, status: EndStatus = "completed") -> list[AnyRunEvent]:
    """A run that began at `at`, used ten tokens and ended a minute later."""
    run: dict[str, Any] = {"project_key": "alpha", "run_id": uuid4()}

    def common(minutes: float) -> dict[str, Any]:
        return {**run, "event_id": str(uuid4()), "occurred_at": at + timedelta(minutes=minutes)}

    usage = UsageData(token_usage=TokenUsage(input_tokens=10))
    return [
        RunStarted(**common(0), agent_id=agent, data=StartedData(summary="try it")),
        UsageReported(**common(0.5), data=usage),
        RunEnded(**common(1), data=EndedData(status=status, summary="done")),
    ]


def test_fault_21_late_and_reordered(site: MakeSite) -> None:
    """Ends before starts, usage after ends; and what comes after its run has left memory is marked as late."""
    here = site(21, "late and reordered events")
    here.load(3000, late=0.6, lateness=2500)
    here.judge("O1", "O2", "O5", "O6", "O8")
    (processor,) = here.workers("processor")
    processor.stop()
    here.running.start("processor", {f"RUNLEDGER_{kind}_RETENTION_SECONDS": "1" for kind in ("ENDED", "RECORD")})
    ended = here.evidence().rows("SELECT * FROM agent_run WHERE kind = 'lifecycle' AND ended_at IS NOT NULL")[0]
    wanted = f"{ended['project_key']}/{ended['run_id']}".encode()
    here.load(200)  # log time goes on
    wait_for("the run leaves memory", lambda: gone(here, wanted), 60)
    late = UsageReported(
        event_id=str(uuid4()),
        project_key=ended["project_key"],
        run_id=ended["run_id"],
        occurred_at=datetime.now(UTC),
        data=UsageData(token_usage=TokenUsage(input_tokens=5)),
    )
    here.tell(late)
    here.judge("O1", "O6", "O8")
    now = here.evidence().rows(f"SELECT total_tokens, late_events FROM agent_run WHERE run_id = '{ended['run_id']}'")  # noqa: S608  # an id of ours
    assert now == [{"total_tokens": ended["total_tokens"], "late_events": True}]


def gone(here: Site, key: bytes) -> bool:
    """Whether the newest snapshot of a run is a tombstone."""
    return {record.key: record.value for record in here.evidence().topic(RUNS)}.get(key, b"") is None


def test_fault_22_clocks_are_wrong(site: MakeSite) -> None:
    """Agents an hour ahead or behind, and one ten years ahead, whose runs all went well: nobody is called failing."""
    here = site(22, "clock skew of an hour and of ten years")
    load = here.load(2000, 500, skew_seconds=3600)
    here.wait_until_working()
    now = datetime.now(UTC)
    for number in range(6):
        here.tell(*life("from-the-future", now + timedelta(days=3652, minutes=2 * number)))
        here.tell(*life("between-two-clocks", now + timedelta(hours=(-1) ** number)))
    load.wait()
    here.judge("O1", "O2", "O6", "O8")
    told = here.evidence().rows("SELECT agent_id FROM incident WHERE agent_id NOT LIKE 'agent-%'")
    assert told == []
    latest = here.count("SELECT count(*) FROM agent_run WHERE ended_at > now() + interval '1 hour 6 minutes'")
    assert latest == 0


def test_fault_23_processor_paused_with_a_backlog(site: MakeSite) -> None:
    """Longer than a run's deadline and an agent's interval; its runs beat all the time. Nobody is given up or quiet."""
    scaled = f"{PAUSE_SECONDS} s for 10 min, deadlines and intervals of {DEADLINE_SECONDS} s"
    deadline = {"RUNLEDGER_RUN_DEADLINE_SECONDS": str(DEADLINE_SECONDS)}
    here = site(23, "processor paused with a backlog", workers=(*WORKERS, "watch"), scaled=scaled, **deadline)
    every = ("--project", "alpha", "--every", f"{DEADLINE_SECONDS}s")
    said = runledger(here.settings, "agents", "set", "pulse", *every)
    assert said.returncode == 0, said.stderr
    here.tell(*life("early-bird", datetime.now(UTC)))
    here.wait_until_working()
    runs = [life("pulse", datetime.now(UTC)) for _ in range(5)]
    here.tell(*(run[0] for run in runs))
    beats = Sender(here.settings, here.ledger, beating(runs), BEATS_PER_SECOND)
    here.senders.append(beats)
    wait_for("the runs", lambda: here.count("SELECT count(*) FROM agent_run") == 1 + len(runs), 60)
    (processor,) = here.workers("processor")
    processor.signal(signal.SIGSTOP)
    began = time.monotonic()
    while time.monotonic() - began < PAUSE_SECONDS:
        assert quiet(here) == []
    resumed = datetime.now(UTC)
    processor.signal(signal.SIGCONT)
    reached = f"SELECT count(*) FROM pipeline_span WHERE reached_at > '{resumed}'"  # noqa: S608  # a time of ours
    wait_for("a watermark of after the pause", lambda: here.count(reached) > 0, 60)
    assert quiet(here) == []  # while its runs beat: some seconds after their end it is quiet indeed
    beats.stop()
    beats.wait()
    here.tell(*(event for run in runs for event in run[1:]))
    here.judge("O1", "O2", "O5", "O8")
    assert here.count("SELECT count(*) FROM run_event WHERE type LIKE '%timed_out%'") == 0
    assert here.count("SELECT count(*) FROM agent_run WHERE timed_out OR status <> 'completed'") == 0


def beating(runs: list[list[AnyRunEvent]]) -> Iterator[AnyRunEvent]:
    """Give signs of life of one run after another, for ever."""
    for run in itertools.cycle(runs):
        yield RunHeartbeat(
            event_id=str(uuid4()), project_key=run[0].project_key, run_id=run[0].run_id, occurred_at=datetime.now(UTC)
        )


def quiet(here: Site) -> list[dict[str, Any]]:
    """What the auditor finds."""
    done = runledger(here.settings, "audit", "--json")
    found: list[dict[str, Any]] = orjson.loads(done.stdout)["found"]
    return found


def test_fault_24_failing_streak_across_a_replay(site: MakeSite) -> None:
    """The whole story is told twice, with a kill in between: one incident opens, once, and recovers once."""
    here = site(24, "a failing streak across a replay")
    at = datetime(2026, 4, 1, tzinfo=UTC)
    told = [event for hour in range(5) for event in life("unlucky", at + timedelta(hours=hour), "failed")]
    here.tell(*told)
    wait_for("the incident", lambda: here.count("SELECT count(*) FROM incident") == 1, 60)
    here.kill(*here.workers("processor"))
    here.tell(*told)
    here.judge("O1", "O2", "O5", "O8")
    here.kill(*here.workers("processor"), *here.workers("sink"))
    here.tell(*told, *life("unlucky", at + timedelta(hours=9)), *told)
    here.judge("O1", "O2", "O5", "O8")
    said = [decode(Incident, record.value).state for record in here.evidence().topic(INCIDENTS)]
    assert said == ["open", "recovered"]
