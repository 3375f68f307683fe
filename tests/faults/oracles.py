"""The verdicts O1 to O8: each looks at the topics and the tables, and returns what differs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any, TypeAlias
from uuid import UUID

import psycopg
from psycopg.rows import dict_row

from runledger.schemas import dead_letters
from runledger.schemas.codec import decode
from runledger.schemas.dead_letter_marks import MARK
from runledger.schemas.identifiers import row_id, run_key
from runledger.schemas.snapshots import AgentHealth, RunSnapshot
from runledger.schemas.topics import AGENTS, DEAD_LETTERS, RUN_EVENTS, RUN_OUTCOMES, RUNS, SCORING_JOBS, Topic
from tests.faults.expected import AgentKey, Log, RunKey, hasty, read_log, recount_agents, recount_runs, strangers
from tests.faults.ledger import SentLedger
from tests.faults.topics import Logged
from tests.unit.processors.laws.agents_model import Agent
from tests.unit.processors.laws.model import Told

Oracle: TypeAlias = Callable[["Evidence"], list[str]]
Letter: TypeAlias = tuple[str, int, int]
"""(topic's suffix, partition, offset) of a record that was given up."""

_TIMED_OUT = "runledger.run.timed_out.v1"
_RUN_COLUMNS = (
    *("born_offset", "version", "last_logged_at", "heard_at", "agent_id", "last_occurred_at", "events", "failures"),
    *("traces", "clock_clamped", "started_at", "start_event_id", "summary", "kind", "status", "outcome"),
    *("end_summary", "actions_taken", "ended_at", "end_event_id", "end_logged_at", "timed_out", "inferred"),
    *("end_conflict", "usage_mismatch", "cost_source", "outcome_revision"),
)
_USAGE_COLUMNS = ("input_tokens", "output_tokens", "total_tokens", "cost_usd", "llm_calls")
_ROW_COLUMNS = ("agent_id", "status", "run_status", "kind", "inferred", "silent", "ended_at", "actions_taken")
_ENDED = {"completed", "failed", "interrupted"}


@dataclass
class Evidence:
    """Everything a verdict may look at, read when first asked for.

    Args:
        walk: gives a topic's records as a committed reader sees them, each partition's in order.
        prefix: of the topics' names.
        connection: to the tables.
        ledger: what was sent.
        poison: places of records injected to be given up.
        deadline: of a run of which nothing is heard.
        only: chooses by the agent's name whom to recount.
    """

    walk: Callable[[Topic], Iterable[Logged]]
    prefix: str
    connection: psycopg.Connection
    ledger: SentLedger
    poison: set[Letter] = field(default_factory=set)
    deadline: timedelta = timedelta(hours=1)
    only: Callable[[str], bool] | None = None
    """Recount only the agents for which this is true, with their runs; all of them if None."""

    def topic(self, topic: Topic) -> list[Logged]:
        """Read a topic, partition by partition."""
        return sorted(self.walk(topic), key=lambda record: (record.partition, record.offset))

    def rows(self, query: str) -> list[dict[str, Any]]:
        """Return what a query finds."""
        with self.connection.cursor(row_factory=dict_row) as cursor:
            return cursor.execute(query.encode()).fetchall()

    def chosen(self, query: str) -> list[dict[str, Any]]:
        """Return what a query finds of the agents that are recounted."""
        only = self.only
        return [row for row in self.rows(query) if only is None or only(row["agent_id"] or "")]

    @cached_property
    def log(self) -> Log:
        """What stands in run-events."""
        return read_log(self.walk(RUN_EVENTS), self.recounted)

    @cached_property
    def recounted(self) -> frozenset[RunKey] | None:
        """The runs to recount; None for all."""
        if self.only is None:
            return None
        rows = self.rows("SELECT project_key, run_id, agent_id FROM agent_run")
        return frozenset((row["project_key"], row["run_id"]) for row in rows if self.only(row["agent_id"] or ""))

    @cached_property
    def runs(self) -> dict[RunKey, Told]:
        """Every run recounted."""
        return recount_runs(self.log)

    @cached_property
    def agents(self) -> tuple[dict[AgentKey, Agent], list[str]]:
        """Every agent recounted, and what is wrong with the outcomes."""
        outcomes = self.topic(RUN_OUTCOMES)
        if self.only is not None:
            outcomes = [one for one in outcomes if self.only((one.key or b"").decode().partition("/")[2])]
        return recount_agents(self.runs, outcomes)

    @cached_property
    def letters(self) -> list[Letter]:
        """The places of all dead letters."""
        found = []
        for letter in self.topic(DEAD_LETTERS):
            if MARK in letter.headers:
                continue  # an operator's mark that one was dealt with
            topic, partition, offset = (
                (letter.headers[name] or b"").decode()
                for name in (dead_letters.TOPIC, dead_letters.PARTITION, dead_letters.OFFSET)
            )
            found.append((topic.removeprefix(self.prefix), int(partition), int(offset)))
        return found


def _differences(what: str, expected: Mapping[Any, object], found: Mapping[Any, object]) -> list[str]:
    keys = expected.keys() | found.keys()
    return [
        f"{what} {key}: expected {expected.get(key)}, found {found.get(key)}"
        for key in keys
        if expected.get(key) != found.get(key)
    ]


def nothing_lost(evidence: Evidence) -> list[str]:
    """O1: every acknowledged event stands in run_event, and nowhere else."""
    stored = {
        (row["project_key"], row["run_id"], row["event_id"]): row["times"]
        for row in evidence.rows(
            "SELECT project_key, run_id, event_id, count(*) AS times FROM run_event GROUP BY 1, 2, 3"
        )
    }
    lost = [key for key, fate in evidence.ledger.fates.items() if fate == "ok" and key not in stored]
    given_up = set(evidence.letters)
    places = evidence.rows("SELECT log_partition, log_offset FROM run_event")
    both = [row for row in places if ("run-events", row["log_partition"], row["log_offset"]) in given_up]
    taken = Counter(
        key for (number, offset), key in evidence.log.places.items() if ("run-events", number, offset) not in given_up
    )
    return [
        *(f"acknowledged and lost: {key}" for key in lost),
        *(f"stored and given up: {row}" for row in both),
        *_differences("deliveries of", taken, stored),
    ]


def totals_equal(evidence: Evidence) -> list[str]:
    """O2: runs, rows, streaks and incidents equal the recount of the distinct events."""
    agents, differences = evidence.agents
    return [*differences, *_runs(evidence), *_rows(evidence, agents), *_agents(evidence, agents)]


def _runs(evidence: Evidence) -> list[str]:
    expected = {}
    for run, told in evidence.runs.items():
        usage = {name: getattr(told.run["usage"], name) for name in _USAGE_COLUMNS}
        expected[run] = _plain({name: told.run[name] for name in _RUN_COLUMNS} | usage)
    found = {
        (row["project_key"], row["run_id"]): _plain({name: row[name] for name in (*_RUN_COLUMNS, *_USAGE_COLUMNS)})
        for row in evidence.chosen("SELECT * FROM agent_run")
    }
    return _differences("run", expected, found)


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    """Make costs comparable: the table keeps ten places."""
    cost = row["cost_usd"]
    return row | {"cost_usd": None if cost is None else Decimal(cost).quantize(Decimal("1e-10"))}


def _rows(evidence: Evidence, agents: Mapping[AgentKey, Agent]) -> list[str]:
    expected: dict[UUID, object] = {}
    for (project, _), agent in agents.items():
        for run_id, outcome in agent.holding.items():
            fields = {name: getattr(outcome, name) for name in _ROW_COLUMNS}
            expected[row_id(project, run_id)] = (fields, *agent.rows[run_id], outcome.revision, outcome.logged_at)
    found = {
        row["id"]: (
            {name: row[name] for name in _ROW_COLUMNS},
            row["consecutive_silence_count"],
            row["consecutive_failure_count"],
            row["revision"],
            row["run_at"],
        )
        for row in evidence.chosen("SELECT * FROM agent_run_log")
    }
    return _differences("row", expected, found)


def _agents(evidence: Evidence, agents: Mapping[AgentKey, Agent]) -> list[str]:
    streaks = ("consecutive_silence_count", "consecutive_failure_count")
    names = ("version", "finished_runs", "last_ended_at", "last_status", *streaks)
    expected = {key: {name: agent.health()[name] for name in names} for key, agent in agents.items()}
    found = {
        (row["project_key"], row["agent_id"]): {name: row[name] for name in names}
        for row in evidence.chosen("SELECT * FROM agent_health")
    }
    told = {one.incident_id: (one.state, one.kind) for agent in agents.values() for one in agent.incidents}
    stand = {row["incident_id"]: (row["state"], row["kind"]) for row in evidence.chosen("SELECT * FROM incident")}
    return [*_differences("agent", expected, found), *_differences("incident", told, stand)]


def nothing_invented(evidence: Evidence) -> list[str]:
    """O3: nothing stands anywhere that was never sent, or was refused; and nobody timed out before the time."""
    sent = {key for key, fate in evidence.ledger.fates.items() if fate != "fail"}
    stored = evidence.rows(f"SELECT project_key, run_id, event_id FROM run_event WHERE type <> '{_TIMED_OUT}'")  # noqa: S608  # a constant
    keys = {(row["project_key"], row["run_id"], row["event_id"]) for row in stored}
    runs = {(project, run) for project, run, _ in sent}
    rows = evidence.rows(
        "SELECT project_key, run_id FROM agent_run UNION SELECT project_key, run_id FROM agent_run_log"
    )
    return [
        *(f"in the log, never sent: {key}" for key in strangers(evidence.log, sent)),
        *(f"timed out too early: {key}" for key in hasty(evidence.log, evidence.deadline)),
        *(f"in the tables, never sent: {key}" for key in keys - sent),
        *(f"a run of nobody: {row}" for row in rows if (row["project_key"], row["run_id"]) not in runs),
    ]


def snapshots_agree(evidence: Evidence) -> list[str]:
    """O4, tables and topics: the newest snapshot of each key is what the table holds."""
    runs = {record.key: record.value for record in evidence.topic(RUNS)}
    states = [decode(RunSnapshot, value) for value in runs.values() if value is not None]
    told = {
        (state.project_key, state.run_id): (state.version, state.status, state.usage.total_tokens, state.usage.cost_usd)
        for state in states
    }
    stand = {
        (row["project_key"], row["run_id"]): (row["version"], row["status"], row["total_tokens"], row["cost_usd"])
        for row in evidence.rows("SELECT * FROM agent_run")
    }
    evicted = {key for key, value in runs.items() if value is None}
    agents = {record.key: record.value for record in evidence.topic(AGENTS)}
    health = [decode(AgentHealth, value) for value in agents.values() if value is not None]
    names = ("version", "finished_runs", "consecutive_silence_count", "consecutive_failure_count")
    said = {(one.project_key, one.agent_id): [getattr(one, name) for name in names] for one in health}
    kept = {
        (row["project_key"], row["agent_id"]): [row[name] for name in names]
        for row in evidence.rows("SELECT * FROM agent_health")
    }
    standing = {key: value for key, value in stand.items() if run_key(*key) not in evicted}
    return [*_differences("snapshot", told, standing), *_differences("health", said, kept)]


def scored_once(evidence: Evidence) -> list[str]:
    """O5: one job and one score for each finished run."""
    rows = evidence.rows("SELECT id, project_key, run_id FROM agent_run_log")
    finished = {row["id"] for row in rows}
    scores = Counter(row["row_id"] for row in evidence.rows("SELECT row_id FROM run_score"))
    unscored = evidence.rows("SELECT id FROM agent_run_log WHERE rlhf_scores IS NULL")
    outbox = evidence.rows("SELECT count(*) AS jobs, count(sent_at) AS sent FROM scoring_outbox")[0]
    due = {run_key(row["project_key"], row["run_id"]) for row in rows}
    logged = {record.key for record in evidence.walk(SCORING_JOBS)}
    return [
        *_differences("scores of", dict.fromkeys(finished, 1), scores),
        *(f"never scored: {row}" for row in unscored),
        *_differences("outbox", {"jobs": len(finished), "sent": len(finished)}, outbox),
        *(f"no job for {key!r}" for key in due - logged),
        *(f"a job for no finished run: {key!r}" for key in logged - due),
    ]


def nothing_goes_back(evidence: Evidence) -> list[str]:
    """O6: versions only grow within a life, and no ended run begins to run again."""
    found: list[str] = []
    before: dict[bytes | None, RunSnapshot] = {}
    for record in evidence.walk(RUNS):
        if record.value is None:
            before.pop(record.key, None)
            continue
        now = decode(RunSnapshot, record.value)
        then = before.get(record.key)
        if then is not None and now.version <= then.version:
            found.append(f"version of {record.key!r}: {then.version}, then {now.version}")
        if then is not None and then.status in _ENDED and now.status not in _ENDED:
            found.append(f"status of {record.key!r}: {then.status}, then {now.status}")
        before[record.key] = now
    versions: dict[bytes | None, int] = {}
    for record in evidence.walk(AGENTS):
        version = decode(AgentHealth, record.value).version
        if version <= versions.get(record.key, 0):
            found.append(f"version of {record.key!r}: {versions[record.key]}, then {version}")
        versions[record.key] = version
    return found


def poison_given_up(evidence: Evidence) -> list[str]:
    """O8: the dead letters are the poison that was injected, each once."""
    return _differences("dead letter", dict.fromkeys(evidence.poison, 1), Counter(evidence.letters))


ORACLES: dict[str, Oracle] = {
    "O1": nothing_lost,
    "O2": totals_equal,
    "O3": nothing_invented,
    "O4": snapshots_agree,
    "O5": scored_once,
    "O6": nothing_goes_back,
    "O8": poison_given_up,
}
"""Verdicts on topics and tables; O7 and O9 are the site's, O4's other half the doors'."""
