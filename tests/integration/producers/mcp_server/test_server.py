"""Who gets in over HTTP, from where, and what the server offers."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx2
import pytest
from mcp import Client

from runledger.schemas.settings import ConnectionSettings
from tests.integration.producers.mcp_server.serving import Served, answer, make_key, over_http, served

pytestmark = pytest.mark.integration

_PING = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
_ACCEPT = {"Accept": "application/json, text/event-stream"}
READING = {"get_run", "recent_failures", "run_costs"}
WRITING = {
    "core_start_run",
    "core_report_usage",
    "core_end_run",
    "core_record_failure",
    "record_run",
    "core_heartbeat",
}


def _status(url: str, key: str | None, **headers: str) -> int:
    bearer = {} if key is None else {"Authorization": key}
    return httpx2.post(url, json=_PING, headers=_ACCEPT | bearer | headers).status_code


async def test_only_a_living_key_gets_in(shared: ConnectionSettings, server: Served) -> None:
    key = make_key(shared, "acme")
    assert _status(server.url, f"Bearer {key}") == 200
    assert _status(server.url, f"bearer {key}") == 200
    for wrong in (None, "", key, f"Basic {key}", "Bearer", "Bearer nonsense", f"Bearer {key}x", "Bearer rl.1.2"):
        assert _status(server.url, wrong) == 401, wrong
    refused = httpx2.post(server.url, json=_PING)
    assert refused.headers["www-authenticate"] == "Bearer"
    assert "API key is needed" in refused.json()["error"]
    with pytest.raises(ExceptionGroup):
        async with over_http(server.url, None):
            pass
    assert key.rpartition(".")[2] not in server.log.read_text()


def test_keys_that_cannot_be_looked_up_just_now_are_no_refusal(settings: ConnectionSettings, tmp_path: Path) -> None:
    key = make_key(settings, "acme")
    with served(settings, tmp_path, RUNLEDGER_POSTGRES="postgresql://postgres@127.0.0.1:1/none") as server:
        answered = httpx2.post(server.url, json=_PING, headers={"Authorization": f"Bearer {key}"}, timeout=10)
    assert (answered.status_code, answered.headers["retry-after"]) == (503, "2")


def test_only_our_own_names_and_loopback_or_listed_origins_are_served(
    settings: ConnectionSettings, tmp_path: Path
) -> None:
    key = f"Bearer {make_key(settings, 'acme')}"
    listed = {
        "RUNLEDGER_MCP_ALLOWED_HOSTS": "ledger.example, other.example",
        "RUNLEDGER_MCP_ALLOWED_ORIGINS": "https://app.example",
    }
    with served(settings, tmp_path, **listed) as server:
        for origin in ("http://127.0.0.1:3000", "http://localhost", "http://[::1]:8080", "https://app.example"):
            assert _status(server.url, key, Origin=origin) == 200, origin
        for origin in ("https://evil.example", "null", "https://app.example.evil.example", "http://app.example"):
            assert _status(server.url, key, Origin=origin) == 403, origin
        assert _status(server.url, key, Host="ledger.example") == 200
        assert _status(server.url, key, Host="evil.example") == 421
        assert _status(server.url, key, Host="evil.example", Origin="http://evil.example") == 421


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_the_tools_say_what_they_do(shared: ConnectionSettings, server: Served, mode: str) -> None:
    key = make_key(shared, "acme")
    async with over_http(server.url, key, mode) as client:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert "core_start_run" in (client.instructions or "")
    assert tools.keys() == READING | WRITING
    for name, tool in tools.items():
        assert tool.annotations is not None
        assert tool.annotations.read_only_hint is (name in READING)
        assert tool.annotations.destructive_hint is False
        assert len(tool.description or "") > 80, name
        assert tool.output_schema is not None
        for argument, schema in tool.input_schema["properties"].items():
            told = schema if "description" in schema else schema["anyOf"][0]
            assert len(told["description"]) > 10, f"{name}.{argument}"
    assert {name: tool.input_schema.get("required", []) for name, tool in tools.items()} == {
        "core_start_run": ["project_key"],
        "core_report_usage": ["run_id", "token_usage"],
        "core_end_run": ["run_id", "status"],
        "core_record_failure": ["project_key", "summary"],
        "record_run": ["project_key", "agent", "summary"],
        "core_heartbeat": ["run_id"],
        "get_run": ["run_id"],
        "recent_failures": [],
        "run_costs": [],
    }


async def test_requests_need_no_session(shared: ConnectionSettings, server: Served) -> None:
    key = make_key(shared, "acme")
    call = {
        "jsonrpc": "2.0",
        "id": 7,
        "method": "tools/call",
        "params": {"name": "record_run", "arguments": {"project_key": "acme", "agent": "sage", "summary": "x"}},
    }
    headers = _ACCEPT | {"Authorization": f"Bearer {key}"}
    answered = httpx2.post(server.url, json=call, headers=headers)
    assert answered.status_code == 200
    assert answered.json()["result"]["structuredContent"]["run_id"]
    assert "mcp-session-id" not in answered.headers
    too_much = call | {"params": {"name": "x" * 5_000_000}}
    assert httpx2.post(server.url, json=too_much, headers=headers).status_code == 413


async def test_many_calls_at_once_are_each_answered(shared: ConnectionSettings, server: Served) -> None:
    key = make_key(shared, "acme")
    async with over_http(server.url, key) as client:
        ids = await _record_many(client, 50)
    assert len(ids) == 50


async def _record_many(client: Client, count: int) -> set[str]:
    calls = (answer(client, "record_run", project_key="acme", agent="sage", summary=str(n)) for n in range(count))
    return {told["run_id"] for told in await asyncio.gather(*calls)}
