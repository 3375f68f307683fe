"""The first page as it is written."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from runledger.access.keys import Principal
from runledger.analytics.dashboard.pages.overview import make_page
from runledger.analytics.dashboard.rendering import Renderer
from runledger.analytics.overview import Day, NewestRun, Overview, Quality
from runledger.analytics.readings import CostReading, RunCosts
from tests.unit.analytics.dashboard.agents import NOON, WEEK, agent, audit, run_id

VIEWER = Principal("acme", frozenset({"read"}))
EVIL = "<script>alert(1)</script>\"'&"
TURNS = "evil\u202egnp.exe"
NOTHING = CostReading(None, None, None, 0, 0, 0, 0, None, 0, None, None, None, None)


def overview(words: str) -> Overview:
    """Return a project whose one agent, which fails, is called so and says so."""
    newest = NewestRun("sage", words, words, words, "failed", NOON, run_id(1), silent=False)
    failing = agent(name=words, state="failing", findings=("failing",), consecutive_failure_count=3)
    return Overview(
        today_start=NOON,
        time_zone="UTC",
        days=[Day(day, 1, 0, 0, 1, 0, None) for day in WEEK],
        quality=Quality(0, None, None),
        audit=audit(failing),
        newest=[newest],
    )


def written(words: str, costs: RunCosts | None) -> str:
    page = make_page(overview(words), costs)
    return Renderer().draw("overview.html", "/", NOON, VIEWER, None, {"page": page}).decode()


def costs(model: str) -> RunCosts:
    group = replace(NOTHING, models=[model], runs=1)
    return RunCosts(replace(NOTHING, runs=1), [group], more_groups=False)


def test_what_agents_wrote_is_text_and_turns_nothing_around() -> None:
    page = written(EVIL, costs(EVIL))
    assert "<script>alert" not in page
    assert page.count("&lt;script&gt;alert(1)&lt;/script&gt;&#34;&#39;&amp;") == 5
    page = written(TURNS, costs(TURNS))
    assert "\u202e" not in page
    assert page.count("evil\ufffdgnp.exe") == 5


def test_where_nothing_ran_nothing_was_spent_and_elsewhere_nobody_may_know() -> None:
    assert make_page(overview("sage"), RunCosts(NOTHING, [], more_groups=False)).cost_usd == Decimal(0)
    assert make_page(overview("sage"), costs("m")).cost_usd is None
    assert make_page(overview("sage"), None).cost_usd is None
