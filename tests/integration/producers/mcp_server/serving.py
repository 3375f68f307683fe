"""A real MCP server process, and the official client of the protocol's authors to call it with."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import psycopg
from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from mcp_types import CallToolResult, TextContent

from runledger.access.keys import Scope
from runledger.access.projects import create_key, create_project
from runledger.schemas.settings import ConnectionSettings
from runledger.stack.ports import choose_port
from tests.e2e.command import environment

_START_SECONDS = 90
_CALLS = 5
"""A process just started, on a busy machine, may not hear of the broker in time at first."""


@dataclass(frozen=True, slots=True)
class Served:
    """A server over HTTP, and where its log goes."""

    url: str
    log: Path
    process: subprocess.Popen[bytes]


def make_key(settings: ConnectionSettings, project: str, *scopes: Scope) -> str:
    """Make a key, and its project if need be."""
    with psycopg.connect(settings.postgres, autocommit=True) as connection:
        create_project(connection, project)
        return create_key(connection, project, scopes or ("emit", "read")).text()


@contextmanager
def served(settings: ConnectionSettings, folder: Path, **variables: str) -> Iterator[Served]:
    """Run `runledger worker mcp` for the length of a block; it must end with exit code 0."""
    port = choose_port()
    log = folder / "mcp.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "runledger", "worker", "mcp"],
            env=environment(settings) | {"RUNLEDGER_MCP_PORT": str(port)} | variables,
            stdout=output,
            stderr=output,
        )
    try:
        _wait_until_healthy(f"http://127.0.0.1:{port}/healthz", process, log)
        yield Served(f"http://127.0.0.1:{port}/mcp", log, process)
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 0, log.read_text()
    finally:
        process.kill()
        process.wait()


def _wait_until_healthy(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            if httpx2.get(url).status_code == httpx2.codes.OK:
                return
        except httpx2.TransportError:
            time.sleep(0.1)
    raise AssertionError(f"no server on {url}: {log.read_text()}")


@asynccontextmanager
async def over_http(url: str, key: str | None, mode: str = "auto") -> AsyncIterator[Client]:
    """Connect over streamable HTTP."""
    headers = {} if key is None else {"Authorization": f"Bearer {key}"}
    async with (
        httpx2.AsyncClient(headers=headers, timeout=30) as http,
        Client(streamable_http_client(url, http_client=http), mode=mode) as client,
    ):
        yield client


def stdio_server(settings: ConnectionSettings, **variables: str) -> StdioServerParameters:
    """Tell a client how to start `runledger mcp`."""
    ours = {name: value for name, value in environment(settings).items() if name.startswith("RUNLEDGER_")}
    path = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")}
    return StdioServerParameters(command=sys.executable, args=["-m", "runledger", "mcp"], env=path | ours | variables)


async def answer(client: Client, tool: str, **arguments: Any) -> dict[str, Any]:  # noqa: ANN401  # JSON
    """Call a tool that works; return its structured answer. A call with an id is repeated as the server asks for it."""
    for _ in range(_CALLS):
        result = await client.call_tool(tool, arguments)
        if "event_id" not in arguments or not result.is_error or "outcome is unknown" not in error_text(result):
            break
    assert not result.is_error, result.content
    assert isinstance(result.structured_content, dict)
    return result.structured_content


async def refusal(client: Client, tool: str, **arguments: Any) -> str:  # noqa: ANN401  # JSON
    """Call a tool that refuses; return what it says."""
    return error_text(await client.call_tool(tool, arguments))


def error_text(result: CallToolResult) -> str:
    """What a refused call says."""
    assert result.is_error, result.structured_content
    (content,) = result.content
    assert isinstance(content, TextContent)
    return content.text
