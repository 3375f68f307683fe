"""Who comes in: by a key, by a link, and who does not."""

from __future__ import annotations

import re

import httpx
import psycopg
from playwright.sync_api import expect

from runledger.access.projects import create_key
from tests.browser.looking import Onlooker, log_in, photograph
from tests.browser.site import Site
from tests.browser.story import PROJECT
from tests.e2e.pipeline import wait_for


def test_a_stranger_is_led_to_the_login_page_and_from_there_to_where_he_wanted(onlooker: Onlooker, site: Site) -> None:
    page = onlooker.open("/agents?state=failing", key=None)
    expect(page).to_have_url(re.compile("/login"))
    page.get_by_label("API key").fill(site.keys["read"])
    page.get_by_label("API key").press("Enter")
    expect(page).to_have_url(f"{site.url}/agents?state=failing")


def test_the_cookie_is_out_of_reach_and_no_key_is_in_page_or_address(onlooker: Onlooker, site: Site) -> None:
    page = onlooker.open()
    (cookie,) = page.context.cookies()
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
    secret = site.keys["admin"].rsplit(".", 1)[1]
    assert secret not in page.content()
    assert secret not in page.url
    assert secret not in cookie["value"]
    assert page.evaluate("document.cookie") == ""


def test_a_wrong_key_is_refused_in_words(onlooker: Onlooker) -> None:
    page = onlooker.open("/login", key=None)
    page.get_by_label("API key").fill("rl.nonsense")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("alert")).to_contain_text("no living key")
    onlooker.forgive("403")


def test_logging_out_ends_the_session(onlooker: Onlooker, site: Site) -> None:
    page = onlooker.open()
    (cookie,) = page.context.cookies()
    page.get_by_role("button", name="Log out").click()
    expect(page).to_have_url(f"{site.url}/login")
    kept = {"Cookie": f"{cookie['name']}={cookie['value']}"}
    assert httpx.get(f"{site.url}/", headers=kept).headers["Location"] == "/login"


def test_a_revoked_key_ends_its_sessions_within_seconds(onlooker: Onlooker, site: Site) -> None:
    with psycopg.connect(site.settings.postgres, autocommit=True) as connection:
        key = create_key(connection, PROJECT, ["read"])
    page = onlooker.open("/login", key=None)
    log_in(page, key.text())
    with psycopg.connect(site.settings.postgres, autocommit=True) as connection:
        connection.execute("UPDATE api_key SET revoked_at = now() WHERE key_id = %s", [key.key_id])

    def is_out() -> bool:
        page.goto("/")
        return "/login" in page.url

    wait_for("the end of the session", is_out, 10)


def test_a_stream_of_notices_without_a_session_ends(site: Site) -> None:
    """A browser would follow a redirect and complain that the login page is no stream; 204 tells it to ask no more."""
    asked = httpx.get(f"{site.url}/live", headers={"Accept": "text/event-stream"})
    assert (asked.status_code, asked.content) == (204, b"")
    assert httpx.get(f"{site.url}/live").headers["Location"] == "/login?next=%2Flive"


def test_a_page_whose_session_ended_elsewhere_leads_to_the_login_page(onlooker: Onlooker, site: Site) -> None:
    page = onlooker.open()
    expect(page.locator("#freshness")).to_have_attribute("data-state", "current")
    page.context.clear_cookies()
    with site.client() as client:
        client.log_run("login-agent", "success", {"summary": "While nobody could look"}, project=PROJECT)
    page.wait_for_url("**/login*")


def test_a_key_that_may_not_read_is_told_so(onlooker: Onlooker, site: Site) -> None:
    with psycopg.connect(site.settings.postgres, autocommit=True) as connection:
        key = create_key(connection, PROJECT, ["emit"])
    page = onlooker.open("/login", key=None)
    page.get_by_label("API key").fill(key.text())
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("alert")).to_contain_text("lacks the scope read")
    onlooker.forgive("403")


def test_it_looks_right(onlooker: Onlooker) -> None:
    photograph(onlooker, "/login", "login", key=None)
