"""The dashboard's doors, without a browser: who is let in, how often one may try, what is said when nothing answers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import httpx
import psycopg
import pytest
from fastapi import FastAPI

from runledger.access.keys import ApiKey
from runledger.access.projects import create_key
from runledger.analytics.dashboard.app import create_app
from runledger.analytics.dashboard.links import make_link
from runledger.analytics.dashboard.live import Live, Notice
from runledger.analytics.dashboard.settings import DashboardSettings
from runledger.analytics.database import Database
from runledger.backstage.settings import BackstageSettings
from runledger.backstage.stage import Stage
from runledger.sinks.migrate import migrate

pytestmark = pytest.mark.integration
URL = "http://127.0.0.1:8790"
OWN = {"Origin": URL}
SECRET = "s" * 40


@pytest.fixture
def key(database: str) -> Iterator[ApiKey]:
    """A key of the project `default` that may read."""
    migrate(database)
    with psycopg.connect(database, autocommit=True) as connection:
        yield create_key(connection, "default", ["read"])


@asynccontextmanager
async def dashboard(postgres: str, *, secure: bool = False) -> AsyncIterator[FastAPI]:
    """A running application."""
    kafka = "127.0.0.1:1"
    settings = DashboardSettings(kafka=kafka, postgres=postgres, dashboard_link_secret=SECRET, dashboard_secure=secure)
    app = create_app(settings, Stage(BackstageSettings(kafka=kafka, postgres=postgres)))
    async with app.router.lifespan_context(app):
        yield app


def browser(app: FastAPI, address: str = "10.0.0.1") -> httpx.AsyncClient:
    """Somebody who asks from that address, and keeps cookies."""
    transport = httpx.ASGITransport(app, client=(address, 1), raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url=URL, headers=OWN)


async def test_who_tries_too_often_has_to_wait_and_others_do_not(database: str, key: ApiKey) -> None:
    async with dashboard(database) as app, browser(app) as guesser, browser(app, "10.0.0.2") as other:
        answers = [(await guesser.post("/login", data={"key": "rl.nonsense"})).status_code for _ in range(11)]
        assert answers == [403] * 10 + [429]
        refused = await guesser.post("/login", data={"key": key.text()})
        assert refused.status_code == 429
        assert 0 < int(refused.headers["Retry-After"]) <= 60
        assert (await other.post("/login", data={"key": key.text()})).status_code == 200


async def test_the_cookie_is_for_our_own_site_and_for_http_alone(database: str, key: ApiKey) -> None:
    async with dashboard(database, secure=True) as app, browser(app) as person:
        cookie = (await person.post("/login", data={"key": key.text()})).headers["Set-Cookie"]
    name, *attributes = [part.strip().lower() for part in cookie.split(";")]
    assert name.startswith("__host-runledger-8790=")
    assert {"httponly", "samesite=strict", "secure", "path=/", "max-age=43200"} <= set(attributes)


async def test_a_link_logs_in_once_with_every_scope(database: str, key: ApiKey) -> None:
    del key
    link = make_link(URL, SECRET, time.time())
    async with dashboard(database) as app, browser(app) as owner, browser(app) as thief:
        assert (await owner.get(link)).status_code == 200
        assert (await owner.get("/")).status_code == 200
        assert (await thief.get(link)).status_code == 403
        assert (await thief.get("/")).status_code == 303


async def test_where_a_login_leads_is_always_ours(database: str, key: ApiKey) -> None:
    wanted = {
        "/runs?status=failed": "/runs?status=failed",
        "//evil.example": "/",
        "https://evil.example/": "/",
        "/\\evil.example": "/",
        "javascript:alert(1)": "/",
        "/a\nb": "/",
    }
    async with dashboard(database) as app:
        for number, (target, goes_to) in enumerate(wanted.items()):
            async with browser(app, f"10.0.1.{number}") as person:
                led = await person.post("/login", data={"key": key.text(), "next": target})
                assert f'content="0;url={goes_to}"'.replace("&", "&amp;") in led.text, target


async def test_a_link_from_elsewhere_is_followed_by_our_own_page(database: str, key: ApiKey) -> None:
    del key
    async with dashboard(database) as app, browser(app) as person:
        led = await person.get("/runs?status=failed", headers={"Sec-Fetch-Site": "cross-site"})
        assert (led.status_code, 'content="0;url=/runs?status=failed"' in led.text) == (200, True)
        again = await person.get("/runs?status=failed", headers={"Sec-Fetch-Site": "same-origin"})
        assert again.headers["Location"] == "/login?next=%2Fruns%3Fstatus%3Dfailed"


async def test_forms_are_bounded_and_of_one_kind(database: str, key: ApiKey) -> None:
    del key
    async with dashboard(database) as app, browser(app) as person:
        assert (await person.post("/login", data={"key": "x" * 200_000})).status_code == 413
        assert (await person.post("/login", json={"key": "x"})).status_code == 415
        many = {f"field-{number}": "" for number in range(40)}
        assert (await person.post("/login", data=many)).status_code == 422


async def test_without_a_database_every_page_says_so_and_when_to_ask_again(key: ApiKey) -> None:
    away = "postgresql://postgres@127.0.0.1:1/nowhere"
    async with dashboard(away) as app, browser(app) as person:
        assert (await person.get("/healthz")).status_code == 200
        public = await person.get("/public")
        assert public.status_code == 503
        assert public.headers["Retry-After"] == "1"
        assert "The ledger does not answer" in public.text
        refused = await person.post("/login", data={"key": key.text()})
        assert refused.status_code == 503
        assert "Keys cannot be looked up just now" in refused.text


async def test_a_defect_is_a_page_with_a_number_and_no_detail(database: str, key: ApiKey) -> None:
    del key
    async with dashboard(database) as app, browser(app) as person:

        async def break_() -> None:
            raise ZeroDivisionError("a secret")

        app.add_api_route("/broken", break_)
        shown = await person.get("/broken")
        assert shown.status_code == 500
        assert "A defect of ours" in shown.text
        assert "a secret" not in shown.text


async def test_notices_tell_of_what_the_sink_wrote_and_of_nothing_else(database: str, key: ApiKey) -> None:
    del key
    async with Database(database) as tables:
        live = Live(tables, look_seconds=0.02, notice_seconds=0.02)
        told: asyncio.Queue[Notice | None] = asyncio.Queue()

        async def listen() -> None:
            async for notice in live.notices():
                await told.put(notice)

        listening = asyncio.create_task(listen())
        first = await asyncio.wait_for(told.get(), 30)
        assert first is not None
        assert first.state == "unknown"
        async with await psycopg.AsyncConnection.connect(database, autocommit=True) as connection:
            await connection.execute(
                "INSERT INTO consumer_offset (topic, partition, next_offset, topic_id, partition_count)"
                " VALUES ('t', 0, 7, 'id', 1)"
            )
            second = await asyncio.wait_for(told.get(), 30)
            assert second is not None
            assert second.version == first.version + 7
            await connection.execute("INSERT INTO pipeline_span VALUES (now() - interval '1 minute', now())")
            third = await asyncio.wait_for(told.get(), 30)
            assert third is not None
            assert (third.version, third.state) == (second.version, "current")
        assert told.empty()
        live.end()
        await asyncio.wait_for(listening, 30)
        await live.close()
