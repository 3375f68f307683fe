"""Every oracle lets what is right pass, and says so when one row, one record or one word of the ledger is wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeAlias
from uuid import UUID, uuid4

import psycopg
import pytest

from runledger.schemas.codec import decode, decode_event, encode, encode_event
from runledger.schemas.outcomes import RunOutcome
from runledger.schemas.run_events import LoggedData, RunLogged, RunTimedOut, TimedOutData
from runledger.schemas.snapshots import AgentHealth, RunSnapshot
from runledger.schemas.topics import (
    AGENTS,
    ALL_TOPICS,
    DEAD_LETTERS,
    RUN_EVENTS,
    RUN_OUTCOMES,
    RUNS,
    SCORING_JOBS,
    Topic,
)
from tests.faults.doors import doors_agree
from tests.faults.ledger import EventKey, Fate, SentLedger
from tests.faults.oracles import ORACLES, Evidence
from tests.faults.site import Site, open_site
from tests.faults.topics import Logged, read_topic

pytestmark = pytest.mark.integration

Logs: TypeAlias = dict[Topic, list[Logged]]
Wrong: TypeAlias = Callable[[list[Logged]], list[Logged]]
"""Gives a topic's records as they must not be."""
POISON = ((b"alpha/x", b"{"), (b"alpha/y", b"[]"))


@dataclass(frozen=True)
class World:
    """What a few runs left behind: a site whose workers have ended, and its topics as they were read once."""

    here: Site
    logs: Logs

    def judge(self, oracle: str, **wrong: Any) -> list[str]:  # noqa: ANN401  # as Evidence takes them
        """Ask an oracle about the world, but for what is `wrong` with it."""
        asked = self.here.evidence()
        right: dict[str, Any] = {
            "walk": self.logs.__getitem__,
            "connection": asked.connection,
            "ledger": asked.ledger,
            "poison": asked.poison,
        }
        return ORACLES[oracle](Evidence(prefix=asked.prefix, **{**right, **wrong}))


@pytest.fixture(scope="module")
def world(servers: tuple[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Some runs with events told twice, an incident and poison."""
    folder = tmp_path_factory.mktemp("world")
    with open_site(0, "oracles", kafka=servers[0], postgres=servers[1], folder=folder, seed=7) as here:
        here.load(50)
        here.wait_until_working()
        here.load(500, 250, repeated=0.1)  # in several batches: a run has several snapshots
        common = {"project_key": "alpha", "agent_id": "unlucky", "occurred_at": datetime.now(UTC)}
        data = LoggedData(status="failed", actions_taken={"summary": "no"})
        here.tell(*(RunLogged(**common, event_id=str(uuid4()), run_id=uuid4(), data=data) for _ in range(3)))
        here.inject(RUN_EVENTS, *POISON)
        here.settle()
        here.running.stop()
        yield World(here, {topic: read_topic(here.settings, topic) for topic in ALL_TOPICS})


def test_what_is_right_passes(world: World) -> None:
    assert world.here.differences(*ORACLES) == []
    assert {name: world.judge(name) for name in ORACLES} == {name: [] for name in ORACLES}


def one(table: str, where: str = "true") -> str:
    """A condition that holds for one row of a table, one of those for which another holds."""
    return f"(tableoid, ctid) = (SELECT tableoid, ctid FROM {table} WHERE {where} LIMIT 1)"  # noqa: S608  # constants


def update(table: str, change: str, where: str = "true") -> str:
    """Change one row."""
    return f"UPDATE {table} SET {change} WHERE {one(table, where)}"  # noqa: S608  # constants


def delete(table: str, where: str = "true") -> str:
    """Delete one row."""
    return f"DELETE FROM {table} WHERE {one(table, where)}"  # noqa: S608  # constants


REPEAT = (
    "EXISTS (SELECT FROM run_event earlier WHERE earlier.log_offset < run_event.log_offset AND "
    "(earlier.project_key, earlier.run_id, earlier.event_id) = "
    "(run_event.project_key, run_event.run_id, run_event.event_id))"
)
WRONG_TABLES = [
    ("O1", "deliveries of", delete("run_event", REPEAT)),
    ("O1", "acknowledged and lost", update("run_event", "event_id = 'another'", f"NOT {REPEAT}")),
    ("O1", "acknowledged and lost", "DELETE FROM run_event"),
    ("O2", "run (", update("agent_run", "total_tokens = total_tokens + 1", "total_tokens > 0")),
    ("O2", "run (", update("agent_run", "cost_usd = cost_usd + 1e-10", "cost_usd > 0")),
    ("O2", "run (", update("agent_run", "version = version + 1")),
    ("O2", "run (", update("agent_run", "heard_at = heard_at + interval '1 ms'")),
    ("O2", "run (", update("agent_run", "status = 'running'", "status = 'completed'")),
    ("O2", "run (", update("agent_run", "actions_taken = '{}'", "actions_taken <> '{}'")),
    ("O2", "run (", delete("agent_run")),
    ("O2", "row ", update("agent_run_log", "consecutive_failure_count = consecutive_failure_count + 1")),
    ("O2", "row ", update("agent_run_log", "consecutive_silence_count = consecutive_silence_count + 1")),
    ("O2", "row ", update("agent_run_log", "revision = revision + 1")),
    ("O2", "row ", update("agent_run_log", "run_at = run_at + interval '1 ms'")),
    ("O2", "row ", update("agent_run_log", "id = gen_random_uuid()")),
    ("O2", "row ", delete("agent_run_log")),
    ("O2", "agent (", update("agent_health", "finished_runs = finished_runs + 1")),
    ("O2", "agent (", update("agent_health", "consecutive_failure_count = consecutive_failure_count + 1")),
    ("O2", "agent (", delete("agent_health")),
    ("O2", "incident ", update("incident", "state = 'recovered'")),
    ("O2", "incident ", update("incident", "incident_id = gen_random_uuid()")),
    ("O2", "incident ", delete("incident")),
    ("O3", "in the tables, never sent", update("run_event", "event_id = 'another'")),
    ("O3", "in the tables, never sent", update("run_event", "project_key = 'gamma'")),
    ("O3", "a run of nobody", update("agent_run", "run_id = gen_random_uuid()")),
    ("O3", "a run of nobody", update("agent_run_log", "project_key = 'gamma'")),
    ("O4", "snapshot ", update("agent_run", "version = version - 1")),
    ("O4", "snapshot ", update("agent_run", "total_tokens = total_tokens + 1", "total_tokens > 0")),
    ("O4", "snapshot ", update("agent_run", "run_id = gen_random_uuid()")),
    ("O4", "snapshot ", delete("agent_run")),
    ("O4", "health ", update("agent_health", "version = version - 1")),
    ("O4", "health ", delete("agent_health")),
    ("O5", "scores of", delete("run_score")),
    ("O5", "scores of", update("run_score", "row_id = gen_random_uuid()")),
    ("O5", "scores of", "UPDATE run_score SET row_id = (SELECT max(row_id::text)::uuid FROM run_score)"),
    ("O5", "never scored", update("agent_run_log", "rlhf_scores = NULL")),
    ("O5", "outbox ", update("scoring_outbox", "sent_at = NULL")),
    ("O5", "outbox ", delete("scoring_outbox")),
]


def cases(rows: list[tuple[str, str, Any]]) -> list[Any]:
    """Number the cases, so that each has an id of its own."""
    return [pytest.param(*row, id=f"{row[0]}-{number}") for number, row in enumerate(rows)]


@pytest.mark.parametrize(("oracle", "words", "statement"), cases(WRONG_TABLES))
def test_a_wrong_row_is_found(world: World, oracle: str, words: str, statement: str) -> None:
    with psycopg.connect(world.here.settings.postgres) as connection:
        assert connection.execute(statement.encode()).rowcount > 0, "the case is none"
        assert_found(words, world.judge(oracle, connection=connection))
        connection.rollback()


def assert_found(words: str, differences: list[str]) -> None:
    """One of the differences begins with these words."""
    assert any(difference.startswith(words) for difference in differences), differences


def dropping_newest(records: list[Logged]) -> list[Logged]:
    """Lose the last record."""
    return records[:-1]


def dropping_key(records: list[Logged]) -> list[Logged]:
    """Lose every record of one key."""
    return [record for record in records if record.key != records[0].key]


def dropping_all(_records: list[Logged]) -> list[Logged]:
    """Lose everything."""
    return []


def _end(records: list[Logged]) -> int:
    """An offset behind every record's, whatever its partition."""
    return max(record.offset for record in records) + 1


def adding_repeat(records: list[Logged]) -> list[Logged]:
    """Say the last record again."""
    return [*records, replace(records[-1], offset=_end(records))]


def adding_stranger(records: list[Logged]) -> list[Logged]:
    """Say something of a run that nobody knows."""
    return [*records, replace(records[-1], offset=_end(records), key=b"alpha/nobody")]


def swapping_outcome(records: list[Logged]) -> list[Logged]:
    """Let a run have ended otherwise."""
    outcome = decode(RunOutcome, records[0].value)
    other = replace(outcome, silent=not outcome.silent)
    return [replace(records[0], value=encode(other)), *records[1:]]


def adding_old_snapshot(records: list[Logged]) -> list[Logged]:
    """Let the newest snapshot of a run be an older one of it."""
    newest = {record.key: record for record in records}
    older = next(record for record in records if newest[record.key] is not record)
    return [*records, replace(older, offset=_end(records))]


def adding_resurrection(records: list[Logged]) -> list[Logged]:
    """Let a run that has ended run again."""
    ended = next(record for record in records if decode(RunSnapshot, record.value).status == "failed")
    state = decode(RunSnapshot, ended.value)
    risen = replace(state, status="running", version=2**40)
    return [*records, replace(ended, offset=_end(records), value=encode(risen))]


def adding_old_health(records: list[Logged]) -> list[Logged]:
    """Let an agent's state go back by a version."""
    state = decode(AgentHealth, records[-1].value)
    return [*records, replace(records[-1], value=encode(replace(state, version=state.version - 1)))]


WRONG_TOPICS: list[tuple[str, str, tuple[Topic, Wrong]]] = [
    ("O1", "deliveries of", (RUN_EVENTS, dropping_key)),
    ("O2", "run (", (RUN_EVENTS, dropping_key)),
    ("O2", "outcome ", (RUN_OUTCOMES, dropping_key)),
    ("O2", "outcome ", (RUN_OUTCOMES, dropping_newest)),
    ("O2", "outcome ", (RUN_OUTCOMES, adding_repeat)),
    ("O2", "outcome ", (RUN_OUTCOMES, swapping_outcome)),
    ("O4", "snapshot ", (RUNS, dropping_key)),
    ("O4", "snapshot ", (RUNS, dropping_all)),
    ("O4", "snapshot ", (RUNS, adding_old_snapshot)),
    ("O4", "health ", (AGENTS, adding_old_health)),
    ("O4", "health ", (AGENTS, dropping_key)),
    ("O5", "no job for", (SCORING_JOBS, dropping_key)),
    ("O5", "no job for", (SCORING_JOBS, dropping_all)),
    ("O5", "a job for no finished run", (SCORING_JOBS, adding_stranger)),
    ("O6", "version of", (RUNS, adding_old_snapshot)),
    ("O6", "version of", (RUNS, adding_repeat)),
    ("O6", "status of", (RUNS, adding_resurrection)),
    ("O6", "version of", (AGENTS, adding_old_health)),
    ("O6", "version of", (AGENTS, adding_repeat)),
    ("O8", "dead letter", (DEAD_LETTERS, dropping_newest)),
    ("O8", "dead letter", (DEAD_LETTERS, dropping_all)),
    ("O8", "dead letter", (DEAD_LETTERS, adding_repeat)),
]


@pytest.mark.parametrize(("oracle", "words", "what"), cases(WRONG_TOPICS))
def test_a_wrong_topic_is_found(world: World, oracle: str, words: str, what: tuple[Topic, Wrong]) -> None:
    topic, wrong = what
    records = wrong(world.logs[topic])
    assert_found(words, world.judge(oracle, walk={**world.logs, topic: records}.__getitem__))


def fates_with(world: World, change: Callable[[dict[EventKey, Fate]], None]) -> SentLedger:
    """The ledger, with something changed in it."""
    ledger = SentLedger()
    ledger.fates = dict(world.here.ledger.fates)
    change(ledger.fates)
    return ledger


def test_an_acknowledged_event_that_stands_nowhere_is_found(world: World) -> None:
    lost = fates_with(world, lambda fates: fates.update({("alpha", uuid4(), "lost"): "ok"}))
    assert_found("acknowledged and lost", world.judge("O1", ledger=lost))


def test_an_event_of_unknown_fate_may_stand_nowhere(world: World) -> None:
    unknown = fates_with(world, lambda fates: fates.update({("alpha", uuid4(), "unknown"): "info"}))
    assert world.judge("O1", ledger=unknown) == []


@pytest.mark.parametrize("fate", ["fail", None])
def test_an_event_that_was_refused_or_never_sent_and_stands_is_found(world: World, fate: Fate | None) -> None:
    def change(fates: dict[EventKey, Fate]) -> None:
        key = next(iter(fates))
        del fates[key]
        if fate is not None:
            fates[key] = fate

    found = world.judge("O3", ledger=fates_with(world, change))
    assert_found("in the log, never sent", found)
    assert_found("in the tables, never sent", found)


def test_an_event_both_stored_and_given_up_is_found(world: World) -> None:
    stored = next(record for record in world.logs[RUN_EVENTS] if record.key not in dict(POISON))
    letter = world.logs[DEAD_LETTERS][0]
    place = {"runledger_partition": b"%d" % stored.partition, "runledger_offset": b"%d" % stored.offset}
    letters = [*world.logs[DEAD_LETTERS], replace(letter, headers={**letter.headers, **place})]
    found = world.judge("O1", walk={**world.logs, DEAD_LETTERS: letters}.__getitem__)
    assert_found("stored and given up", found)
    assert_found("dead letter", world.judge("O8", walk={**world.logs, DEAD_LETTERS: letters}.__getitem__))


def test_a_run_given_up_too_early_is_found(world: World) -> None:
    good = [record for record in world.logs[RUN_EVENTS] if record.key not in dict(POISON)]
    last = next(record for record in good if decode_event(record.value).agent_id == "unlucky")
    event = decode_event(last.value)
    timeout = RunTimedOut(
        project_key=event.project_key,
        run_id=event.run_id,
        event_id="given-up",
        occurred_at=event.occurred_at,
        data=TimedOutData(last_version=last.offset + 1),
    )
    at = last.logged_at + timedelta(minutes=59)
    record = replace(last, offset=2**40, logged_at=at, value=encode_event(timeout))
    walk = {**world.logs, RUN_EVENTS: [*world.logs[RUN_EVENTS], record]}.__getitem__
    assert_found("timed out too early", world.judge("O3", walk=walk))
    assert world.judge("O3", walk=walk, deadline=timedelta(minutes=59)) == []


def test_poison_that_was_not_given_up_is_found(world: World) -> None:
    assert_found("dead letter", world.judge("O8", poison={*world.here.poison, ("run-events", 0, 2**40)}))


def test_a_door_that_says_something_else_is_found(world: World, tmp_path: Path) -> None:
    """HTTP and MCP are right here, so the recount is made wrong: of one run, and of one that there is not."""
    runs = world.here.evidence().runs
    (project, first), (_, last), nobody = min(runs), max(runs), UUID(int=2**128 - 1)
    status = "failed" if runs[project, first].run["status"] != "failed" else "completed"
    told = replace(runs[project, first], run={**runs[project, first].run, "status": status})
    wrong = {(project, first): told, ("beta", nobody): runs["beta", last]}
    found = doors_agree(world.here.settings, {**runs, **wrong}, tmp_path)
    assert sorted(difference.split(":")[0] for difference in found) == sorted(
        [f"run {first} over HTTP", f"run {first} over MCP", f"run {nobody} over HTTP"]
    )


def test_memory_past_its_bound_is_found(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(world.here, "largest_mib", 1)
    assert_found("O9: processor", world.here.differences())


def test_a_wrong_sum_is_found_by_the_recount_in_sql(world: World) -> None:
    change = "UPDATE agent_run SET failures = failures {} 1"
    world.here.connection.execute(change.format("+").encode())
    found = world.here.differences()
    world.here.connection.execute(change.format("-").encode())
    assert_found("verify: ", found)


def test_what_nobody_takes_any_more_is_found(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The workers have ended: the pipeline does not come to rest."""
    monkeypatch.setattr(world.here, "ledger", SentLedger())
    world.here.inject(RUN_EVENTS, (b"alpha/z", b"{"), poison=False)
    with pytest.raises(AssertionError, match=r"O7: .*processors at .*sink at"):
        world.here.settle(1)
