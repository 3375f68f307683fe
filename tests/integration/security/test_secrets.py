"""No secret in what a process prints, nor in what everybody sees of it, whatever goes wrong."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from runledger.stack.ports import choose_port
from tests.e2e.pipeline import wait_for
from tests.integration.security.rights import login
from tests.secure_servers import PASSWORD, SecureBroker

pytestmark = [pytest.mark.integration, pytest.mark.slow]

MARK = "marked"
"""Every secret here holds it, and nothing else does."""
KEY_FREE = {"RUNLEDGER_API_KEY": "rl.marked.key", "RUNLEDGER_LOG_LEVEL": "DEBUG"}
WORKERS = ("processor", "sink", "relay", "scorer", "watch", "gateway", "mcp", "api")
QUIET_IN_TROUBLE = {"gateway", "mcp", "api"}
"""Doors that say nothing until they are asked."""


def wrong_passwords(broker: SecureBroker, database: str) -> dict[str, str]:
    wrong = {**broker.over_sasl(), "RUNLEDGER_KAFKA_PASSWORD": "marked-wrong"}
    return wrong | {"RUNLEDGER_POSTGRES": login(database).replace("marked-login", "marked-other")}


def nobody_there(broker: SecureBroker, database: str) -> dict[str, str]:
    nowhere = f"127.0.0.1:{choose_port()}"
    return broker.over_sasl(RUNLEDGER_KAFKA=nowhere) | {"RUNLEDGER_POSTGRES": f"postgresql://u:marked-pw@{nowhere}/d"}


def broken_uri(broker: SecureBroker, database: str) -> dict[str, str]:
    return broker.over_sasl() | {"RUNLEDGER_POSTGRES": "postgresql://u:marked pass@127.0.0.1:x/d?marked"}


def contradiction(broker: SecureBroker, database: str) -> dict[str, str]:
    return broker.over_sasl(RUNLEDGER_KAFKA_SECURITY_PROTOCOL="plaintext") | {
        "RUNLEDGER_POSTGRES": "postgresql://u:marked-pw@127.0.0.1/d"
    }


def no_rights(broker: SecureBroker, database: str) -> dict[str, str]:
    user = f"poor-{uuid.uuid4().hex[:8]}"
    broker.add_user(user)
    return broker.over_sasl(user) | {"RUNLEDGER_POSTGRES": login(database)}


@contextmanager
def started(name: str, environment: dict[str, str], folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run one worker; all it prints goes to a file."""
    ports = {f"RUNLEDGER_{door}_PORT": str(choose_port()) for door in ("HTTP", "MCP", "API")}
    with (folder / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "runledger", "worker", name],
            env=os.environ | KEY_FREE | ports | environment,
            stdout=log,
            stderr=log,
        )
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(20)
            finally:
                process.kill()


def visible(process: subprocess.Popen[bytes]) -> str:
    """What everybody on the machine sees of a process and its children."""
    try:
        family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
        return " ".join(word for one in family for word in (one.name(), *one.cmdline()))
    except psutil.NoSuchProcess:
        return ""


@pytest.mark.parametrize("trouble", [wrong_passwords, nobody_there, broken_uri, contradiction, no_rights])
@pytest.mark.parametrize("worker", WORKERS)
def test_no_secret_is_seen(worker: str, trouble: object, broker: SecureBroker, database: str, tmp_path: Path) -> None:
    assert callable(trouble)
    assert MARK in PASSWORD
    log = tmp_path / f"{worker}.log"
    with started(worker, trouble(broker, database), tmp_path) as process:
        wait_for("a word", lambda: process.poll() is not None or bool(log.stat().st_size) or _is_up(process), 40)
        seen = visible(process)
    said = log.read_text()
    assert MARK not in seen
    assert MARK not in said
    if worker not in QUIET_IN_TROUBLE:
        assert said


def _is_up(process: subprocess.Popen[bytes]) -> bool:
    """Whether it listens: a door that has nothing to say yet."""
    try:
        return any(one.status == psutil.CONN_LISTEN for one in psutil.Process(process.pid).net_connections())
    except psutil.Error:
        return False
