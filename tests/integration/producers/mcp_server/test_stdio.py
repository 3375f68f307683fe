"""Whose word a stdio server takes."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import psycopg
import pytest
from mcp import Client

from runledger.access.keys import ApiKey
from runledger.access.projects import rotate_keys
from runledger.schemas.settings import ConnectionSettings
from tests.e2e.command import environment
from tests.integration.producers.mcp_server.serving import answer, make_key, refusal, stdio_server

pytestmark = pytest.mark.integration

RECORD = {"agent": "sage", "summary": "done"}


async def test_a_key_speaks_for_its_project_until_it_is_revoked(
    settings: ConnectionSettings,
) -> None:
    key = make_key(settings, "acme")
    async with Client(stdio_server(settings, RUNLEDGER_API_KEY=key)) as client:
        assert (await answer(client, "record_run", project_key="acme", **RECORD))["run_id"]
        assert "another project" in await refusal(client, "record_run", project_key="default", **RECORD)
        with psycopg.connect(settings.postgres, autocommit=True) as connection:
            rotate_keys(connection, "acme")
        deadline = time.monotonic() + 15
        while not (await client.call_tool("record_run", {"project_key": "acme"} | RECORD)).is_error:
            assert time.monotonic() < deadline
        assert "unknown or revoked" in await refusal(client, "record_run", project_key="acme", **RECORD)


async def test_a_wrong_key_is_told_by_every_tool(settings: ConnectionSettings) -> None:
    async with Client(stdio_server(settings, RUNLEDGER_API_KEY=ApiKey.new().text())) as client:
        assert "unknown or revoked" in await refusal(client, "record_run", project_key="acme", **RECORD)
        assert "unknown or revoked" in await refusal(client, "run_costs")


@pytest.mark.parametrize(("variables", "project"), [({}, "default"), ({"RUNLEDGER_PROJECT": "mine"}, "mine")])
async def test_without_a_key_it_speaks_for_the_named_project_or_for_default_on_this_machine(
    settings: ConnectionSettings, variables: dict[str, str], project: str
) -> None:
    async with Client(stdio_server(settings, **variables)) as client:
        assert (await answer(client, "record_run", project_key=project, **RECORD))["run_id"]
        assert "another project" in await refusal(client, "record_run", project_key="acme", **RECORD)


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM, None])
def test_it_ends_when_asked_or_when_its_client_is_gone(settings: ConnectionSettings, ending: int | None) -> None:
    command = [sys.executable, "-m", "runledger", "mcp"]
    process = subprocess.Popen(
        command, env=environment(settings), stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    assert process.stdin is not None
    assert process.stderr is not None
    with process, process.stderr as log:
        assert b"Starting MCP server" in log.readline()
        if ending is None:
            process.stdin.close()
        else:
            process.send_signal(ending)
        assert process.wait(10) == (0 if ending is None else -ending)


def test_without_a_key_and_a_project_it_does_not_start_on_shared_servers(settings: ConnectionSettings) -> None:
    command = [sys.executable, "-m", "runledger", "mcp"]
    shared = environment(settings) | {"RUNLEDGER_KAFKA": "kafka.example:9092"}
    ended = subprocess.run(command, env=shared, stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False)
    assert ended.returncode == 1
    assert b"set RUNLEDGER_API_KEY, or RUNLEDGER_PROJECT" in ended.stderr
    assert ended.stdout == b""
