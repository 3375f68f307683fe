"""The pipeline's page: what waits, what was refused, and what it says where something is away."""

from __future__ import annotations

import re
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import httpx
import uvicorn
from confluent_kafka import Producer
from playwright.sync_api import Browser, Locator, Page, expect

from runledger.analytics.dashboard.app import create_app
from runledger.analytics.dashboard.settings import DashboardSettings
from runledger.backstage.settings import BackstageSettings
from runledger.backstage.stage import Stage
from runledger.schemas.codec import EVENT_ID_HEADER, encode_event
from runledger.schemas.dead_letters import DeadLetter
from runledger.schemas.identifiers import run_key
from runledger.schemas.run_events import RecordedData, RunRecorded
from runledger.schemas.topics import ALL_TOPICS, DEAD_LETTERS, RUN_EVENTS
from runledger.stack.ports import choose_port
from tests.browser.looking import Onlooker, assert_accessible, photograph
from tests.browser.site import Site
from tests.browser.story import OTHER_PROJECT, PROJECT
from tests.e2e.pipeline import wait_for

_SOON = 20_000
"""A page looks every three seconds, and dead letters every five."""


def produce(site: Site, topic: str, value: bytes, key: bytes, headers: list[tuple[str, str | bytes | None]]) -> None:
    """Write a record as a program does that speaks to Kafka itself."""
    producer = Producer({"bootstrap.servers": site.settings.kafka})
    producer.produce(topic, value, key, 0, headers=headers)
    assert producer.flush(20) == 0


def refused(site: Site, project: str, agent: str) -> str:
    """Put a valid record aside, as a reader of an earlier version would have; return its place."""
    event = RunRecorded(
        event_id=str(uuid.uuid4()),
        project_key=project,
        run_id=uuid.uuid4(),
        occurred_at=site.value("SELECT now()"),
        agent_id=agent,
        data=RecordedData(summary="Late, but there"),
    )
    topic, offset = RUN_EVENTS.name(site.settings.topic_prefix), 10**6 + int(time.time() * 1000) % 10**6
    original = [(EVENT_ID_HEADER, event.event_id.encode())]
    key = run_key(project, event.run_id)
    letter = DeadLetter(
        "unknown_type", "a type of tomorrow", topic, 0, offset, "runs", key, encode_event(event), 1, original
    )
    box = DEAD_LETTERS.name(site.settings.topic_prefix)
    value = letter.value or b""
    produce(site, box, value, key, [*letter.headers()])
    return f"run-events/0/{offset}"


def letter_row(page: Page, place: str) -> Locator:
    """The line of a dead letter."""
    return page.locator("#letters tbody tr", has_text=place)


def test_the_figures_are_those_of_broker_and_tables(onlooker: Onlooker, site: Site) -> None:
    page = onlooker.open("/pipeline")
    expect(page.locator("#tile-waiting .tile-value")).to_have_text("0", timeout=_SOON)
    unsent = site.value("SELECT count(*) FROM scoring_outbox WHERE sent_at IS NULL")
    expect(page.locator("#tile-outbox .tile-value")).to_have_text(str(unsent))
    reached = site.value("SELECT max(reached_at) FROM pipeline_span")
    shown = page.locator("#tile-as-of .tile-value time").get_attribute("datetime") or ""
    assert abs((reached - type(reached).fromisoformat(shown)).total_seconds()) < 15
    expect(page.locator("#topics tbody tr")).to_have_count(len(ALL_TOPICS))
    look = Stage(BackstageSettings(kafka=site.settings.kafka, topic_prefix=site.settings.topic_prefix)).look_at_broker()
    held = sum(end - look.begins[source] for source, end in look.ends.items() if source[0] == "runs")
    expect(page.locator("#topics tr[data-key=runs] td.number").last).to_have_text(f"{held:,}")
    for worker in ("processor", "sink", "scorer"):
        expect(page.locator("#workers li", has_text=worker)).to_contain_text("1 process in the group")
    expect(page.locator("#lag tbody tr")).to_have_count(10)
    expect(page.locator("#tile-arriving .tile-value")).to_have_text(re.compile(r"^[\d.,]+$"), timeout=_SOON)


def test_events_that_come_are_seen_to_come(onlooker: Onlooker, site: Site) -> None:
    page = onlooker.open("/pipeline")
    expect(page.locator("#tile-arriving .tile-value")).to_have_text(re.compile(r"^[\d.,]+$"), timeout=_SOON)
    with site.client() as client:
        run = client.start_run(PROJECT, "flood", summary="Many heartbeats")
        for _ in range(300):
            run.heartbeat()
        client.flush()
        expect(page.locator("#tile-arriving .tile-value")).to_have_text(
            re.compile(r"^([1-9]\d*|0\.[1-9])"), timeout=_SOON
        )
        expect(page.locator("#tile-waiting .tile-value")).to_have_text("0", timeout=_SOON)
        run.end()


def test_a_refused_record_is_named_and_replayed_and_counts_once(onlooker: Onlooker, site: Site) -> None:
    agent = f"replayed-{uuid.uuid4().hex[:6]}"
    page = onlooker.open("/pipeline")
    place = refused(site, PROJECT, agent)
    expect(letter_row(page, place)).to_contain_text("unknown_type", timeout=_SOON)
    expect(letter_row(page, place)).to_contain_text("a type of tomorrow")
    expect(page.locator("#advice")).to_contain_text(re.compile("refused and waits? for somebody to look"))
    assert "Late, but there" not in page.content()
    assert_accessible(page)
    letter_row(page, place).get_by_role("button", name="Replay").click()
    page.wait_for_url("**/pipeline?replayed=*")
    expect(page.locator("#letters .notice")).to_contain_text(f"{place} was sent again")
    expect(letter_row(page, place)).to_contain_text("replayed by dashboard, key", timeout=_SOON)
    runs = "SELECT count(*) FROM agent_run_log WHERE project_key = %(project)s AND agent_id = %(agent)s"
    wait_for("the run", lambda: site.value(runs, project=PROJECT, agent=agent) == 1, 30)
    expect(letter_row(page, place).get_by_role("button")).to_have_count(0)


def test_poison_gets_there_by_itself(onlooker: Onlooker, site: Site) -> None:
    page = onlooker.open("/pipeline")
    topic = RUN_EVENTS.name(site.settings.topic_prefix)
    produce(site, topic, b"{no", run_key(PROJECT, uuid.uuid4()), [])
    expect(page.locator("#letters tbody tr", has_text="not_json").first).to_be_visible(timeout=_SOON)


def test_letters_are_shown_to_their_own_project_s_admin_alone(onlooker: Onlooker, site: Site) -> None:
    own, other = refused(site, PROJECT, "own"), refused(site, OTHER_PROJECT, "stranger")
    page = onlooker.open("/pipeline")
    expect(letter_row(page, own)).to_be_visible(timeout=_SOON)
    expect(letter_row(page, other)).to_have_count(0)
    expect(page.locator("#letters")).to_contain_text("of other projects or of none that can be told")
    reader = onlooker.open("/pipeline", key="read")
    expect(reader.locator("#letters")).to_contain_text("log in with a key that has the scope admin", timeout=_SOON)
    expect(reader.locator("#letters tbody tr")).to_have_count(0)
    assert replay(site, reader, own) == 403
    assert replay(site, page, own, "cross-site") == 403
    assert replay(site, page, other) == 303  # nothing of ours is called so, and nothing is sent
    runs = (
        "SELECT count(*) FROM agent_run WHERE agent_id = 'stranger' AND project_key = %(project)s AND kind = 'record'"
    )
    assert site.value(runs, project=OTHER_PROJECT) == 0
    assert replay(site, page, "nonsense") == 502


def replay(site: Site, page: Page, place: str, from_site: str = "same-origin") -> int:
    """Send a form as a program would, with the page's cookies; return the status."""
    cookies = {one["name"]: one["value"] for one in page.context.cookies()}
    headers = {"Sec-Fetch-Site": from_site}
    answer = httpx.post(
        f"{site.url}/pipeline/replay", data={"place": place}, cookies=cookies, headers=headers, timeout=60
    )
    return answer.status_code


@contextmanager
def without_broker(site: Site) -> Iterator[Site]:
    """Serve the same tables by a dashboard whose broker is away."""
    settings = site.settings.model_copy(update={"kafka": "127.0.0.1:1"})
    port = choose_port()
    known = {"kafka": settings.kafka, "postgres": settings.postgres, "topic_prefix": settings.topic_prefix}
    app = create_app(DashboardSettings(**known, dashboard_port=port), Stage(BackstageSettings(**known)))  # type: ignore[arg-type]  # fields by name
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="error"))
    serving = threading.Thread(target=server.run, daemon=True)
    serving.start()
    wait_for("the dashboard", lambda: server.started, 30)
    try:
        yield replace(site, url=f"http://127.0.0.1:{port}")
    finally:
        app.state.desk.live.end()
        server.should_exit = True
        serving.join(20)


def told(page: Page) -> None:
    """Wait until the page says that the broker is away."""
    expect(page.locator("#advice")).to_contain_text("does not answer", timeout=_SOON)


def test_without_the_broker_the_page_is_there_in_time_and_says_what_to_do(browser: Browser, site: Site) -> None:
    with without_broker(site) as away:
        onlooker = Onlooker(browser, away)
        page = onlooker.open("/")
        began = time.monotonic()
        page.goto("/pipeline")
        assert time.monotonic() - began < 5
        told(page)
        expect(page.locator("#advice")).to_contain_text("Start the broker")
        expect(page.locator("#tile-waiting .tile-value")).to_have_text("unknown")
        expect(page.locator("#tile-outbox .tile-value")).to_have_text(re.compile(r"^\d+$"))
        expect(page.locator("#letters")).to_contain_text("Dead letters cannot be seen")
        photograph(
            onlooker,
            "/pipeline",
            "pipeline-away",
            lambda page: expect(page.locator("#advice")).to_contain_text("answer", timeout=_SOON),
        )
        kind = site.value("SELECT min(fingerprint) FROM failure_group WHERE project_key = %(project)s", project=PROJECT)
        page.goto(f"/failures/{kind}")
        if (summary := page.locator("#resolution summary")).count():
            summary.click()
        page.get_by_role("button", name="Mark as resolved").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("That did not work")
        expect(page.locator("main")).to_contain_text("nothing was sent")
        onlooker.close()


def test_it_looks_right(onlooker: Onlooker) -> None:
    def measured(page: Page) -> None:
        expect(page.locator("#tile-arriving .tile-value")).to_have_text(re.compile(r"^[\d.,]+$"), timeout=_SOON)

    photograph(onlooker, "/pipeline", "pipeline", measured)
