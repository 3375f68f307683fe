"""Which agents the list shows, and in which order."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import get_args

import pytest

from runledger.analytics.dashboard.pages.agent_list_view import (
    PAGE_AGENTS,
    STATES,
    choose_agents,
    find_agents,
    make_list,
)
from runledger.analytics.dashboard.pages.agent_question import AgentSort, AgentsQuestion
from runledger.analytics.verdicts import AgentState, AuditedAgent
from tests.unit.analytics.dashboard.agents import NOON, agent, audit, usage, week

SAGE = agent("sage", name="Sage", role="Backend", finished_runs=2, last_seen_at=NOON - timedelta(hours=2))
NOVA = agent("nova", role="Security", state="failing", findings=("failing",), consecutive_failure_count=3)
LUMA = agent("luma", name="Zoe", state="quiet", findings=("quiet",), unheard_seconds=8_000.0, finished_runs=70)
IRIS = agent("iris", state="expected", last_seen_at=None, finished_runs=0)
ALL = audit(IRIS, LUMA, NOVA, SAGE)
USED = week(
    usage("sage", cost_usd=Decimal(2), total_tokens=None),
    usage("nova", cost_usd=None, total_tokens=70),
    usage("luma", cost_usd=Decimal("0.5"), total_tokens=9),
)


def _ids(agents: list[AuditedAgent]) -> list[str]:
    return [one.agent_id for one in agents]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (None, ["iris", "luma", "nova", "sage"]),
        ("SA", ["sage"]),
        ("back sage", ["sage"]),
        ("zoe", ["luma"]),
        ("e", ["luma", "nova", "sage"]),
        ("nobody", []),
    ],
)
def test_words_are_found_in_id_name_and_role(words: str | None, found: list[str]) -> None:
    assert _ids(find_agents(ALL, AgentsQuestion(q=words))) == found


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        ("state", "nova luma iris sage"),
        ("agent", "iris nova sage luma"),
        ("-agent", "luma sage nova iris"),
        ("-last_seen", "luma nova sage iris"),
        ("last_seen", "sage luma nova iris"),
        ("-cost", "sage luma iris nova"),
        ("cost", "luma sage iris nova"),
        ("-tokens", "nova luma iris sage"),
        ("tokens", "luma nova iris sage"),
        ("-runs", "luma nova sage iris"),
        ("runs", "iris sage nova luma"),
    ],
)
def test_what_is_unknown_comes_last_in_any_order(sort: AgentSort, order: str) -> None:
    assert _ids(choose_agents(ALL.agents, AgentsQuestion(sort=sort), USED)) == order.split()


def test_while_costs_are_added_up_the_order_is_by_id() -> None:
    assert _ids(choose_agents(ALL.agents, AgentsQuestion(sort="-cost"), None)) == ["iris", "luma", "nova", "sage"]


def test_every_state_and_every_order_is_known() -> None:
    assert set(STATES) == set(get_args(AgentState))
    for sort in get_args(AgentSort):
        assert len(choose_agents(ALL.agents, AgentsQuestion(sort=sort), USED)) == 4


def test_states_are_counted_over_what_the_words_find() -> None:
    made = make_list(ALL, AgentsQuestion(state="quiet", q="a"), USED, {})
    assert made.states == [("failing", 1), ("quiet", 1), ("healthy", 1)]
    assert (made.found, made.matching) == (3, 1)
    assert [line.title for line in made.lines] == ["Zoe"]
    assert make_list(ALL, AgentsQuestion(state="silent"), USED, {}).states[1] == ("silent", 0)


def test_a_line_says_who_it_is_and_what_was_found() -> None:
    lines = {line.agent.agent_id: line for line in make_list(ALL, AgentsQuestion(), USED, {}).lines}
    assert [(lines[one].title, lines[one].subtitle) for one in ("sage", "nova", "luma")] == [
        ("Sage", "Backend · sage"),
        ("nova", "Security"),
        ("Zoe", "luma"),
    ]
    assert lines["nova"].why == "failed 3 times in a row"
    assert "No run has finished yet." in lines["sage"].strip
    assert "Sat $0.50" in lines["luma"].spark
    assert "Sun $0.00" in lines["luma"].spark
    assert lines["nova"].spark == "", "of its cost nothing is known"
    assert lines["iris"].usage is None


def test_what_a_name_would_do_to_the_page_it_does_not() -> None:
    hostile = agent("x\u202ey", name="<b>&\x1b[1m", role="\u2066role")
    (line,) = make_list(audit(hostile), AgentsQuestion(), None, {}).lines
    assert not set("\u202e\u2066\x1b") & set(line.title + line.subtitle)


def test_pages_hold_fifty_agents() -> None:
    many = audit(*(agent(f"a{number:03}") for number in range(2 * PAGE_AGENTS + 1)))
    last = make_list(many, AgentsQuestion(page=3), None, {})
    assert [line.agent.agent_id for line in last.lines] == ["a100"]
    assert (last.first, last.pages, last.matching) == (101, 3, 101)
    assert make_list(many, AgentsQuestion(page=4), None, {}).lines == []
