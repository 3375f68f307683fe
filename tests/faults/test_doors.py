"""Faults 12, 29 and 30: calls made twice, clients that hardly read, and callers who ask for what is another's."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import orjson
import psutil
import pytest
import requests

from runledger.schemas.codec import encode_event
from runledger.stack.ports import choose_port
from tests.e2e.pipeline import wait_for
from tests.faults.expected import RunKey
from tests.faults.ledger import key_of
from tests.faults.site import MakeSite, Site
from tests.integration.analytics.http.serving import Asker
from tests.integration.analytics.http.test_isolation import LISTS, private_routes
from tests.integration.producers.gateway.serving import Caller, serving
from tests.integration.producers.mcp_server.serving import answer, make_key, over_http, refusal, served

pytestmark = [pytest.mark.faults, pytest.mark.timeout(240)]

BATCHED = {"Content-Type": "application/cloudevents-batch+json"}
USAGE = {"input_tokens": 100, "output_tokens": 10, "llm_calls": 1}
SLOW_CLIENTS = 40
GROWTH_MIB = 100


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


@contextmanager
def reading(here: Site) -> Iterator[tuple[str, int]]:
    """Run the read API as one of the site's workers; give its URL and its process."""
    port = choose_port()
    api = here.running.start("api", {"RUNLEDGER_API_PORT": str(port)})
    url = f"http://127.0.0.1:{port}"

    def answers() -> bool:
        try:
            return requests.get(f"{url}/readyz", timeout=5).ok
        except requests.ConnectionError:
            return False

    wait_for("the read API", answers, 60)
    yield url, api.pid


def test_fault_29_clients_that_do_not_read(site: MakeSite) -> None:
    """They ask for page after page and read none: memory stays, and others are answered."""
    here = site(29, "slow clients", scaled="clients of the read API; there is no dashboard and no stream yet")
    here.load(2000).wait()
    here.wait_until_working()
    key = make_key(here.settings, "alpha")
    question = f"GET /api/v1/runs?limit=200 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n\r\n".encode()
    with reading(here) as (url, pid), ExitStack() as stack, Asker(url, key) as asker:
        asker.told("runs", limit=200)
        before = psutil.Process(pid).memory_info().rss
        address = urlsplit(url)
        for _ in range(SLOW_CLIENTS):
            client = stack.enter_context(socket.create_connection((address.hostname, address.port), timeout=5))
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.sendall(question * 20)
        began = time.monotonic()
        while time.monotonic() - began < 5:
            asker.told("runs", limit=10)
        grown = (psutil.Process(pid).memory_info().rss - before) // 2**20
        assert grown < GROWTH_MIB
    here.judge("O1", "O2", "O8")


def test_fault_30_everything_is_asked_for_anothers_rows(site: MakeSite) -> None:
    """Every route of the read API, every reading tool, and every way to write to another's run."""
    here = site(30, "another project's rows")
    here.load(1500)
    here.judge("O1", "O2", "O8")
    runs = here.evidence().runs
    key = make_key(here.settings, "alpha")
    theirs = sorted(run for project, run in runs if project == "beta")
    with reading(here) as (url, _), Asker(url, key) as asker:
        for route in private_routes():
            text = asker.ask(route.format(run_id=theirs[0], agent_id="agent-1-0", fingerprint="0" * 64)).text
            assert not [run for run in theirs if str(run) in text], route
        for route, of in LISTS.items():
            assert not [row for row in asker.walk(route, of) if row.get("run_id") in set(map(str, theirs))]
        assert {asker.ask(f"runs/{run}").status_code for run in theirs[:20]} == {404}
    write_to_anothers(here, runs, key)
    asyncio.run(ask_over_mcp(here, key, theirs))
    here.judge("O1", "O2", "O8")


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
