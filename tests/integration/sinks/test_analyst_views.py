"""The views for analysts against a naive recount, row by row, of what was written."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, TypeVar

import psycopg
import pytest
from psycopg.rows import dict_row

from runledger.analytics.auditor import Auditor
from runledger.analytics.cost_table import CostQuestion, CostReader
from runledger.analytics.database import Database
from runledger.sinks.migrate import migrate
from tests.integration.sinks.analyst_rows import MIDNIGHT, PROJECTS, TOKENS, Rows, write_rows
from tests.integration.sinks.conftest import Ledger

pytestmark = pytest.mark.integration

VIEWS = ("agent_reliability", "failure_recurrence", "run_costs_daily", "score_trend")
SEEDS = range(3)

T = TypeVar("T")


def view(ledger: Ledger, name: str, *key: str) -> dict[tuple[Any, ...], dict[str, Any]]:
    """Return the rows of a view by some of its columns, which name each row once."""
    with psycopg.connect(ledger.uri, row_factory=dict_row) as connection:
        rows = connection.execute(f"SELECT * FROM {name}".encode()).fetchall()  # noqa: S608  # a name of the tests' own
    found = {tuple(_hashable(row[one]) for one in key): row for row in rows}
    assert len(found) == len(rows)
    return found


def _hashable(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


def day_of(moment: datetime) -> date:
    return moment.astimezone(UTC).date()


def known_sum(values: Iterable[T | None]) -> T | None:
    """Add up what is known; None where nothing is."""
    found = [value for value in values if value is not None]
    return sum(found[1:], found[0]) if found else None  # type: ignore[call-overload]  # numbers of one kind


def rounded(value: Decimal, places: int) -> Decimal:
    return value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)


def told_at(run: dict[str, Any]) -> datetime:
    moment: datetime = run["ended_at"] or run["last_occurred_at"] or run["last_logged_at"]
    return moment


def naive_costs(rows: Rows) -> dict[tuple[Any, ...], dict[str, Any]]:
    groups = defaultdict(list)
    for run in rows.runs:
        source = "unknown" if run["cost_usd"] is None else run["cost_source"]
        groups[run["project_key"], day_of(told_at(run)), run["agent_id"], tuple(run["models"]), source].append(run)
    return {
        key: {
            "model": key[3][0] if len(key[3]) == 1 else None,
            "runs": len(runs),
            "success_runs": sum(run["outcome"] == "success" for run in runs),
            "failed_runs": sum(run["outcome"] == "failed" for run in runs),
            "running_runs": sum(run["status"] == "running" for run in runs),
            "runs_with_tokens": sum(run["total_tokens"] is not None for run in runs),
            "cost_usd": known_sum(run["cost_usd"] for run in runs),
            "failed_cost_usd": known_sum(run["cost_usd"] for run in runs if run["outcome"] == "failed"),
            **{name: known_sum(run[name] for run in runs) for name in TOKENS},
        }
        for key, runs in groups.items()
    }


def assert_rows(found: dict[tuple[Any, ...], dict[str, Any]], wanted: dict[tuple[Any, ...], dict[str, Any]]) -> None:
    """Every row is there, and has these values in these columns."""
    assert found.keys() == wanted.keys()
    for key, values in wanted.items():
        assert {name: found[key][name] for name in values} == values, key


@pytest.mark.parametrize("seed", SEEDS)
def test_costs_equal_a_naive_recount(seed: int, ledger: Ledger) -> None:
    rows = write_rows(ledger.connection, seed)
    found = view(ledger, "run_costs_daily", "project_key", "day", "agent_id", "models", "cost_source")
    assert_rows(found, naive_costs(rows))
    assert all((row["cost_usd"] is None) == (row["cost_source"] == "unknown") for row in found.values())


async def test_costs_are_those_of_the_cost_reader(ledger: Ledger) -> None:
    write_rows(ledger.connection, 0)
    question = CostQuestion("a", MIDNIGHT - timedelta(days=1), MIDNIGHT + timedelta(days=30), group_by="agent")
    async with Database(ledger.uri) as database:
        table = await CostReader(database).read(question)
    days = {one.begins_on: (one.sums.runs, one.sums.cost_usd) for one in table.periods}
    found: dict[date, tuple[dict[str, int], dict[str, Decimal]]] = defaultdict(lambda: ({}, {}))
    for day, source, runs, cost_usd in ledger.rows(
        "SELECT day, cost_source, sum(runs), sum(cost_usd) FROM run_costs_daily WHERE project_key = 'a' GROUP BY 1, 2"
    ):
        found[day][0][source] = runs
        if cost_usd is not None:
            found[day][1][source] = cost_usd
    assert found == days
    by_agent = ledger.rows(
        "SELECT agent_id, sum(cost_usd) FROM run_costs_daily WHERE project_key = 'a' GROUP BY 1 ORDER BY 1"
    )
    groups = sorted(((one.agent_id, one.sums.total_usd) for one in table.groups), key=lambda it: (it[0] is None, it))
    assert by_agent == groups


def naive_reliability(rows: Rows) -> dict[tuple[Any, ...], dict[str, Any]]:
    wanted = {}
    for (project, agent), known in rows.agents.items():
        own = [one for one in rows.logged if (one["project_key"], one["agent_id"]) == (project, agent)]
        by_status = {name: sum(one["status"] == name for one in own) for name in ("success", "partial", "failed")}
        costs = [one["run"]["cost_usd"] for one in own if one["run"]["cost_usd"] is not None]
        seconds = [_seconds(one["run"]) for one in own if one["run"]["started_at"] is not None]
        seconds = [one for one in seconds if one >= 0]
        health = known["health"] or {}
        heard = [run["heard_at"] for run in rows.runs if (run["project_key"], run["agent_id"]) == (project, agent)]
        heard += [known["heard_at"]] if known["heard_at"] else []
        wanted[project, agent] = {
            "name": known["name"],
            "retired": known["retired"],
            "runs": len(own),
            **{f"{name}_runs": count for name, count in by_status.items()},
            **{f"{name}_rate": rounded(Decimal(n) / len(own), 4) if own else None for name, n in by_status.items()},
            "silent_runs": sum(one["silent"] is True for one in own),
            "timed_out_runs": sum(one["inferred"] for one in own),
            "consecutive_failure_count": health.get("consecutive_failure_count", 0),
            "consecutive_silence_count": health.get("consecutive_silence_count", 0),
            "longest_failing_streak": max((one["consecutive_failure_count"] for one in own), default=0),
            "longest_silence": max((one["consecutive_silence_count"] for one in own), default=0),
            "runs_with_cost": len(costs),
            "cost_usd": known_sum(costs),
            "mean_cost_usd": rounded(sum(costs, Decimal(0)) / len(costs), 10) if costs else None,
            "runs_with_duration": len(seconds),
            "mean_duration_seconds": rounded(sum(seconds, Decimal(0)) / len(seconds), 3) if seconds else None,
            "incidents": len(known["incidents"]),
            "open_incidents": known["incidents"].count("open"),
            "last_status": health.get("last_status"),
            "last_ended_at": health.get("last_ended_at"),
            "last_heard_at": max(heard, default=health.get("last_logged_at")),
        }
    return wanted


def _seconds(run: dict[str, Any]) -> Decimal:
    return Decimal((run["ended_at"] - run["started_at"]) // timedelta(microseconds=1)) / 10**6


@pytest.mark.parametrize("seed", SEEDS)
async def test_reliability_equals_a_naive_recount_and_what_the_auditor_knows(seed: int, ledger: Ledger) -> None:
    rows = write_rows(ledger.connection, seed)
    found = view(ledger, "agent_reliability", "project_key", "agent_id")
    assert_rows(found, naive_reliability(rows))
    async with Database(ledger.uri) as database:
        audit = await Auditor(database).audit(None)
    assert {(one.project_key, one.agent_id): one.last_seen_at for one in audit.agents} == {
        key: row["last_heard_at"] for key, row in found.items()
    }


def naive_scores(rows: Rows) -> dict[tuple[Any, ...], dict[str, Any]]:
    told: dict[tuple[str, str, str], dict[date, list[Decimal]]] = defaultdict(lambda: defaultdict(list))
    runs: dict[tuple[str, str, date], int] = defaultdict(int)
    for row in rows.logged:
        day, scores = day_of(row["ended_at"]), row["scores"] or {"dimensions": {}}
        agent = (row["project_key"], row["agent_id"])
        runs[*agent, day] += 1
        told[*agent, "overall"][day] += [Decimal(str(scores["overall"]))] if "overall" in scores else []
        for name, value in scores["dimensions"].items():
            if name != "overall":
                told[*agent, name][day].append(Decimal(str(value)))
    wanted = {}
    for key, days in told.items():
        for day, values in days.items():
            week = [one for other, some in days.items() if 0 <= (day - other).days < 7 for one in some]
            wanted[*key, day] = {
                "scored_runs": len(values),
                "unscored_runs": runs[key[0], key[1], day] - len(values),
                "mean_score": rounded(sum(values, Decimal(0)) / len(values), 6) if values else None,
                "min_score": min(values, default=None),
                "max_score": max(values, default=None),
                "scored_runs_7d": len(week),
                "mean_score_7d": rounded(sum(week, Decimal(0)) / len(week), 6) if week else None,
            }
    return wanted


@pytest.mark.parametrize("seed", SEEDS)
def test_scores_equal_a_naive_recount(seed: int, ledger: Ledger) -> None:
    rows = write_rows(ledger.connection, seed)
    assert_rows(view(ledger, "score_trend", "project_key", "agent_id", "dimension", "day"), naive_scores(rows))


def test_scores_that_are_no_numbers_count_as_none(ledger: Ledger) -> None:
    rows = write_rows(ledger.connection, 0, count=20)
    ledger.connection.execute(
        """UPDATE agent_run_log SET rlhf_scores = '{"overall": "good", "dimensions": [1]}', ended_at = NULL"""
    )
    found = view(ledger, "score_trend", "project_key", "agent_id", "dimension", "day")
    assert sum(row["unscored_runs"] for row in found.values()) == len(rows.logged)
    assert {(row["dimension"], row["mean_score"]) for row in found.values()} == {("overall", None)}


def test_an_empty_ledger_has_no_rows(ledger: Ledger) -> None:
    assert [ledger.rows(f"SELECT * FROM {name}") for name in VIEWS] == [[], [], [], []]  # noqa: S608  # names of ours


def test_every_view_and_each_of_its_columns_says_what_it_is(database: str) -> None:
    migrate(database)
    with psycopg.connect(database) as connection:
        views = connection.execute(
            "SELECT relname, obj_description(oid, 'pg_class') FROM pg_class"
            " WHERE relkind = 'v' AND relnamespace = 'public'::regnamespace"
        ).fetchall()
        silent = connection.execute(
            "SELECT c.relname, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid"
            " WHERE c.relkind = 'v' AND c.relnamespace = 'public'::regnamespace"
            " AND a.attnum > 0 AND col_description(c.oid, a.attnum) IS NULL"
        ).fetchall()
    assert {name for name, _ in views} >= set(VIEWS)
    assert [name for name, said in views if not said] == []
    assert silent == []


@pytest.mark.parametrize("name", VIEWS)
def test_a_projects_rows_are_found_by_an_index(name: str, ledger: Ledger) -> None:
    """Without a filter that reaches the tables below, there would be a scan of all projects."""
    write_rows(ledger.connection, 0)
    with psycopg.connect(ledger.uri) as connection:
        connection.execute("SET enable_seqscan = off")
        (row,) = connection.execute(
            f"EXPLAIN (FORMAT JSON) SELECT * FROM {name} WHERE project_key = 'a'".encode()  # noqa: S608  # a name of ours
        ).fetchall()
    scans = [node for node in _nodes(row[0][0]["Plan"]) if "Relation Name" in node]
    assert scans
    for node in scans:
        assert "project_key" in node.get("Index Cond", node.get("Recheck Cond", "")), node


def _nodes(plan: dict[str, Any]) -> list[dict[str, Any]]:
    return [plan, *(node for child in plan.get("Plans", ()) for node in _nodes(child))]


def test_readers_see_in_a_view_what_they_may_see_of_the_tables(ledger: Ledger) -> None:
    write_rows(ledger.connection, 0)
    with psycopg.connect(ledger.uri) as connection:
        for table in ("agent", "agent_run"):
            connection.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY".encode())
            connection.execute(f"CREATE POLICY own ON {table} TO runledger_read USING (project_key = 'a')".encode())
        owner = connection.execute("SELECT DISTINCT project_key FROM run_costs_daily ORDER BY 1").fetchall()
        connection.execute("SET ROLE runledger_read")
        seen = [
            connection.execute(f"SELECT DISTINCT project_key FROM {name}".encode()).fetchall()  # noqa: S608  # names of ours
            for name in ("run_costs_daily", "agent_reliability")
        ]
        for name in VIEWS:
            connection.execute(f"SELECT * FROM {name}".encode())  # noqa: S608  # names of ours
    assert owner == [(project,) for project in PROJECTS]
    assert seen == [[("a",)], [("a",)]]
