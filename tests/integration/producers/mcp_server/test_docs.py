"""What docs/mcp.md shows works as it stands there."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path
from uuid import UUID

import orjson
import pytest

from runledger.schemas.settings import ConnectionSettings
from runledger.schemas.topics import RUN_EVENTS
from tests import documents
from tests.e2e.command import environment
from tests.e2e.pipeline import count_records
from tests.integration.producers.mcp_server.serving import make_key, served

pytestmark = pytest.mark.integration

COMMANDS = [line.partition("#")[0] for block in documents.examples("docs/mcp.md", "sh") for line in block.splitlines()]
PROGRAM = documents.example("docs/mcp.md", "python")


def test_the_program_tells_a_run(settings: ConnectionSettings, tmp_path: Path) -> None:
    key = make_key(settings, "myproject")
    with served(settings, tmp_path) as server:
        variables = environment(settings) | {"RUNLEDGER_API_KEY": key, "RUNLEDGER_MCP": server.url}
        command = [sys.executable, "-W", "error", "-c", PROGRAM]
        ended = subprocess.run(command, env=variables, capture_output=True, timeout=60, check=False)
    assert ended.returncode == 0, ended.stderr.decode()
    assert UUID(ended.stdout.decode().strip())
    assert count_records(settings, RUN_EVENTS.name(settings.topic_prefix), "read_committed") == 3


@pytest.mark.parametrize("line", COMMANDS)
def test_every_command_prints_json(line: str) -> None:
    program, *arguments = shlex.split(line)
    assert program == "runledger"
    ended = subprocess.run([sys.executable, "-m", "runledger", *arguments], capture_output=True, timeout=60, check=True)
    assert "runledger" in str(orjson.loads(ended.stdout)) or "--url" in arguments
