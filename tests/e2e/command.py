"""The `runledger` command, as a person runs it."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import orjson

from runledger.schemas.settings import ConnectionSettings


def environment(settings: ConnectionSettings) -> dict[str, str]:
    """The environment that points the command at a test's own topics and database."""
    return os.environ | {
        "RUNLEDGER_KAFKA": settings.kafka,
        "RUNLEDGER_POSTGRES": settings.postgres,
        "RUNLEDGER_TOPIC_PREFIX": settings.topic_prefix,
        "RUNLEDGER_PARTITIONS": str(settings.partitions),
    }


def runledger(
    settings: ConnectionSettings, *arguments: str, timeout_seconds: float = 150
) -> subprocess.CompletedProcess[bytes]:
    """Run a command to its end."""
    command = [sys.executable, "-m", "runledger", *arguments]
    return subprocess.run(command, env=environment(settings), capture_output=True, timeout=timeout_seconds, check=False)


def last_object(output: bytes) -> dict[str, Any]:
    """Read the JSON object that stands on the last line."""
    document = orjson.loads(output.splitlines()[-1])
    assert isinstance(document, dict)
    return document
