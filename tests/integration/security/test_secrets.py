"""No secret in what a process prints, nor in what everybody sees of it, whatever goes wrong."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TypeAlias

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
WORKERS = ("processor", "sink", "relay", "scorer", "watch", "gateway", "mcp", "api", "dashboard")
Trouble: TypeAlias = Callable[[SecureBroker, str], dict[str, str]]
QUIET_IN_TROUBLE = {"gateway", "mcp", "api", "dashboard"}
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
                process.wait(60)
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
@pytest.mark.timeout(600)
def test_no_secret_is_seen(trouble: Trouble, broker: SecureBroker, database: str, tmp_path: Path) -> None:
    """All workers at once, since each takes seconds to start."""
    assert MARK in PASSWORD
    environment = trouble(broker, database)
    with ExitStack() as stack:
        processes = {worker: stack.enter_context(started(worker, environment, tmp_path)) for worker in WORKERS}
        seen = ""
        for worker, process in processes.items():
            log = tmp_path / f"{worker}.log"
            wait_for(f"a word of {worker}", lambda p=process, log=log: has_begun(p, log), 180)  # type: ignore[misc]
            seen += visible(process)
        for process in processes.values():
            process.terminate()  # side by side: the block's end waits for one after the other
    assert MARK not in seen
    said = {worker: (tmp_path / f"{worker}.log").read_text() for worker in WORKERS}
    assert not [worker for worker, text in said.items() if MARK in text]
    assert not [worker for worker, text in said.items() if not text and worker not in QUIET_IN_TROUBLE]


def has_begun(process: subprocess.Popen[bytes], log: Path) -> bool:
    """Whether a worker has said something, ended, or listens: a door has nothing to say yet."""
    return process.poll() is not None or bool(log.stat().st_size) or _is_up(process)


def _is_up(process: subprocess.Popen[bytes]) -> bool:
    try:
        return any(one.status == psutil.CONN_LISTEN for one in psutil.Process(process.pid).net_connections())
    except psutil.Error:
        return False
