"""What is old goes, what is left is right, and the sink may write meanwhile."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from runledger.schemas.identifiers import agent_key
from runledger.schemas.run_events import (
    EndedData,
    EndStatus,
    FailureData,
    FailureRecorded,
    RunEnded,
    RunStarted,
    StartedData,
)
from runledger.schemas.topics import AGENTS, SETTINGS
from runledger.sinks.pruning import Pruned, Scope, preview, prune
from runledger.sinks.settings import SinkSettings
from runledger.sinks.verify import verify
from runledger.sinks.writer import Writer
from tests.integration.sinks.conftest import Ledger
from tests.integration.sinks.story import Story, random_event, random_story
from tests.unit.sinks.build import NOON, PROJECT, record, run_number, run_record, score, score_record, tombstone

pytestmark = pytest.mark.integration

LATER = datetime.now(UTC) + timedelta(days=1)
"""Beyond everything that a story tells."""
_STILL_THERE = """
SELECT r.status FROM agent_run AS r JOIN agent_run_log USING (project_key, run_id)
WHERE last_logged_at < %s AND NOT EXISTS (SELECT FROM failure_task AS t WHERE t.resolved_by_run_id = r.run_id)
"""
"""Ended runs that are old enough, and resolve nothing."""
_COUNTED = ("agent_run", "agent_run_log", "scoring_outbox", "run_score", "run_failure", "run_event")


@pytest.fixture
def pruner(ledger: Ledger) -> Iterator[Writer]:
    """A writer as `runledger prune` opens one."""
    writer = Writer(SinkSettings(postgres=ledger.uri))
    yield writer
    writer.close()


def _differences(ledger: Ledger) -> tuple[Any, ...]:
    return verify(ledger.connection).differences


def _counts(ledger: Ledger) -> dict[str, int]:
    return {table: ledger.rows(f"SELECT count(*) FROM {table}")[0][0] for table in _COUNTED}  # noqa: S608  # names of ours


def _middle(ledger: Ledger, share: float) -> datetime:
    """Return the log time before which so large a share of the events stands."""
    at: datetime = ledger.rows("SELECT percentile_disc(%s) WITHIN GROUP (ORDER BY logged_at) FROM run_event", share)[0][
        0
    ]
    return at


@pytest.mark.parametrize("share", [0.4, 0.7, 1.0])
@pytest.mark.parametrize("seed", range(6))
def test_verify_is_clean_after_any_prune_of_any_story(ledger: Ledger, pruner: Writer, seed: int, share: float) -> None:
    ledger.write(random_story(seed, 300, 60, 3).records)
    before = _middle(ledger, share) + timedelta(seconds=1)
    expected, held = preview(pruner, Scope(before)), _counts(ledger)
    pruned = prune(pruner, Scope(before))
    assert _differences(ledger) == ()
    assert _counts(ledger) == {table: count - pruned.rows[table] for table, count in held.items()}
    # What resolved a failure goes once the failure has gone, which a preview cannot know.
    assert pruned.rows["agent_run"] >= expected.rows["agent_run"]
    assert ledger.rows(_STILL_THERE, before) == []


@pytest.mark.parametrize("seed", range(6))
def test_what_comes_after_a_prune_brings_no_run_back_half(ledger: Ledger, pruner: Writer, seed: int) -> None:
    told = random_story(seed, 300, 60, 3)
    ledger.write(told.records)
    prune(pruner, Scope(_middle(ledger, 0.8)))
    gone = {run for (run,) in ledger.rows("SELECT run_id FROM pruned_run")}
    assert gone
    _tell_on(ledger, told, seed)
    assert not gone & {run for (run,) in ledger.rows("SELECT run_id FROM agent_run")}
    assert not gone & {run for (run,) in ledger.rows("SELECT run_id FROM agent_run_log")}
    assert ledger.rows("SELECT bool_or(late_events) FROM pruned_run") == [(True,)]
    assert _differences(ledger) == ()
    prune(pruner, Scope(LATER))
    assert _differences(ledger) == ()


def _tell_on(ledger: Ledger, told: Story, seed: int) -> None:
    """Tell 200 further events of the same runs."""
    dice, before = random.Random(1000 + seed), len(told.records)
    told.tell([random_event(dice, 1000 + number, 60, 3) for number in range(200)])
    ledger.write(told.records[before:])


def test_a_prune_of_one_project_leaves_the_others(ledger: Ledger, pruner: Writer) -> None:
    ledger.write(random_story(1, 200, 40, 3).records)
    held = _counts(ledger)
    assert prune(pruner, Scope(LATER, "another")).rows.total() == 0
    assert _counts(ledger) == held
    assert prune(pruner, Scope(LATER, PROJECT)).rows["agent_run"] > 0


def test_figures_and_states_of_agents_stay(ledger: Ledger, pruner: Writer) -> None:
    ledger.write(random_story(2, 300, 60, 3).records)
    figures = "SELECT project_key, sum(runs), sum(success), sum(failed), sum(scored) FROM run_rollup GROUP BY 1"
    health = "SELECT * FROM agent_health ORDER BY agent_id"
    stood = ledger.rows(figures), ledger.rows(health)
    prune(pruner, Scope(LATER))
    assert (ledger.rows(figures), ledger.rows(health)) == stood


def test_when_an_agent_was_heard_last_stays(ledger: Ledger, pruner: Writer) -> None:
    ledger.write(random_story(2, 300, 60, 3).records)
    heard = (
        "SELECT a.agent_id, greatest(a.heard_at, max(r.heard_at)) FROM agent AS a LEFT JOIN agent_run AS r"
        " ON r.project_key = a.project_key AND r.agent_id = a.agent_id GROUP BY a.agent_id, a.heard_at ORDER BY 1"
    )
    stood = ledger.rows(heard)
    prune(pruner, Scope(LATER))
    assert ledger.rows(heard) == stood


def test_a_preview_deletes_nothing(ledger: Ledger, pruner: Writer) -> None:
    ledger.write(random_story(3, 200, 40, 3).records)
    held = _counts(ledger)
    assert preview(pruner, Scope(LATER)).rows["agent_run"] > 0
    assert _counts(ledger) == held


def test_a_second_prune_finds_nothing(ledger: Ledger, pruner: Writer) -> None:
    ledger.write(random_story(4, 300, 60, 3).records)
    prune(pruner, Scope(LATER))
    assert prune(pruner, Scope(LATER)).rows.total() == 0


def test_days_of_which_nothing_is_left_are_dropped(ledger: Ledger, pruner: Writer) -> None:
    _finish_run(ledger, 1)
    pruned = prune(pruner, Scope(LATER))
    assert pruned.rows["run_event"] == 2
    assert pruned.days == [NOON.date()]
    days = ledger.rows("SELECT relname FROM pg_class WHERE relname ~ '^run_event_\\d{8}$'")
    assert days == []
    _finish_run(ledger, 2, after=2)
    assert _differences(ledger) == ()


def test_a_day_that_somebody_reads_is_left_to_the_next_prune(ledger: Ledger, pruner: Writer) -> None:
    _finish_run(ledger, 1)
    with psycopg.connect(ledger.uri) as reader:
        reader.execute("SELECT count(*) FROM run_event")
        assert prune(pruner, Scope(LATER)).days_left == [NOON.date()]
    assert prune(pruner, Scope(LATER)).days == [NOON.date()]


def test_an_open_run_is_never_pruned(ledger: Ledger, pruner: Writer) -> None:
    told = Story()
    started = RunStarted(
        event_id="s", project_key=PROJECT, run_id=run_number(1), occurred_at=NOON, agent_id="sage", data=StartedData()
    )
    ledger.write(told.tell([started]))
    assert prune(pruner, Scope(LATER)).rows.total() == 0


def test_a_run_that_resolved_a_failure_stays_while_the_failure_does(ledger: Ledger, pruner: Writer) -> None:
    told = Story()
    failed, ended = _failing(1, 0)
    ledger.write(told.tell([failed, *_completing(2, 2)]))
    assert prune(pruner, Scope(LATER)).rows["agent_run"] == 0
    assert ledger.rows("SELECT state, resolved_by_run_id FROM failure_group") == [("resolved", run_number(2))]
    before = len(told.records)
    ledger.write(told.tell([ended])[before:])
    assert prune(pruner, Scope(LATER)).rows["agent_run"] == 2
    assert ledger.rows("SELECT count(*) FROM failure_group") == [(0,)]
    assert _differences(ledger) == ()


def test_a_kind_of_failure_is_judged_by_what_is_left_of_it(ledger: Ledger, pruner: Writer) -> None:
    ledger.write(Story().tell([*_failing(1, 0), *_completing(2, 2), *_failing(3, 4)]))
    assert ledger.rows("SELECT state, failure_count FROM failure_group") == [("regressed", 2)]
    ((third,),) = ledger.rows("SELECT min(logged_at) FROM run_event WHERE run_id = %s", run_number(3))
    assert prune(pruner, Scope(third)).rows["agent_run"] == 2
    assert ledger.rows("SELECT state, failure_count FROM failure_group") == [("open", 1)]
    assert _differences(ledger) == ()


def test_a_score_that_comes_after_its_run_was_pruned_makes_no_row(ledger: Ledger, pruner: Writer) -> None:
    _finish_run(ledger, 1)
    prune(pruner, Scope(LATER))
    ledger.write([score_record(0, score(1))])
    assert ledger.rows("SELECT count(*) FROM run_score") == [(0,)]
    assert _differences(ledger) == ()


def test_a_newer_snapshot_of_a_pruned_run_makes_no_row(ledger: Ledger, pruner: Writer) -> None:
    """The processors still hold it, and its version is newer and its birth the same."""
    told = _finish_run(ledger, 1)
    prune(pruner, Scope(LATER))
    state = told.runs[run_number(1)]
    assert state is not None
    ledger.write([run_record(50, replace(state, version=state.version + 5))])
    assert ledger.rows("SELECT count(*) FROM agent_run") == [(0,)]
    assert ledger.rows("SELECT late_events FROM pruned_run") == [(True,)]


def test_sinks_and_prunes_go_on_beside_each_other(ledger: Ledger, pruner: Writer) -> None:
    """No deadlock, no lost position, no wrong figure: each of forty batches is followed by a prune of what is there."""
    told, stop = random_story(5, 400, 120, 4), threading.Event()
    pruned: list[Pruned] = []

    def go_on_pruning() -> None:
        while not stop.is_set():
            pruned.append(prune(pruner, Scope(LATER)))

    beside = threading.Thread(target=go_on_pruning)
    beside.start()
    try:
        for first in range(0, len(told.records), 25):
            ledger.write(told.records[first : first + 25])
    finally:
        stop.set()
        beside.join()
    prune(pruner, Scope(LATER))
    assert sum(one.rows["agent_run"] for one in pruned) > 0
    kinds = {one.kind for one in _differences(ledger)}
    assert kinds <= {"run_without_events", "run_missing"}, _differences(ledger)


def test_a_killed_prune_is_finished_by_the_next(ledger: Ledger, pruner: Writer) -> None:
    ledger.write(random_story(6, 300, 60, 3).records)

    def be_killed(_done: int, _of: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prune(pruner, Scope(LATER), be_killed)
    assert _differences(ledger) == ()
    prune(pruner, Scope(LATER))
    assert _differences(ledger) == ()
    assert ledger.rows("SELECT count(*) FROM agent_run_log") == [(0,)]


def test_the_writing_role_may_prune_and_erase(ledger: Ledger) -> None:
    """With the rights of its members and no more: a day is dropped, an agent erased, a project's figures deleted."""
    ledger.write(random_story(7, 200, 40, 3).records)
    uri = psycopg.conninfo.make_conninfo(ledger.uri, options="-c role=runledger_write")
    member = Ledger(ledger.uri, ledger.connection, Writer(SinkSettings(postgres=uri)))
    assert preview(member.writer, Scope(LATER)).rows["agent_run"] > 0
    pruned = prune(member.writer, Scope(LATER))
    assert pruned.rows["agent_run"] > 0
    ledger.connection.execute("DELETE FROM agent_run_log")  # what is left of it keeps figures
    ends = dict(ledger.rows("SELECT topic, next_offset FROM consumer_offset"))
    agent, project = agent_key(PROJECT, "agent-1"), PROJECT.encode()
    member.write(
        [
            record(AGENTS, ends["runledger.agents"], agent, None, reason="erased"),
            record(SETTINGS, 0, project, None, reason="erased"),
        ]
    )
    member.writer.close()
    assert ledger.rows("SELECT count(*) FROM agent_health WHERE agent_id = 'agent-1'") == [(0,)]
    assert ledger.rows("SELECT count(*) FROM run_rollup") == [(0,)]


def test_an_erasure_makes_no_agent_quiet(ledger: Ledger) -> None:
    """The known gap: the newest run of an agent is erased, and its agent was heard all the same."""
    told = _finish_run(ledger, 1)
    heard = (
        "SELECT greatest(a.heard_at, max(r.heard_at)) FROM agent AS a LEFT JOIN agent_run AS r USING (agent_id)"
        " GROUP BY a.heard_at"
    )
    stood = ledger.rows(heard)
    before = len(told.records)
    ledger.write([tombstone(before + 9, 1, "erased")])
    assert ledger.rows("SELECT count(*) FROM agent_run") == [(0,)]
    assert ledger.rows(heard) == stood


def _failing(run: int, second: int) -> list[Any]:
    failed = FailureRecorded(
        event_id=f"f-{run}",
        project_key=PROJECT,
        run_id=run_number(run),
        occurred_at=NOON + timedelta(seconds=second),
        agent_id="sage",
        data=FailureData(summary="disk full", task_id="build"),
    )
    return [failed, _end(run, second + 1, "failed")]


def _completing(run: int, second: int) -> list[Any]:
    started = RunStarted(
        event_id=f"s-{run}",
        project_key=PROJECT,
        run_id=run_number(run),
        occurred_at=NOON + timedelta(seconds=second),
        agent_id="sage",
        data=StartedData(task_id="build"),
    )
    return [started, _end(run, second + 1, "completed")]


def _end(run: int, second: int, status: EndStatus) -> RunEnded:
    return RunEnded(
        event_id=f"e-{run}",
        project_key=PROJECT,
        run_id=run_number(run),
        occurred_at=NOON + timedelta(seconds=second),
        data=EndedData(status=status, summary="done"),
    )


def _finish_run(ledger: Ledger, run: int, after: int = 0) -> Story:
    told = Story()
    events = _completing(run, 0)
    if after:
        told.tell([*_completing(1, 0)])
    before = len(told.records)
    ledger.write(told.tell(events)[before:])
    return told
