"""Faults 12, 29 and 30: calls made twice, clients that hardly read, and callers who ask for what is another's."""

from __future__ import annotations

import asyncio
import socket
import time
from contextlib import ExitStack
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson
import psutil
import pytest
import requests

from runledger.schemas.codec import encode_event
from runledger.schemas.fingerprint import fingerprint
from runledger.schemas.identifiers import run_key
from runledger.schemas.run_events import (
    AnyRunEvent,
    EndedData,
    FailureData,
    FailureRecorded,
    RunEnded,
    RunStarted,
    StartedData,
    UsageData,
    UsageReported,
)
from runledger.schemas.topics import RUN_EVENTS
from runledger.schemas.usage import TokenUsage
from runledger.stack.ports import choose_port
from tests.e2e.pipeline import Worker, wait_for
from tests.faults.expected import RunKey
from tests.faults.ledger import key_of
from tests.faults.onlookers import Onlooker, ask_and_not_read, next_address, pages, read_head, read_until
from tests.faults.site import ENDLESS, MakeSite, Site
from tests.integration.analytics.http.serving import Asker
from tests.integration.analytics.http.test_isolation import LISTS, private_routes
from tests.integration.producers.gateway.serving import Caller, serving
from tests.integration.producers.mcp_server.serving import answer, make_key, over_http, refusal, served

pytestmark = [pytest.mark.faults, pytest.mark.timeout(400)]

BATCHED = {"Content-Type": "application/cloudevents-batch+json"}
USAGE = {"input_tokens": 100, "output_tokens": 10, "llm_calls": 1}
SLOW_CLIENTS = 40
SLOW_LISTENERS, SLOW_READERS = 30, 10
PAGES_EACH = 200
"""Of some 60 KiB: more than the system itself holds for us on a connection, which is some forty of them."""
LOOKS = 8
ANSWER_SECONDS = 5
THEIR_RUN = UUID(int=77, version=4)
THEIR_AGENT, THEIR_MODEL, THEIR_FAILURE = "their-agent", "their-model", "their-failure"
THEIR_WORDS = (THEIR_AGENT, THEIR_MODEL, THEIR_FAILURE, "their-summary")
MOST_SAID_BYTES = 16 * 1024
"""What an open page is told, at a notice a second of some 80 bytes."""
GROWTH_MIB = 100
DASHBOARD_GROWTH_MIB = 60


def twice_over_http(here: Site, key: str) -> str:
    """Make each call twice, the first answer as good as the second; return the run."""
    with serving(here.settings, here.folder / "gateway.log") as url, Caller(url, key) as caller:

        def call(route: str, body: dict[str, Any]) -> dict[str, Any]:
            said = [caller.post(route, body, Idempotency_Key=route.replace("/", "-")) for _ in range(2)]
            assert said[0].status_code == said[1].status_code == 201, said[0].text
            assert said[0].content == said[1].content
            document = said[0].json()
            here.ledger.note(("alpha", UUID(document["run_id"]), document["event_id"]), "ok")
            here.ledger.deliveries += 2
            return dict(document)

        run = call("runs", {"agent_id": "sage"})["run_id"]
        call(f"runs/{run}/usage", {"token_usage": USAGE})
        call(f"runs/{run}/end", {"status": "completed", "summary": "done"})
        events = [event for event in here.story(300) if event.project_key == "alpha"]
        batch = orjson.dumps([orjson.loads(encode_event(event)) for event in events])
        answers = [caller.send("events", data=batch, headers=BATCHED) for _ in range(2)]
        assert answers[0].status_code == 200, answers[0].text
        assert answers[0].content == answers[1].content
        for event in events:
            here.ledger.note(key_of(event), "ok")
        here.ledger.deliveries += 2 * len(events)
        return str(run)


async def twice_over_mcp(here: Site, key: str) -> str:
    """Make each call twice; return the run."""
    with served(here.settings, here.folder) as server:
        async with over_http(server.url, key) as client:

            async def call(tool: str, event_id: str, **arguments: Any) -> str:  # noqa: ANN401  # JSON
                said = [await answer(client, tool, **arguments, event_id=event_id) for _ in range(2)]
                assert said[0] == said[1]
                here.ledger.note(("alpha", UUID(said[0]["run_id"]), said[0]["event_id"]), "ok")
                here.ledger.deliveries += 2
                return str(said[0]["run_id"])

            agent = str(UUID(int=9))
            run = await call("core_start_run", str(UUID(int=1)), project_key="alpha", agent_id=agent)
            await call("core_report_usage", str(UUID(int=2)), run_id=run, token_usage=USAGE)
            await call("core_end_run", str(UUID(int=3)), run_id=run, status="completed", summary="done")
            return run


def test_fault_12_the_same_call_twice(site: MakeSite) -> None:
    here = site(12, "the same HTTP batch and MCP call twice")
    key = make_key(here.settings, "alpha")
    runs = [twice_over_http(here, key), asyncio.run(twice_over_mcp(here, key))]
    here.judge("O1", "O2", "O5", "O8")
    for run in runs:
        told = here.evidence().rows(f"SELECT input_tokens, events, status FROM agent_run WHERE run_id = '{run}'")  # noqa: S608  # an id of ours
        assert told == [{"input_tokens": 100, "events": 3, "status": "completed"}]


def open_door(here: Site, name: str, ready: str) -> tuple[str, Worker]:
    """Run a worker that people ask as one of the site's, so that O9 looks at it; give its URL once `ready` answers."""
    port = choose_port()
    worker = here.running.start(name, {f"RUNLEDGER_{name.upper()}_PORT": str(port)})
    url = f"http://127.0.0.1:{port}"

    def answers() -> bool:
        try:
            return requests.get(url + ready, timeout=5).ok
        except (requests.ConnectionError, requests.Timeout):
            return False

    wait_for(name, answers, 60)
    return url, worker


def test_fault_29_clients_that_do_not_read(site: MakeSite) -> None:
    """They ask for page after page and read none: memory stays, and others are answered."""
    here = site(29, "slow clients", scaled="clients of the read API")
    here.load(2000).wait()
    here.wait_until_working()
    key = make_key(here.settings, "alpha")
    url, api = open_door(here, "api", "/readyz")
    with ExitStack() as stack, Asker(url, key) as asker:
        asker.told("runs", limit=200)
        before = psutil.Process(api.pid).memory_info().rss
        said = f"Authorization: Bearer {key}"
        for _ in range(SLOW_CLIENTS):
            stack.enter_context(ask_and_not_read(url, "/api/v1/runs?limit=200", said, times=20))
        began = time.monotonic()
        while time.monotonic() - began < 5:
            asker.told("runs", limit=10)
        grown = (psutil.Process(api.pid).memory_info().rss - before) // 2**20
        assert grown < GROWTH_MIB
    here.judge("O1", "O2", "O8")


@pytest.mark.slow
def test_fault_29_open_pages_that_do_not_read(site: MakeSite) -> None:
    """They listen to the dashboard and hear nothing, or ask for its pages and take none, while the load goes on."""
    here = site(29, "slow dashboard and stream clients")
    here.load(1000).wait()
    here.wait_until_working()
    url, dashboard = open_door(here, "dashboard", "/healthz")
    with ExitStack() as stack, Onlooker(url, make_key(here.settings, "alpha")) as onlooker:

        def idle(path: str, times: int = 1) -> socket.socket:
            return stack.enter_context(ask_and_not_read(url, path, onlooker.cookies(), times=times))

        assert onlooker.open("/runs").status_code == 200
        before = psutil.Process(dashboard.pid).memory_info().rss
        listeners = [idle("/live") for _ in range(SLOW_LISTENERS)]
        assert {read_head(listener).split()[1] for listener in listeners} == {"200"}
        sender = here.load(ENDLESS, per_second=200)
        for _ in range(SLOW_READERS):
            idle("/runs", times=PAGES_EACH)
        slowest = max(look_on(onlooker) for _ in range(LOOKS))
        grown = (psutil.Process(dashboard.pid).memory_info().rss - before) // 2**20
        assert grown < DASHBOARD_GROWTH_MIB
        assert slowest < ANSWER_SECONDS
        sender.stop()
        here.settle()
        newest = next(onlooker.versions())
        assert max(read_until(listeners, f'"version":{newest},', ANSWER_SECONDS)) < MOST_SAID_BYTES
        assert dashboard.log.stem in here.memory.largest()
        assert dashboard.stop() == 0  # they are still there
    here.judge("O1", "O2", "O8")


def look_on(onlooker: Onlooker) -> float:
    """Open a page, and listen until something has changed; return the most seconds that either took."""
    began = time.monotonic()
    assert onlooker.open("/runs").status_code == 200
    answered = time.monotonic()
    heard = onlooker.versions()
    first = next(heard)
    assert next(heard) > first
    heard.close()
    return max(answered - began, time.monotonic() - answered)


def test_fault_30_everything_is_asked_for_anothers_rows(site: MakeSite) -> None:
    """Every route of the read API, every page, every reading tool, and every way to write to another's run."""
    here = site(30, "another project's rows")
    here.load(1500)
    here.tell(*their_run())
    here.inject(RUN_EVENTS, (run_key("beta", THEIR_RUN), b"{no"))
    here.judge("O1", "O2", "O8")
    runs = here.evidence().runs
    key = make_key(here.settings, "alpha")
    theirs = sorted(run for project, run in runs if project == "beta")
    url, _ = open_door(here, "api", "/readyz")
    with Asker(url, key) as asker:
        for route in private_routes():
            text = asker.ask(route.format(run_id=theirs[0], agent_id="agent-1-0", fingerprint="0" * 64)).text
            assert not [run for run in theirs if str(run) in text], route
        for route, of in LISTS.items():
            assert not [row for row in asker.walk(route, of) if row.get("run_id") in set(map(str, theirs))]
        assert {asker.ask(f"runs/{run}").status_code for run in theirs[:20]} == {404}
    open_anothers_pages(here, theirs)
    write_to_anothers(here, runs, key)
    asyncio.run(ask_over_mcp(here, key, theirs))
    here.judge("O1", "O2", "O8")


def their_run() -> list[AnyRunEvent]:
    """One run of the other project with words that nobody else uses."""
    agent, model, failure, summary = THEIR_WORDS
    run: dict[str, Any] = {"project_key": "beta", "run_id": THEIR_RUN, "agent_id": agent}
    told = [run | {"event_id": f"theirs-{number}", "occurred_at": datetime.now(UTC)} for number in range(4)]
    usage = TokenUsage(input_tokens=100, output_tokens=10, llm_calls=1, cost_usd=Decimal(1), model=model)
    return [
        RunStarted(**told[0], data=StartedData(summary=summary)),
        UsageReported(**told[1], data=UsageData(token_usage=usage)),
        FailureRecorded(**told[2], data=FailureData(summary=failure)),
        RunEnded(**told[3], data=EndedData(status="completed", summary=summary)),
    ]


def open_anothers_pages(here: Site, theirs: list[UUID]) -> None:
    """Each page is asked for what is another's, by its address and by its filters; and so is each of its forms."""
    url, _ = open_door(here, "dashboard", "/healthz")
    kind = fingerprint("beta", THEIR_FAILURE)
    (letter,) = ("/".join(map(str, place)) for place in here.poison)
    signs = {kind[:12], letter, *THEIR_WORDS, *map(str, theirs)}
    own = [page.format(run_id=THEIR_RUN, agent_id=THEIR_AGENT, fingerprint=kind) for page in pages()]
    private = set(own) - set(pages())
    keys = [make_key(here.settings, project, "read", "admin") for project in ("beta", "alpha")]
    with Onlooker(url, keys[0]) as owner, Onlooker(url, keys[1]) as stranger:
        wait_for("the dead letter", lambda: letter in owner.open("/pipeline").text, 30)
        seen = "".join(
            [*(owner.open(page).text for page in own), *owner.walk("/runs"), owner.open("/costs?group_by=model").text]
        )
        assert not [sign for sign in signs if sign not in seen], (
            "signs that even their owner does not see prove nothing"
        )
        elsewhere = next_address(owner.open("/runs").text)
        assert elsewhere is not None
        asked = [*own, *their_filters(kind), elsewhere]
        for address in asked:
            said = stranger.open(address)
            if address in private:
                assert said.status_code == 404, address
            assert not [sign for sign in signs if sign in said.text and sign not in address], address
        assert not [sign for page in stranger.walk("/runs") for sign in signs if sign in page]
        assert stranger.send(f"/failures/{kind}/resolve", note="ours").status_code == 404
        stranger.send("/pipeline/replay", place=letter)  # a second letter would tell of it


def their_filters(kind: str) -> list[str]:
    """Addresses of lists, filtered by what is another's."""
    return [
        f"/runs?agent={THEIR_AGENT}",
        f"/runs?run={THEIR_RUN}",
        f"/runs?run={THEIR_RUN.hex[:8]}",
        f"/runs?parent={THEIR_RUN}",
        f"/agents?q={THEIR_AGENT}",
        f"/costs?agent={THEIR_AGENT}",
        f"/costs?group_by=model&model={THEIR_MODEL}",
        "/costs?group_by=model",
        f"/failures?text={THEIR_FAILURE}",
        f"/failures/{kind[:8]}",
    ]


def write_to_anothers(here: Site, runs: dict[RunKey, Any], key: str) -> None:
    """A report on another's run is a run of one's own; theirs is as it was."""
    run = next(run for project, run in sorted(runs) if project == "beta")
    with serving(here.settings, here.folder / "gateway.log") as url, Caller(url, key) as caller:
        said = caller.post(f"runs/{run}/usage", {"token_usage": USAGE}, Idempotency_Key="theirs")
        assert said.status_code == 201
        here.ledger.note(("alpha", run, said.json()["event_id"]), "ok")
        event = next(event for event in here.story(50) if event.project_key == "beta")
        batch = b"[" + encode_event(event) + b"]"
        assert caller.send("events", data=batch, headers=BATCHED).status_code in {403, 422}


async def ask_over_mcp(here: Site, key: str, theirs: list[UUID]) -> None:
    """Their runs are not found, their failures and costs are not told."""
    with served(here.settings, here.folder) as server:
        async with over_http(server.url, key) as client:
            for run in theirs[1:6]:
                assert "found" in await refusal(client, "get_run", run_id=str(run))
            said = orjson.dumps([await answer(client, "recent_failures"), await answer(client, "run_costs")]).decode()
            assert not [run for run in theirs if str(run) in said]
