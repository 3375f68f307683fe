"""A run's account, its steps and its events, from tables written by the writer."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg.types.json import Jsonb

from runledger.analytics.agent_names import agent_names
from runledger.analytics.database import Database
from runledger.analytics.errors import CursorError
from runledger.analytics.run_account import MOST_CHILDREN, RunAccount, RunAccounts
from runledger.analytics.run_list import RunFilter, RunList
from runledger.analytics.run_steps import RunSteps
from runledger.analytics.run_story import RunStory
from runledger.schemas.fingerprint import fingerprint
from runledger.schemas.run_events import (
    AnyRunEvent,
    EndedData,
    LoggedData,
    RunEnded,
    RunHeartbeat,
    RunLogged,
    RunStarted,
    StartedData,
    UsageData,
    UsageReported,
)
from runledger.schemas.usage import TokenUsage
from tests.integration.analytics.events import BEGAN, TIMEOUT, common, ended, failed, started, write
from tests.integration.analytics.tables import Tables
from tests.integration.sinks.conftest import Ledger
from tests.unit.sinks.build import run_number

pytestmark = pytest.mark.integration

RUN = run_number(1)


def reported(minute: int, traces: list[dict[str, Any]] | None = None, **usage: Any) -> UsageReported:  # noqa: ANN401  # any field
    """Report usage in run 1."""
    data = UsageData(token_usage=TokenUsage(**usage), traces=traces or [])
    return UsageReported(**common(1, minute, f"use-{minute}", "acme", "a"), data=data)


def final(minute: int, name: str = "end", **usage: Any) -> RunEnded:  # noqa: ANN401  # any field
    """End run 1 with its final usage."""
    data = EndedData(status="completed", summary="done", token_usage=TokenUsage(**usage))
    return RunEnded(**common(1, minute, name, "acme", "a"), data=data)


async def account_of(ledger: Ledger, run_id: UUID = RUN, project_key: str = "acme") -> RunAccount | None:
    """Read an account."""
    async with Database(ledger.uri) as database:
        return await RunAccounts(database).read(project_key, run_id)


async def told(ledger: Ledger, *events: AnyRunEvent) -> RunAccount:
    """Write events and read run 1's account."""
    write(ledger, *events)
    account = await account_of(ledger)
    assert account is not None
    return account


async def test_what_was_reported_and_what_the_end_states_stand_apart(ledger: Ledger) -> None:
    account = await told(
        ledger,
        started(1, 0),
        reported(1, input_tokens=8400, output_tokens=1200, cost_usd=Decimal("0.028"), model="opus", llm_calls=3),
        final(2, input_tokens=8000, cost_usd=Decimal("0.042"), model="opus"),
    )
    usage = account.usage
    assert (usage.reported["input_tokens"], usage.reported["total_tokens"]) == (8400, 9600)
    assert usage.final is not None
    assert usage.final["input_tokens"] == 8000
    assert Decimal(usage.final["cost_usd"]) == Decimal("0.042")
    assert (account.found.run.input_tokens, account.found.run.cost_usd) == (8000, Decimal("0.042"))
    assert (usage.event_count, usage.inferred, usage.clock_clamped) == (3, False, False)


async def test_models_are_added_up_each_report_once_and_the_unknown_stays_unknown(ledger: Ledger) -> None:
    first = reported(1, input_tokens=10, output_tokens=5, cost_usd=Decimal("0.5"), model="opus")
    account = await told(
        ledger,
        first,
        first,
        reported(2, total_tokens=7, model="opus"),
        reported(3, llm_calls=1, model="mini"),
        reported(4, output_tokens=2),
        final(5, input_tokens=99, model="opus"),
        final(6, "another", input_tokens=1, model="mini"),
    )
    told_of = {(one.model, one.at_end): one for one in account.models}
    assert list(told_of) == [("opus", False), (None, False), ("mini", False), ("opus", True)]
    opus = told_of["opus", False]
    assert (opus.reports, opus.input_tokens, opus.output_tokens, opus.total_tokens) == (2, 10, 5, 22)
    assert (opus.stated_cost_usd, opus.reports_with_cost, opus.llm_calls) == (Decimal("0.5"), 1, None)
    mini = told_of["mini", False]
    assert (mini.input_tokens, mini.total_tokens, mini.llm_calls, mini.stated_cost_usd) == (None, None, 1, None)
    assert told_of[None, False].total_tokens == 2
    assert told_of["opus", True].input_tokens == 99
    sums = account.usage.reported
    assert sums["total_tokens"] == sum(one.total_tokens or 0 for one in account.models if not one.at_end)


async def test_sums_by_model_stop_where_the_ledgers_do(ledger: Ledger) -> None:
    most = 2**53 - 1
    account = await told(ledger, reported(1, input_tokens=most, model="m"), reported(2, input_tokens=most, model="m"))
    assert [one.input_tokens for one in account.models] == [most]
    assert account.usage.reported["input_tokens"] == most


async def test_kinds_of_failures_come_with_their_history_in_the_project(ledger: Ledger) -> None:
    account = await told(
        ledger,
        failed(1, 1),
        failed(1, 2),
        failed(1, 3, "disk full"),
        failed(2, 4),
        failed(1, 5, project="other"),
    )
    assert [(kind.fingerprint, kind.failures_in_run, kind.failure_count) for kind in account.failure_kinds] == [
        (fingerprint("acme", "", "disk full"), 1, 1),
        (fingerprint("acme", "", TIMEOUT), 2, 3),
    ]
    latest = account.failure_kinds[1]
    assert (latest.state, latest.first_seen_at, latest.last_seen_at) == (
        "open",
        BEGAN + timedelta(minutes=1),
        BEGAN + timedelta(minutes=4),
    )


async def test_parents_and_children_are_those_of_the_project(ledger: Ledger) -> None:
    def child(run: int, parent: int, project: str = "acme") -> RunStarted:
        data = StartedData(parent_run_id=run_number(parent))
        return RunStarted(**common(run, run, f"start-{run}", project, "a"), data=data)

    write(ledger, started(1, 0), child(2, 1), child(3, 1), child(4, 9), child(5, 1, "other"))
    accounts = [await account_of(ledger, run_number(number)) for number in (1, 2, 4)]
    assert [(one.usage.parent_known, one.usage.child_count) for one in accounts if one is not None] == [
        (False, 2),
        (True, 0),
        (False, 0),
    ]
    stranger = await account_of(ledger, run_number(5), "other")
    assert stranger is not None
    assert not stranger.usage.parent_known


async def test_children_are_counted_up_to_a_bound(uri: str, tables: Tables) -> None:
    tables.heard("acme", "sage", tables.now())
    [(parent,)] = tables.connection.execute("SELECT run_id FROM agent_run").fetchall()
    tables.connection.execute(
        "WITH many AS (SELECT generate_series(1, %s)) INSERT INTO agent_run"
        " SELECT (jsonb_populate_record(r, jsonb_build_object('run_id', gen_random_uuid(), 'row_id', gen_random_uuid(),"
        " 'parent_run_id', r.run_id))).* FROM agent_run AS r, many",
        [MOST_CHILDREN + 50],
    )
    async with Database(uri) as database:
        account = await RunAccounts(database).read("acme", parent)
    assert account is not None
    assert account.usage.child_count == MOST_CHILDREN + 1


async def test_another_projects_run_has_no_account(ledger: Ledger) -> None:
    write(ledger, started(1, 0, project="other"))
    assert await account_of(ledger) is None


async def test_steps_are_read_once_each_in_order_whatever_they_hold(ledger: Ledger) -> None:
    entries: list[dict[str, Any]] = [
        {"span_id": "a", "name": "n" * 500, "started_at": "2026-01-01T00:00:00Z", "duration_ms": 12.5, "status": "ok"},
        {"span_id": 7, "parent_span_id": {"x": 1}, "name": None, "tool": ["t"], "duration_ms": True},
        {},
    ]
    first = reported(2, entries)
    write(ledger, first, first, reported(1, [{"tool": "earlier"}]), started(1, 0))
    async with Database(ledger.uri) as database:
        reader = RunSteps(database)
        steps = await reader.steps("acme", RUN)
        assert [(step.event_id, step.number) for step in steps] == [
            ("use-1", 1),
            *(("use-2", one) for one in (1, 2, 3)),
        ]
        assert (steps[1].span_id, steps[1].duration_ms, steps[1].status) == ("a", "12.5", "ok")
        assert steps[1].name == "n" * 200
        assert (steps[2].span_id, steps[2].parent_span_id, steps[2].duration_ms) == ("7", '{"x": 1}', "true")
        assert (steps[2].name, steps[3].name) == (None, None)
        assert [step.event_id for step in await reader.steps("acme", RUN, limit=1)] == ["use-1"]
        assert await reader.steps("other", RUN) == []
        whole = {(one.event_id, one.number): one.trace for one in await reader.entries("acme", RUN, steps)}
        assert whole == {("use-1", 1): {"tool": "earlier"}, **{("use-2", n + 1): entries[n] for n in range(3)}}
        assert await reader.entries("other", RUN, steps) == []
        assert await reader.entries("acme", RUN, []) == []


async def test_large_entries_are_left_out_with_their_size(ledger: Ledger) -> None:
    write(ledger, reported(1, [{"text": "x" * 40_000}]))
    async with Database(ledger.uri) as database:
        reader = RunSteps(database)
        [entry] = await reader.entries("acme", RUN, await reader.steps("acme", RUN))
    assert entry.trace is None
    assert entry.trace_bytes > 40_000


async def test_events_are_read_from_either_end_and_repeats_are_marked(ledger: Ledger) -> None:
    beat = RunHeartbeat(**common(1, 1, "beat", "acme", "a"))
    write(ledger, started(1, 0), beat, beat, ended(1, 2, "completed"), beat)
    whole = [("start-1", False), ("beat", False), ("beat", True), ("end-1", False), ("beat", True)]
    async with Database(ledger.uri) as database:
        story = RunStory(database)
        for newest_first in (False, True):
            read: list[tuple[str, bool]] = []
            cursor = None
            while True:
                page = await story.events("acme", RUN, 2, cursor, newest_first=newest_first)
                assert page is not None
                read += [(event.event_id, event.repeated) for event in page.rows]
                cursor = page.next_cursor
                if cursor is None:
                    break
            assert read == (whole[::-1] if newest_first else whole)
        page = await story.events("acme", RUN, 2)
        assert page is not None
        with pytest.raises(CursorError):
            await story.events("acme", RUN, 2, page.next_cursor, newest_first=True)


async def test_data_up_to_the_size_asked_for_is_read(ledger: Ledger) -> None:
    write(ledger, reported(1, [{"text": "x" * 40_000}]))
    async with Database(ledger.uri) as database:
        small = await RunStory(database).events("acme", RUN)
        large = await RunStory(database).events("acme", RUN, most_bytes=100_000)
    assert small is not None
    assert large is not None
    assert small.rows[0].data is None
    assert large.rows[0].data is not None
    assert small.rows[0].data_bytes == large.rows[0].data_bytes > 40_000


async def test_runs_are_found_by_the_bounds_of_their_ids_and_say_what_they_did(ledger: Ledger) -> None:
    logged = RunLogged(
        **common(2, 1, "log-2", "acme", "a"), data=LoggedData(status="success", actions_taken={"summary": "scaled"})
    )
    write(ledger, started(1, 0), logged, started(3, 0))
    two = run_number(2)
    async with Database(ledger.uri) as database:
        runs = RunList(database)
        [found] = (await runs.page("acme", RunFilter(first_run_id=two, last_run_id=two))).rows
        assert (found.run_id, found.action_summary, found.end_summary) == (two, "scaled", None)
        beyond = await runs.page("acme", RunFilter(first_run_id=two))
        assert {run.run_id for run in beyond.rows} == {one for one in map(run_number, (1, 2, 3)) if one >= two}


async def test_agents_are_named_with_the_retired_last(uri: str, tables: Tables) -> None:
    tables.agent("acme", "a", retired=True)
    for agent in ("c", "b"):
        tables.agent("acme", agent)
    tables.agent("other", "z")
    async with Database(uri) as database:
        assert await agent_names(database, "acme", 10) == ["b", "c", "a"]
        assert await agent_names(database, "acme", 1) == ["b"]


async def test_what_is_no_array_of_traces_is_no_step(ledger: Ledger) -> None:
    write(ledger, reported(1, [{"tool": "t"}]), reported(2, [{"tool": "u"}]))
    with psycopg.connect(ledger.uri, autocommit=True) as connection:
        connection.execute("UPDATE run_event SET data = %s WHERE event_id = 'use-1'", [Jsonb({"traces": "broken"})])
    async with Database(ledger.uri) as database:
        assert [step.tool for step in await RunSteps(database).steps("acme", RUN)] == ["u"]
