"""Questions to real tables, written by the writer from what the reducers make of events."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from runledger.analytics.database import Database
from runledger.analytics.reader import LedgerReader
from runledger.schemas.fingerprint import fingerprint
from runledger.schemas.run_events import (
    FailureResolved,
    ResolvedData,
)
from tests.integration.analytics.events import BEGAN, TASK, TIMEOUT, common, ended, failed, started, used, write
from tests.integration.sinks.conftest import Ledger
from tests.integration.sinks.story import Story
from tests.unit.sinks.build import run_number

pytestmark = pytest.mark.integration


async def test_a_run_is_read_with_its_row_and_failures(ledger: Ledger) -> None:
    write(ledger, started(1, 0, task=TASK), used(1, 1, cost="0.25", model="m"), failed(1, 2), ended(1, 3, "failed"))
    async with Database(ledger.uri) as database:
        reader = LedgerReader(database)
        found = await reader.get_run("acme", run_number(1))
    assert found is not None
    assert (found.run.status, found.run.outcome, found.run.agent_id, found.run.task_id) == (
        "failed",
        "failed",
        "a",
        TASK,
    )
    assert (found.run.total_tokens, found.run.cost_usd, found.run.models) == (15, Decimal("0.25"), ["m"])
    assert (found.run.cache_read_tokens, found.run.score) == (None, None)
    assert found.run.actions_taken == {"files": 3, "summary": "done"}
    assert found.run.consecutive_failure_count == 1
    assert [(one.error, one.summary) for one in found.failures] == [(TIMEOUT, "no database")]


async def test_another_projects_run_is_not_there(ledger: Ledger) -> None:
    write(ledger, started(1, 0), failed(1, 1), ended(1, 2, "failed"))
    async with Database(ledger.uri) as database:
        reader = LedgerReader(database)
        assert await reader.get_run("other", run_number(1)) is None
        assert await reader.get_run("acme", UUID(int=0)) is None
        assert await reader.recent_failures("other", fingerprint("acme", "", TIMEOUT), 10) == []
        assert (await reader.run_costs("other", BEGAN, "agent", 10)).total.runs == 0


async def test_a_failure_is_found_by_another_text_of_its_kind_and_counts_every_agent(ledger: Ledger) -> None:
    other = "connect ETIMEDOUT 10.0.0.77:5433 after 31s"
    write(ledger, started(1, 0), failed(1, 1), started(2, 2, agent="b"), failed(2, 3, other, agent="b"))
    async with Database(ledger.uri) as database:
        reader = LedgerReader(database)
        (group,) = await reader.recent_failures(
            "acme", fingerprint("acme", "", "connect ETIMEDOUT 10.9.9.9:1 after 2s"), 10
        )
    assert (group.failure_count, group.agents, group.error) == (2, ["a", "b"], other)
    assert (group.first_seen_at, group.last_seen_at) == (BEGAN + timedelta(minutes=1), BEGAN + timedelta(minutes=3))
    assert group.resolved_at is None


async def test_a_later_completed_run_of_the_task_resolves_a_failure(ledger: Ledger) -> None:
    write(
        ledger,
        *(started(1, 0, task=TASK), ended(1, 1, "completed", summary="before")),
        *(started(2, 2, task=TASK), failed(2, 3), ended(2, 4, "failed")),
        *(started(3, 5, task=TASK, agent="b"), ended(3, 6, "completed", summary="raised the pool", agent="b")),
        *(started(4, 7), failed(4, 8, "disk full", task=None), ended(4, 9, "failed")),
        *(started(5, 10), ended(5, 11, "completed")),
        *(
            started(6, 12, task=TASK, project="other", agent="o"),
            ended(6, 13, "completed", project="other", agent="o"),
        ),
    )
    async with Database(ledger.uri) as database:
        reader = LedgerReader(database)
        unresolved, resolved = await reader.recent_failures("acme", None, 10)
    assert (unresolved.error, unresolved.resolved_at) == ("disk full", None)
    assert resolved.resolved_at == BEGAN + timedelta(minutes=6)
    assert (resolved.resolved_by_run_id, resolved.resolved_by_agent_id) == (run_number(3), "b")
    assert resolved.resolved_by_summary == "raised the pool"


async def test_a_run_that_failed_on_the_way_and_completed_resolves_its_own_task(ledger: Ledger) -> None:
    write(ledger, started(1, 0), failed(1, 1), ended(1, 2, "completed"), failed(2, 0, task=None))
    async with Database(ledger.uri) as database:
        reader = LedgerReader(database)
        (group,) = await reader.recent_failures("acme", None, 10)
    assert (group.failure_count, group.resolved_by_run_id) == (2, run_number(1))


async def test_a_word_resolves_a_failure_until_it_happens_again(ledger: Ledger) -> None:
    kind = fingerprint("acme", "", TIMEOUT)
    data = ResolvedData(fingerprint=kind, note="raised the pool", by="ops")
    word = FailureResolved(**common(9, 2, "word", "acme", "medic"), data=data)
    story = Story()
    ledger.write(story.tell([failed(1, 1, task=None), word, failed(2, 0, "disk full", task=None)])[:])
    async with Database(ledger.uri) as database:
        reader = LedgerReader(database)
        page = await reader.failure_page("acme", state="resolved")
        (group,) = page.rows
        assert (group.state, group.resolved_at, group.regressed_at) == ("resolved", BEGAN + timedelta(minutes=2), None)
        assert (group.resolved_by_event_id, group.resolved_by_run_id) == ("word", None)
        assert (group.resolved_by_agent_id, group.resolved_by, group.resolution_note) == (
            "medic",
            "ops",
            "raised the pool",
        )
        assert [one.state for one in (await reader.failure_page("acme", state="open")).rows] == ["open"]
        before = len(story.records)
        ledger.write(story.tell([failed(3, 5, task=None), failed(4, 4, task=None)])[before:])
        (group,) = (await reader.failure_page("acme", state="regressed")).rows
        assert group.regressed_at == BEGAN + timedelta(minutes=4)
        assert await reader.find_fingerprints("acme", kind[:5], 2) == [kind]
        assert await reader.find_fingerprints("other", kind[:5], 2) == []


async def test_long_errors_are_shown_in_part_with_their_length(ledger: Ledger) -> None:
    write(ledger, failed(1, 0, "x y" * 2000))
    async with Database(ledger.uri) as database:
        reader = LedgerReader(database)
        (group,) = await reader.recent_failures("acme", None, 1)
    assert (len(group.error or ""), group.error_characters) == (2000, 6000)


async def test_costs_add_up_what_is_known_and_say_how_much_that_is(ledger: Ledger) -> None:
    write(
        ledger,
        *(started(1, 0), used(1, 1, cost="0.5", model="m"), ended(1, 2, "completed")),
        *(started(2, 0), used(2, 1, cost="0.25", model="m"), used(2, 2, cost=None, model="own"), started(3, 0)),
        *(started(4, 1440, agent="b"), ended(4, 1441, "completed", agent="b")),
        *(started(5, 0, project="other", agent="o"), used(5, 1, cost="9", model="m", project="other", agent="o")),
    )
    async with Database(ledger.uri) as database:
        reader = LedgerReader(database)
        by_agent = await reader.run_costs("acme", BEGAN, "agent", 10)
        by_day = await reader.run_costs("acme", BEGAN, "day", 10)
        by_model = await reader.run_costs("acme", BEGAN, "model", 10)
        later = await reader.run_costs("acme", BEGAN + timedelta(days=1), None, 10)
        one_group = await reader.run_costs("acme", BEGAN, "agent", 1)
    total = by_agent.total
    assert (total.runs, total.runs_with_cost, total.cost_usd) == (4, 2, Decimal("0.75"))
    assert (total.runs_with_tokens, total.total_tokens, total.llm_calls) == (2, 45, None)
    assert (total.runs_cost_estimated, total.runs_cost_mixed) == (0, 1)
    assert [(one.agent_id, one.runs, one.cost_usd) for one in by_agent.groups] == [
        ("a", 3, Decimal("0.75")),
        ("b", 1, None),
    ]
    assert [(one.day, one.runs) for one in by_day.groups] == [(date(2026, 2, 27), 3), (date(2026, 2, 28), 1)]
    assert [(one.models, one.runs) for one in by_model.groups] == [(["m"], 1), (["m", "own"], 1), ([], 2)]
    assert (later.total.runs, later.total.cost_usd, later.groups, later.more_groups) == (1, None, [], False)
    assert (len(one_group.groups), one_group.more_groups, by_agent.more_groups) == (1, True, False)


async def test_costs_of_no_run_at_all_are_unknown(ledger: Ledger) -> None:
    async with Database(ledger.uri) as database:
        reader = LedgerReader(database)
        costs = await reader.run_costs("acme", datetime(2020, 1, 1, tzinfo=UTC), "day", 10)
    assert (costs.total.runs, costs.total.cost_usd, costs.groups) == (0, None, [])
