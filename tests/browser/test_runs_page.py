"""The list of runs and a run's own page: their figures are those of the tables, and nothing in a run can break them."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import pytest
from playwright.sync_api import Locator, Page, expect

from runledger import RunClient
from runledger.schemas.run_events import RunErased
from tests.browser.looking import Onlooker, assert_accessible, assert_fits, photograph
from tests.browser.runs_story import AGENT, HOSTILE_AGENT, MANY_STEPS, PROJECT, SECRET, TASK, RunsStory, told_runs
from tests.browser.site import Site
from tests.browser.story import PROJECT as DEMO
from tests.e2e.pipeline import wait_for

RUN_SQL = "SELECT * FROM agent_run WHERE project_key = %(project)s AND run_id = %(run)s"


@pytest.fixture(scope="module")
def story(site: Site) -> RunsStory:
    """Runs of a project of their own, in the tables and scored; `site.keys["maps"]` opens it."""
    return told_runs(site)


@pytest.fixture
def client(site: Site) -> Iterator[RunClient]:
    """Tells the pipeline what agents do."""
    with site.client() as made:
        yield made


def lines(page: Page) -> Locator:
    """The rows of the list."""
    return page.locator("#runs tbody tr")


def listed(page: Page) -> list[UUID]:
    """The ids of the runs that are listed, from top to bottom."""
    return [UUID(line.get_attribute("data-key")) for line in lines(page).all()]


def figures(page: Page, caption: str) -> dict[str, list[str]]:
    """A table of the page: {first cell: other cells}."""
    table = page.locator("table", has=page.locator("caption", has_text=caption))
    rows = [row.locator("th, td").all_inner_texts() for row in table.locator("tbody tr").all()]
    return {row[0].split("\n")[0].removesuffix(" differs"): row[1:] for row in rows}


# ---------------------------------------------------------------- the list


def test_the_list_is_that_of_the_table_page_by_page(onlooker: Onlooker, site: Site) -> None:
    newest = (
        "SELECT run_id FROM agent_run WHERE project_key = %(project)s AND agent_id = 'airline'"
        " ORDER BY cost_usd DESC, run_id DESC"
    )
    expected = [row["run_id"] for row in site.rows(newest, project=DEMO)]
    page = onlooker.open("/runs?agent=airline&sort=-cost_usd")
    assert listed(page) == expected
    page.goto("/runs")
    seen = listed(page)
    assert len(seen) == 50
    page.get_by_role("link", name="Next page").click()
    page.wait_for_url(re.compile("cursor="))
    rest = listed(page)
    every = {row["run_id"] for row in site.rows("SELECT run_id FROM agent_run WHERE project_key = 'default'")}
    assert len(seen) + len(rest) == len({*seen, *rest})
    assert every >= {*seen, *rest}
    page.get_by_role("link", name="First page").click()
    expect(lines(page)).to_have_count(50)


def test_a_rows_figures_are_those_of_the_table(onlooker: Onlooker, site: Site, story: RunsStory) -> None:
    page = onlooker.open("/runs", key="maps")
    [run] = site.rows(RUN_SQL, project=PROJECT, run=story.rich)
    row = page.locator(f'tr[data-key="{story.rich}"]')
    cells = row.locator("td").all_inner_texts()
    assert cells[0].strip() == "completed"
    assert cells[1].strip() == AGENT
    assert cells[3] == "3 min"
    assert cells[4] == f"{run['total_tokens']:,}"
    assert row.locator("td").nth(5).locator("span").first.get_attribute("title") == f"${run['cost_usd'].normalize():f}"
    expect(row).to_contain_text("The coast is drawn; two bays are guesses")
    expect(row).to_contain_text("1 failure")
    child = page.locator(f'tr[data-key="{story.child}"]')
    expect(child.locator("abbr")).to_have_text("est.")


def test_filters_stand_in_the_address_and_survive_a_reload(onlooker: Onlooker, site: Site) -> None:
    page = onlooker.open("/runs")
    page.get_by_label("Agent").fill("airline")
    page.get_by_label("Status").select_option("failed")
    page.get_by_role("button", name="Show").click()
    page.wait_for_url(re.compile("status=failed"))
    assert page.url.removeprefix(site.url) == "/runs?agent=airline&status=failed"
    failed = "SELECT run_id FROM agent_run WHERE agent_id = 'airline' AND status = 'failed' AND project_key = 'default'"
    expected = {row["run_id"] for row in site.rows(failed)}
    assert set(listed(page)) == expected
    page.reload()
    assert set(listed(page)) == expected
    expect(page.get_by_label("Status")).to_have_value("failed")
    page.locator(".chips a", has_text="status").click()
    page.wait_for_url(re.compile("agent=airline$"))
    assert len(listed(page)) == 40


@pytest.mark.parametrize(
    ("asked", "where"),
    [
        ("silent=yes", "run_id IN (SELECT run_id FROM agent_run_log WHERE silent)"),
        ("outcome=partial", "outcome = 'partial'"),
        ("kind=log", "kind = 'log'"),
        ("task=billing-suite", "task_id = 'billing-suite'"),
        ("status=running&within=24h", "status = 'running'"),
        ("until=2020-01-01T00:00", "false"),
    ],
)
def test_each_filter_finds_what_the_table_has(onlooker: Onlooker, site: Site, asked: str, where: str) -> None:
    page = onlooker.open(f"/runs?{asked}")
    sql = f"SELECT run_id FROM agent_run WHERE project_key = 'default' AND {where}"  # noqa: S608  # conditions of ours
    assert set(listed(page)) == {row["run_id"] for row in site.rows(sql)}


def test_the_slash_key_searches_and_a_whole_id_leads_to_the_run(onlooker: Onlooker, story: RunsStory) -> None:
    page = onlooker.open("/runs", key="maps")
    page.keyboard.press("/")
    expect(page.get_by_label("Run id")).to_be_focused()
    page.keyboard.type(str(story.child)[:-1])
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("run="))
    assert listed(page) == [story.child]
    page.get_by_label("Run id").fill(f" {story.child} ")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/runs/{story.child}")
    expect(page.get_by_role("heading", level=1)).to_have_text("Sound the northern bay")


def test_what_fits_nothing_says_so_and_leads_on(onlooker: Onlooker) -> None:
    page = onlooker.open("/runs?agent=nobody")
    expect(page.get_by_text("No run matches")).to_be_visible()
    page.get_by_role("link", name="All runs").click()
    expect(lines(page)).to_have_count(50)
    page.goto("/runs?agnet=sage")
    expect(page.get_by_role("alert")).to_contain_text("agnet")
    onlooker.forgive("422")


@pytest.mark.usefixtures("story")
def test_a_new_run_is_on_the_open_list_within_two_seconds(onlooker: Onlooker, client: RunClient) -> None:
    page = onlooker.open(f"/runs?agent={AGENT}-live", key="maps")
    expect(page.locator("#freshness")).to_have_attribute("data-state", "current")
    page.get_by_label("Task").or_(page.get_by_text("More filters")).first.focus()
    did = f"Seen live {time.time():.0f}"
    client.log_run(f"{AGENT}-live", "success", {"summary": did}, project=PROJECT)
    client.flush()
    sent_at = time.monotonic()
    expect(lines(page).filter(has_text=did)).to_be_visible(timeout=5_000)
    assert time.monotonic() - sent_at < 2 + 1, "more than two seconds, and one for a busy machine"
    expect(page.get_by_text("More filters")).to_be_focused()


# ---------------------------------------------------------------- a run


def test_a_runs_usage_is_that_of_the_table_and_explained(onlooker: Onlooker, site: Site, story: RunsStory) -> None:
    page = onlooker.open(f"/runs/{story.rich}", key="maps")
    [run] = site.rows(RUN_SQL, project=PROJECT, run=story.rich)
    table = figures(page, "Reported and final")
    titles = {"input_tokens": "Input tokens", "total_tokens": "Total tokens", "llm_calls": "Model calls"}
    for name, title in titles.items():
        assert table[title] == [f"{figure:,}" for figure in (run["reported"][name], run["final"][name], run[name])]
    expect(page.locator("#usage")).to_contain_text("The end states less of input tokens and total tokens")
    models = figures(page, "By model")
    assert models["claude-opus-4"][:4] == ["1", "8,400", "1,200", "9,600"]
    assert models["gpt-4.1"][:4] == ["1", "500", "100", "600"]
    costs = page.locator("#usage table").nth(1).locator("td:last-child > span:first-child").all()
    stated = [Decimal(str(cost.get_attribute("title")).removeprefix("$")) for cost in costs]
    assert sum(stated) == Decimal(run["reported"]["cost_usd"])


def test_a_runs_steps_are_a_waterfall_that_the_keyboard_opens(onlooker: Onlooker, story: RunsStory) -> None:
    page = onlooker.open(f"/runs/{story.rich}", key="maps")
    rows = page.locator(".waterfall tbody tr")
    names = [row.locator("summary bdi").inner_text() for row in rows.all()]
    assert names == [
        "plan the map",
        "chat claude-opus-4",
        "read_survey",
        "SELECT soundings",
        "read_tides",
        "chat claude-opus-4",
        "check the scale",
        "publish",
        "remember",
    ]
    tides = rows.nth(4)
    expect(tides).to_contain_text("failed")
    assert [cell.strip() for cell in tides.locator("td.number").all_inner_texts()] == ["+16 s", "30 s"]
    expect(rows.nth(7)).to_contain_text("no end told")
    whole = rows.nth(0).locator(".span-bar rect").bounding_box()
    inner = tides.locator(".span-bar rect").bounding_box()
    assert whole is not None
    assert inner is not None
    assert whole["x"] < inner["x"] < inner["x"] + inner["width"] < whole["x"] + whole["width"]
    rows.nth(2).locator("summary").focus()
    page.keyboard.press("Enter")
    expect(rows.nth(2).locator("pre")).to_contain_text('"tool": "read_survey"')


def test_a_runs_failures_have_their_kind_and_its_history(onlooker: Onlooker, site: Site, story: RunsStory) -> None:
    page = onlooker.open(f"/runs/{story.rich}", key="maps")
    kind = site.value("SELECT fingerprint FROM run_failure WHERE run_id = %(run)s", run=story.rich)
    failure = page.locator("#failures article")
    expect(failure).to_contain_text("resolved")
    expect(failure).to_contain_text("1 in this run, 1 in the project")
    failure.locator("summary").first.click()
    expect(failure.locator("pre")).to_contain_text("tide server 10.0.0.7:4400")
    failure.get_by_role("link").first.click()
    page.wait_for_url(f"**/failures/{kind}")


def test_a_runs_events_are_told_and_each_opens_as_json(onlooker: Onlooker, site: Site, story: RunsStory) -> None:
    page = onlooker.open(f"/runs/{story.rich}", key="maps")
    events = page.locator(".timeline > li")
    count = "SELECT count(*) FROM run_event WHERE project_key = %(project)s AND run_id = %(run)s"
    expect(events).to_have_count(site.value(count, project=PROJECT, run=story.rich))
    titles = [title.strip() for title in events.locator("h3").all_inner_texts()]
    assert titles == ["Started", "Usage", "Usage", "Failure", "Sign of life", "Sign of life", "Ended: completed"]
    expect(events.nth(5)).to_contain_text("repeated")
    events.nth(6).get_by_text("JSON").click()
    expect(events.nth(6).locator("pre")).to_contain_text('"bays": 14')
    page.get_by_role("link", name="Newest first").click()
    page.wait_for_url(re.compile("order=newest"))
    expect(events.first).to_contain_text("Ended: completed")


def test_masked_previews_stay_masked(onlooker: Onlooker, story: RunsStory) -> None:
    page = onlooker.open(f"/runs/{story.rich}", key="maps")
    expect(page.locator(".quote", has_text="to read the survey")).to_have_text(
        "Use the key [masked:api_key] to read the survey"
    )
    assert SECRET[:24] not in page.content()


def test_a_runs_score_is_told_by_dimension(onlooker: Onlooker, site: Site, story: RunsStory) -> None:
    page = onlooker.open(f"/runs/{story.rich}", key="maps")
    scores = site.value("SELECT rlhf_scores FROM agent_run_log WHERE run_id = %(run)s", run=story.rich)
    assert {name: cells[1] for name, cells in figures(page, "Score by dimension").items()} == {
        name: f"{value:.2f}" for name, value in scores["dimensions"].items()
    }
    tile = page.locator("#run .tile", has_text="Quality").locator(".tile-value")
    expect(tile).to_have_text(f"{scores['overall']:.2f}")


def test_parents_and_children_lead_to_each_other(onlooker: Onlooker, story: RunsStory) -> None:
    page = onlooker.open(f"/runs/{story.rich}", key="maps")
    page.locator("#children").get_by_role("link", name="14 fathoms").click()
    page.wait_for_url(f"**/runs/{story.child}")
    page.get_by_role("link", name=str(story.rich)).click()
    page.wait_for_url(f"**/runs/{story.rich}")
    page.get_by_role("link", name=TASK).click()
    page.wait_for_url(re.compile("task="))
    assert listed(page) == [story.rich]


def test_an_event_is_on_the_open_run_within_two_seconds(
    onlooker: Onlooker, client: RunClient, story: RunsStory
) -> None:
    page = onlooker.open(f"/runs/{story.patient}", key="maps")
    expect(page.locator("#freshness")).to_have_attribute("data-state", "current")
    page.locator(".timeline summary").last.click()
    opened = page.locator(".timeline details[open]")
    expect(opened).to_have_count(1)
    client.report_usage(PROJECT, story.patient, agent=AGENT, input_tokens=123, output_tokens=7, model="gpt-4.1")
    client.flush()
    sent_at = time.monotonic()
    expect(page.locator(".timeline > li").first).to_contain_text("123 in", timeout=5_000)
    assert time.monotonic() - sent_at < 2 + 1, "more than two seconds, and one for a busy machine"
    expect(page.locator("#run .tile", has_text="Tokens")).to_contain_text("130")
    expect(opened).to_have_count(1)
    expect(opened).to_contain_text("runledger.run.started.v1")


def test_hostile_runs_neither_run_nor_break_the_page(onlooker: Onlooker, story: RunsStory) -> None:
    for path in ("/runs", f"/runs/{story.hostile}"):
        for screen in ("desktop", "phone"):
            page = onlooker.open(path, key="maps", screen="phone" if screen == "phone" else "desktop")
            assert page.locator("main script, main img, main i, main b > b").count() == 0
            assert page.title().endswith("Runledger")
            assert_fits(page)
            assert "\u202e" not in page.content()
    assert_accessible(page)
    agent = page.locator("#facts dd").first
    expect(agent).to_contain_text(HOSTILE_AGENT.replace("\u202e", "\ufffd"))
    steps = page.locator(".waterfall tbody tr")
    expect(steps).to_have_count(100)
    expect(page.locator("#steps .panel-head")).to_contain_text(f"1 to 100 of {MANY_STEPS} steps")
    page.get_by_role("link", name="Steps after").click()
    page.wait_for_url(re.compile("steps=100"))
    expect(steps).to_have_count(MANY_STEPS - 100)


def test_a_run_of_another_project_or_of_none_is_not_there(onlooker: Onlooker, story: RunsStory) -> None:
    for path in (f"/runs/{story.rich}", "/runs/00000000-0000-4000-8000-000000000000", "/runs/nonsense"):
        page = onlooker.open(path)
        expect(page.get_by_role("alert")).to_contain_text("This project has no such run")
    onlooker.forgive("404")


@pytest.mark.usefixtures("story")
def test_an_open_page_of_a_run_that_is_erased_says_that_it_is_gone(
    onlooker: Onlooker, client: RunClient, site: Site
) -> None:
    run = client.start_run(PROJECT, "ghost", summary="Here for a moment")
    client.flush()
    wait_for("the run", lambda: bool(site.rows(RUN_SQL, project=PROJECT, run=run.run_id)), 30)
    page = onlooker.open(f"/runs/{run.run_id}", key="maps")
    expect(page.locator("#freshness")).to_have_attribute("data-state", "current")
    now = datetime.now(UTC)
    erased = RunErased(event_id="erase", project_key=PROJECT, run_id=run.run_id, occurred_at=now, agent_id="ghost")
    client.publish(erased)
    client.flush()
    expect(page.get_by_role("alert")).to_contain_text("This project has no such run", timeout=30_000)
    page.wait_for_load_state("networkidle")  # the page that says so follows nothing
    assert len([line for line in onlooker.complaints if "404" in line]) == 2, "the look that found it gone, the reload"
    onlooker.forgive("404")


def test_without_javascript_the_pages_work(onlooker: Onlooker, story: RunsStory) -> None:
    page = onlooker.open("/runs", key="maps", javascript=False)
    page.get_by_label("Agent").fill(AGENT)
    page.get_by_role("button", name="Show").click()
    page.get_by_role("link", name="two bays are guesses").click()
    page.locator(".timeline summary").first.click()
    expect(page.locator(".timeline pre").first).to_be_visible()


def test_the_list_looks_right(onlooker: Onlooker) -> None:
    photograph(onlooker, "/runs", "runs")
    photograph(onlooker, "/runs?agent=airline&status=failed&sort=-cost_usd", "runs-filtered")


def test_a_run_looks_right(onlooker: Onlooker, story: RunsStory) -> None:
    photograph(onlooker, f"/runs/{story.rich}", "run", _open_some, key="maps")
    photograph(onlooker, f"/runs/{story.hostile}", "run-hostile", key="maps")


def _open_some(page: Page) -> None:
    for part in ("#steps", "#timeline", "#result"):
        page.locator(f"{part} summary").first.click()
