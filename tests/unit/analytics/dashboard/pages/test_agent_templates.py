"""The pages of agents as they are written: each state says what it is, and nobody's words become markup."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from html import unescape
from typing import Any

import pytest

from runledger.access.keys import Principal
from runledger.analytics.agent_story import AgentFailure
from runledger.analytics.agent_usage import AgentCosts, UsageWeek
from runledger.analytics.auditor import Audit
from runledger.analytics.cost_table import CostPeriod, CostSums, CostTable
from runledger.analytics.dashboard.charts import draw_strip_legend
from runledger.analytics.dashboard.pages.agent_list_view import make_list
from runledger.analytics.dashboard.pages.agent_question import SPANS, AgentQuestion, AgentsQuestion
from runledger.analytics.dashboard.pages.agent_view import make_page
from runledger.analytics.dashboard.rendering import Renderer
from runledger.analytics.incident_list import ListedIncident
from runledger.analytics.paging import Page
from runledger.analytics.pipeline import Pipeline
from runledger.analytics.verdicts import AuditedAgent
from tests.unit.analytics.dashboard.agents import NOON, agent, audit, outcome, run_id, story, usage, week

VIEWER = Principal("acme", frozenset({"read"}))
MARKUP = "<script>alert(1)</script>\"'&"
TURNS = "evil\u202egnp.exe"


def _write(template: str, page: object) -> str:
    model = {"page": page, "legend": draw_strip_legend(), "spans": SPANS}
    return Renderer().draw(template, "/agents", NOON, VIEWER, None, model).decode()


def _list(whole: Audit, known: UsageWeek | None = None, **asked: Any) -> str:  # noqa: ANN401  # of AgentsQuestion
    return _write("agents.html", make_list(whole, AgentsQuestion(**asked), known, {}))


def _page(about: AuditedAgent, costs: AgentCosts | None = None, **told: Any) -> str:  # noqa: ANN401  # of `story`
    incidents = told.pop("incidents", Page([], None))
    question = told.pop("question", AgentQuestion())
    return _write("agent.html", make_page(story(about, **told), costs, incidents, [], question))


def _words(html: str) -> str:
    """What a page says, without its marks."""
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", html)).split())


@pytest.mark.parametrize(
    ("whole", "asked", "said"),
    [
        (audit(), {}, "No agent is known yet"),
        (audit(agent()), {"q": "nobody"}, "No agent is called so"),
        (audit(agent()), {"state": "quiet"}, "No agent is quiet"),
        (audit(agent()), {"page": 7}, "Nothing beyond here"),
    ],
)
def test_an_empty_list_says_why_and_what_next(whole: Audit, asked: dict[str, Any], said: str) -> None:
    words = _words(_list(whole, **asked))
    assert said in words
    assert "All agents" in words or "To the first page" in words or "runledger agents set" in words


def test_while_the_pipeline_is_behind_the_list_says_that_nobody_is_called_quiet() -> None:
    behind = replace(audit(agent()), judged=False, pipeline=Pipeline("behind", NOON, 90.0, NOON))
    assert "The pipeline is 1 min 30 s behind: who is quiet cannot be told" in _words(_list(behind))
    unknown = replace(audit(agent()), judged=False, pipeline=Pipeline("unknown", None, None, NOON))
    assert "Nobody knows how far the pipeline has come" in _words(_list(unknown))


def test_while_costs_are_added_up_the_list_says_so() -> None:
    words = _words(_list(audit(agent())))
    assert "still being added up" in words
    assert "not added up" in words
    assert "still being added up" not in _words(_list(audit(agent()), week()))


def test_a_sum_that_holds_for_some_runs_says_for_how_many() -> None:
    words = _words(_list(audit(agent()), week(usage("sage", runs=4, runs_with_cost=1))))
    assert "$0.500 for 1 of 4 runs" in words


def test_more_agents_than_are_looked_at_are_mentioned() -> None:
    assert "There are more agents" in _words(_list(replace(audit(agent()), more_agents=True)))


def test_a_long_list_has_pages_that_keep_its_filters() -> None:
    many = audit(*(agent(f"a{number:03}", role="x") for number in range(120)))
    html = _list(many, q="x", sort="-runs", page=2)
    assert "51 to 100 of 120" in _words(html)
    for number in ("", "&amp;page=3"):
        assert f'href="/agents?q=x&amp;sort=-runs{number}"' in html


def test_a_heading_turns_its_own_order_around() -> None:
    html = _list(audit(agent()), sort="-cost")
    assert 'aria-sort="descending"><a href="/agents?sort=cost">' in html
    assert 'href="/agents?sort=-tokens"' in html
    assert 'href="/agents?sort=agent"' in html


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"state": "retired"}, "It is retired: nothing is expected of it"),
        (
            {"state": "expected", "last_seen_at": None},
            "It was never heard, and is not due yet: it is expected every 1 h.",
        ),
        ({}, "Nothing is wrong with it."),
        ({"unheard_seconds": None}, "whether it is quiet cannot be told"),
        (
            {"state": "failing", "findings": ("failing",), "consecutive_failure_count": 3},
            "failed 3 times in a row Its next successful run ends the streak",
        ),
    ],
)
def test_an_agents_page_says_how_it_does(fields: dict[str, Any], said: str) -> None:
    assert said in _words(_page(agent(**fields)))


def _costs(total: CostSums) -> AgentCosts:
    days = [date(2026, 3, 1) + timedelta(days=number) for number in range(7)]
    periods = [CostPeriod(days[0], total)] if total.all_runs else []
    return AgentCosts(days, CostTable(total, periods, [], None))


@pytest.mark.parametrize(
    ("costs", "said"),
    [
        (None, "Adding up; there is much to add."),
        (_costs(CostSums({}, {}, {}, 0)), "No run ended, or was heard of, in these 30 days"),
        (_costs(CostSums({"unknown": 1}, {}, {}, 0)), "Its one run in these 30 days does not say what it used."),
        (_costs(CostSums({"unknown": 3}, {}, {}, 0)), "None of its 3 runs in these 30 days says what it used."),
        (
            _costs(CostSums({"reported": 1, "unknown": 2}, {"reported": Decimal("1.5")}, {"reported": 70}, 1)),
            "In 30 days: $1.50 , 70 tokens, in 3 runs; the cost of 2 is unknown .",
        ),
    ],
)
def test_what_is_known_of_costs_is_said_as_it_is(costs: AgentCosts | None, said: str) -> None:
    assert said in _words(_page(agent(), costs))


def test_failed_runs_that_say_nothing_of_why_are_not_called_free_of_failures() -> None:
    words = _words(_page(agent(), outcomes=[outcome(1, status="failed"), outcome(2)]))
    assert "1 failed, and it recorded no failure that says why." in words
    assert "They recorded no failure." in _words(_page(agent(), outcomes=[outcome(1)]))


def test_incidents_have_pages() -> None:
    over = ListedIncident(run_id(9), "sage", "failing", "recovered", 3, run_id(1), NOON, NOON, run_id(2))
    still = replace(over, incident_id=run_id(8), state="open", recovered_at=None, recovered_run_id=None)
    html = _page(agent(), incidents=Page([still, over], "next"), question=AgentQuestion(within="7d", cursor="here"))
    assert 'href="/agents/sage?within=7d&amp;cursor=next#incidents-title"' in html
    assert 'href="/agents/sage?within=7d#incidents-title"' in html
    assert "not yet" in _words(html)
    beyond = _page(agent(), question=AgentQuestion(cursor="here"))
    assert "There are none before these." in _words(beyond)
    assert "None so far. One opens when 3 runs in a row fail, or 3 show no output." in _words(_page(agent()))


@pytest.mark.parametrize("hostile", [MARKUP, TURNS])
def test_nobodys_words_become_markup_or_turn_the_page(hostile: str) -> None:
    about = agent(hostile, name=hostile, role=hostile, findings=("failing", "quiet"), consecutive_failure_count=3)
    failures = [AgentFailure("a" * 64, "open", hostile, 1, NOON)]
    page = _page(about, outcomes=[outcome(1, status="failed", action_summary=hostile)], failures=failures)
    for html in (page, _list(audit(about), q=hostile), _list(audit(about))):
        assert "<script>alert" not in html
        # What was typed stands in its field as it was; a key is shown to nobody.
        assert "\u202e" not in re.sub(r' (value|data-key)="[^"]*"', "", html)
