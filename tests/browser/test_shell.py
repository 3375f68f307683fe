"""What all pages have in common: live updates, colours, keys, troubles, and doing without JavaScript."""

from __future__ import annotations

import json
import re
import time

import httpx
import psycopg
from playwright.sync_api import Page, expect

from tests.browser.looking import Onlooker, photograph
from tests.browser.site import Site
from tests.browser.story import PROJECT


def tell(site: Site, did: str) -> None:
    """Have an agent do something."""
    with site.client() as client:
        client.log_run("shell-agent", "success", {"summary": did}, project=PROJECT)


def test_focus_selection_and_scrolling_outlast_an_update(page: Page, site: Site) -> None:
    link = page.locator(".card", has_text="Sage").get_by_role("link").first
    link.focus()
    page.evaluate("window.scrollTo(0, 300); window.kept = document.activeElement")
    scrolled = page.evaluate("window.scrollY")
    did = f"While somebody read {time.time():.0f}"
    tell(site, did)
    expect(page.locator(".card", has_text=did)).to_be_visible(timeout=5_000)
    assert page.evaluate("document.activeElement === window.kept")
    assert page.evaluate("window.scrollY") == scrolled


def test_updates_can_be_paused(page: Page, site: Site) -> None:
    button = page.locator("#freshness")
    expect(button).to_contain_text("Live")
    button.click()
    expect(button).to_contain_text("Paused")
    did = f"While it was paused {time.time():.0f}"
    tell(site, did)
    other = page.context.new_page()
    other.goto(site.url)
    expect(other.locator(".card", has_text=did)).to_be_visible(timeout=8_000)
    assert page.locator(".card", has_text=did).count() == 0
    button.click()
    expect(page.locator(".card", has_text=did)).to_be_visible(timeout=5_000)


def test_tabs_of_one_browser_share_a_connection_and_all_follow(page: Page, site: Site) -> None:
    others = [page.context.new_page() for _ in range(7)]
    for other in others:
        other.goto(site.url)
    did = f"Seen by eight {time.time():.0f}"
    tell(site, did)
    for one in (page, *others):
        expect(one.locator(".card", has_text=did)).to_be_attached(timeout=8_000)


def test_a_page_says_that_the_database_is_away_and_shows_again_when_it_is_back(onlooker: Onlooker, site: Site) -> None:
    page = onlooker.open()
    expect(page.locator("#freshness")).to_have_attribute("data-state", "current")
    _refuse_readers(site, refuse=True)
    try:
        expect(page.locator("#freshness")).to_contain_text("Database away", timeout=15_000)
        expect(page.locator("#completed .tile-value")).to_be_visible()
        page.goto("/?fresh")
        expect(page.get_by_role("heading", level=1)).to_have_text("The ledger does not answer", timeout=15_000)
        page.screenshot(path="build/screenshots/away-desktop.png")
    finally:
        _refuse_readers(site, refuse=False)
    expect(page.locator("#completed .tile-value")).to_be_visible(timeout=20_000)
    onlooker.forgive("503")


def _refuse_readers(site: Site, *, refuse: bool) -> None:
    """Let nobody connect to the database, as when it is restarted; the workers wait."""
    parts = psycopg.conninfo.conninfo_to_dict(site.settings.postgres)
    name = str(parts["dbname"])
    outside = psycopg.conninfo.make_conninfo(**{**parts, "dbname": "postgres"})  # type: ignore[arg-type]  # all text
    with psycopg.connect(outside, autocommit=True) as connection:
        connection.execute(f'ALTER DATABASE "{name}" WITH ALLOW_CONNECTIONS {"false" if refuse else "true"}')
        if refuse:
            connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])


def test_without_javascript_every_figure_is_there(onlooker: Onlooker, site: Site) -> None:
    with_script, without = onlooker.open(), onlooker.open(javascript=False)
    figures = ".tile-value"
    assert without.locator(figures).first.inner_text() == with_script.locator(figures).first.inner_text()
    without.get_by_role("link", name="Agents", exact=True).click()
    expect(without).to_have_url(f"{site.url}/agents")
    without.get_by_role("button", name="Log out").click()
    expect(without).to_have_url(f"{site.url}/login")


def test_colours_are_chosen_and_remembered(page: Page) -> None:
    button = page.get_by_role("button", name=re.compile("Colours"))
    button.click()
    button.click()
    assert page.locator("html").get_attribute("data-theme") == "dark"
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.reload()
    assert page.locator("html").get_attribute("data-theme") == "dark"
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == dark
    button.click()
    assert page.locator("html").get_attribute("data-theme") is None


def test_the_first_tab_skips_to_the_content_and_all_links_can_be_reached(page: Page) -> None:
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()


def test_what_an_agent_wrote_is_text_and_nothing_else(onlooker: Onlooker, site: Site) -> None:
    tell(site, f"<img src=x onerror=alert(1)><script>alert(2)</script> {{{{ 7 * 7 }}}} {time.time():.0f}")
    page = onlooker.open()
    card = page.locator(".card", has_text="<img src=x onerror=alert(1)>")
    expect(card).to_contain_text("{{ 7 * 7 }}", timeout=5_000)
    assert card.locator("img, script").count() == 0


def test_unknown_names_and_foreign_pages_are_refused(site: Site) -> None:
    rebound = httpx.get(site.url, headers={"Host": "evil.example"})
    assert rebound.status_code == 421
    for headers in ({}, {"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "null"}):
        assert httpx.post(f"{site.url}/logout", headers=headers).status_code == 403
    policy = httpx.get(f"{site.url}/login").headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


def test_the_public_page_shows_what_the_endpoint_says_and_no_more(onlooker: Onlooker, site: Site) -> None:
    page = onlooker.open("/public", key=None)
    completed = (
        "SELECT count(*) FROM agent_run_log AS l JOIN project AS p USING (project_key)"
        " WHERE p.is_public AND l.status = 'success' AND l.created_at >= date_trunc('day', now(), 'UTC')"
    )
    assert page.locator("#completed .tile-value").inner_text() == str(site.value(completed))
    text = page.content()
    assert "stranger" not in text
    assert re.search(r"\$\d", text) is None
    assert "/runs" not in text
    photograph(onlooker, "/public", "public", key=None)


def test_an_address_without_a_page_says_so(onlooker: Onlooker) -> None:
    page = onlooker.open("/nowhere")
    expect(page.get_by_role("heading", level=1)).to_have_text("Nothing here")
    expect(page.get_by_role("navigation")).to_be_visible()
    onlooker.forgive("404")


def test_the_stream_says_what_changed_but_not_what(page: Page, site: Site) -> None:
    told = page.evaluate(
        "() => new Promise((done) => { const s = new EventSource('/live');"
        " s.onmessage = (event) => { s.close(); done(event.data); }; })"
    )
    assert set(json.loads(told)) == {"version", "state", "as_of"}
    assert httpx.get(f"{site.url}/live").headers["Location"].startswith("/login")
