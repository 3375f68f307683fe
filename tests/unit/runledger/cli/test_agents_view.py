"""What a terminal shows of agents, and `top` of everything."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from runledger.analytics.agent_story import AgentFailure, AgentOutcome, AgentStory
from runledger.analytics.auditor import Audit
from runledger.analytics.cost_table import CostSums
from runledger.analytics.pipeline import Pipeline
from runledger.analytics.run_list import ListedRun
from runledger.analytics.verdicts import AuditedAgent, OpenIncidentRow
from runledger.cli.agents_view import ListedAgents, agent_view, agents_document, agents_table, audit_remarks
from runledger.cli.top_view import Snapshot, most_urgent, top_document, top_view
from tests.unit.runledger.cli.build import HOSTILE, NOON, agent, made, obeyed, outcome, printed, run_number

CURRENT = Pipeline("current", NOON, 1.5, NOON)
UNKNOWN = Pipeline("unknown", None, None, NOON)
NOTHING = CostSums({}, {}, {}, 0)


def _audit(*agents: AuditedAgent, pipeline: Pipeline = CURRENT) -> Audit:
    return Audit(pipeline, pipeline.state == "current", list(agents), more_agents=False)


def _listed(*agents: AuditedAgent) -> ListedAgents:
    strips = {("acme", "sage"): [outcome("failed"), outcome()]}
    return ListedAgents(_audit(*agents), strips)


def _snapshot(agents: int = 2, runs: int = 2, **known: Any) -> Snapshot:  # noqa: ANN401  # any field
    listed = [agent(agent_id=f"agent-{number:03}") for number in range(agents)]
    rows = [
        made(ListedRun, run_id=run_number(number), agent_id="sage", status="completed" if number else "running")
        for number in range(runs)
    ]
    rows = [made(ListedRun, run_id=row.run_id, agent_id="sage", status=row.status, heard_at=NOON) for row in rows]
    usual: dict[str, Any] = {
        "project": "acme",
        "audit": _audit(*listed),
        "strips": {("acme", "agent-000"): [outcome("failed")]},
        "runs": rows,
        "more_running": False,
        "today": NOTHING,
    }
    return Snapshot(**usual | known)


def test_a_list_shows_the_last_runs_beside_the_state() -> None:
    found = agent("failing", "quiet", name="Sage", role="QA", last_seen_at=NOON - timedelta(hours=5))
    shown = printed(agents_table(_listed(found, agent(agent_id=HOSTILE, project_key="other"))), 140)
    assert "sage" in shown
    assert "Sage -- QA" in shown
    assert "failing, quiet" in shown
    assert "▁█" in shown
    assert "5h ago" in shown
    assert obeyed(shown) == []


def test_of_one_project_its_name_leaves_first_where_room_is_short() -> None:
    assert "acme" not in printed(agents_table(_listed(agent(), agent(agent_id="nova"))), 26)
    assert "acme" in printed(agents_table(_listed(agent(), agent(project_key="other"))), 26)


def test_programs_get_the_outcomes_by_name() -> None:
    document: Any = agents_document(_listed(agent()))
    [only] = document["agents"]
    assert (only["last_runs"], only["state"]) == (["failed", "success"], "healthy")


def test_what_could_not_be_judged_is_said() -> None:
    assert list(audit_remarks(_audit(agent()))) == []
    [said] = audit_remarks(_audit(agent(), pipeline=UNKNOWN))
    assert said.endswith("so nobody is judged quiet")


def test_one_agent_is_shown_with_what_is_wrong_and_why() -> None:
    found = agent(
        "failing",
        consecutive_failure_count=4,
        open_incidents=(made(OpenIncidentRow, kind="failing", opened_at=NOON),),
        name=HOSTILE,
    )
    outcomes = [
        made(
            AgentOutcome,
            run_id=run_number(number),
            status="failed" if number else "success",
            silent=bool(number),
            ended_at=NOON,
            started_at=NOON - timedelta(minutes=5),
            action_summary=HOSTILE,
            score=0.5,
            cost_usd=Decimal(2),
        )
        for number in range(2)
    ]
    failure = made(AgentFailure, fingerprint="cd" * 32, state="regressed", summary=HOSTILE, runs=1, last_seen_at=NOON)
    shown = printed(agent_view(AgentStory(found, UNKNOWN, outcomes, [failure])), 160)
    assert obeyed(shown) == []
    for words in (
        "failed 4 times in a row",
        "incident",
        "█▁",
        "50 % of its last 2",
        "5m",
        "cdcdcdcdcdcd",
        "was not judged",
    ):
        assert words in shown, words


def test_who_needs_a_look_stands_first_then_who_was_heard_of_last() -> None:
    agents = [
        agent(agent_id="old", last_seen_at=NOON - timedelta(days=1)),
        agent(agent_id="new"),
        agent("quiet", agent_id="quiet"),
        agent("failing", agent_id="failing"),
        agent(agent_id="never", state="expected", last_seen_at=None),
    ]
    assert [one.agent_id for one in most_urgent(agents)] == ["failing", "quiet", "new", "old", "never"]


@pytest.mark.parametrize("height", [10, 24, 60])
@pytest.mark.parametrize("width", [40, 80, 140])
@pytest.mark.parametrize(("agents", "runs"), [(0, 0), (1, 50), (50, 1), (200, 50)])
def test_one_screen_is_what_is_shown_live(height: int, width: int, agents: int, runs: int) -> None:
    shown = printed(top_view(_snapshot(agents, runs), height, "the database is away"), width).splitlines()
    assert len(shown) <= max(height, 16)
    assert max(map(len, shown)) <= width
    assert shown[-1] == "the database is away"


def test_a_snapshot_says_how_many_agents_are_how_and_what_the_day_cost() -> None:
    today = CostSums({"reported": 3, "unknown": 1}, {"reported": Decimal(4)}, {"reported": 7}, 3)
    shown = printed(top_view(_snapshot(today=today, more_running=True)))
    assert "pipeline current, 1.5s behind" in shown
    assert "2 healthy" in shown
    assert "1+ running, today 4 ended, 7 tokens, $4.00 (1 of unknown cost)" in shown
    empty = printed(top_view(_snapshot(0, 0, audit=_audit(pipeline=UNKNOWN))))
    assert "no watch has told" in empty
    assert "No agent is known." in empty


def test_a_program_gets_the_snapshot() -> None:
    document = top_document(_snapshot(3, 2))
    assert (document["running"], document["states"]) == (1, {"healthy": 3})
    assert len(document["runs"]) == 2  # type: ignore[arg-type]  # a list
