"""`runledger up`, `status` and `down` with everything in them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import psycopg
import pytest

from runledger.stack import Stack
from runledger.stack.state import ServiceState
from tests.servers import stack_folder

pytestmark = [pytest.mark.integration, pytest.mark.slow]

DEADLINE_SECONDS = 90.0
OUTSIDE = ("RUNLEDGER_KAFKA", "RUNLEDGER_POSTGRES")


@pytest.fixture
def folder() -> Iterator[Path]:
    with stack_folder() as folder:
        yield folder
        Stack(folder).stop()


def runledger(folder: Path, command: str, *options: str) -> subprocess.CompletedProcess[str]:
    arguments = [sys.executable, "-m", "runledger", command, "--data-dir", str(folder), *options]
    env = {name: value for name, value in os.environ.items() if name not in OUTSIDE}
    return subprocess.run(arguments, capture_output=True, text=True, timeout=DEADLINE_SECONDS, env=env, check=False)


def service(folder: Path, name: str) -> ServiceState:
    state = Stack(folder).state()
    assert state is not None
    return next(service for service in state.services if service.name == name)


def is_healed(folder: Path, name: str) -> bool:
    state = service(folder, name)
    return state.restarts == 1 and state.health == "healthy"


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.1)


def test_the_whole_stack_comes_up_heals_and_goes_down(folder: Path) -> None:
    up = runledger(folder, "up", "--processors", "2")
    assert up.returncode == 0, up.stderr
    facts: dict[str, Any] = json.loads(runledger(folder, "status", "--json").stdout)
    assert facts["healthy"]
    names = [service["name"] for service in facts["services"]]
    assert names == [
        "postgres",
        "kafka",
        "processor-1",
        "processor-2",
        "sink",
        "relay",
        "scorer",
        "watch",
        "gateway",
        "mcp",
        "api",
        "dashboard",
    ]
    assert f"export RUNLEDGER_KAFKA={facts['kafka']}" in up.stdout
    assert set(facts["lag"]) == {"runledger.processors", "runledger.sink", "runledger.scoring"}

    assert f"export RUNLEDGER_HTTP={facts['http']}" in up.stdout
    for name in ("http", "api"):
        with urlopen(facts[name] + "/readyz", timeout=5) as answer:  # noqa: S310  # the stack's own address
            assert answer.status == 200
    assert f"export RUNLEDGER_DASHBOARD={facts['dashboard']}" in up.stdout
    link = next(word for word in up.stderr.split() if word.startswith(facts["dashboard"]))
    with urlopen(link, timeout=5) as answer:  # noqa: S310  # as above
        assert answer.headers["Set-Cookie"]
    with psycopg.connect(facts["postgres"]) as connection:
        assert connection.execute("SELECT is_public FROM project WHERE project_key = 'default'").fetchone() == (True,)

    again = runledger(folder, "up")
    assert again.returncode == 0
    assert "runs already" in again.stderr
    assert json.loads(runledger(folder, "status", "--json").stdout)["supervisor"] == facts["supervisor"]

    for name in ("relay", "kafka"):
        killed = service(folder, name)
        assert killed.process is not None
        killed.process.send(signal.SIGKILL)
        wait_until(partial(is_healed, folder, name))

    state = Stack(folder).state()
    assert state is not None
    assert state.supervisor.pid == facts["supervisor"]["pid"]
    assert runledger(folder, "down").returncode == 0
    assert not any(process.is_listed() for process in state.processes())
    assert "no stack runs" in runledger(folder, "status").stdout


def test_ctrl_c_ends_a_stack_in_the_foreground(folder: Path) -> None:
    arguments = [sys.executable, "-m", "runledger", "up", "--foreground", "--data-dir", str(folder)]
    env = {name: value for name, value in os.environ.items() if name not in OUTSIDE}
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=env) as up:
        assert up.stdout is not None
        assert up.stdout.readline().startswith("export RUNLEDGER_KAFKA=")
        state = Stack(folder).state()
        assert state is not None
        up.send_signal(signal.SIGINT)
        assert up.wait(DEADLINE_SECONDS) == 130
    assert not any(process.is_listed() for process in state.processes())
