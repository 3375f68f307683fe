"""`runledger demo`, as a newcomer meets it."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.e2e.command import last_object
from tests.e2e.pipeline import wait_for
from tests.e2e.test_replay import KNOWN, known_part
from tests.servers import own_environment, stack_folder

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


def demo(folder: Path, *options: str) -> list[str]:
    """The command, on a data folder of its own."""
    return [sys.executable, "-m", "runledger", "demo", "--data-dir", str(folder), *options]


def processes_of(folder: Path) -> list[psutil.Process]:
    """Every process that knows the folder: by its arguments or by its environment."""
    found = []
    for process in psutil.process_iter():
        try:
            told = " ".join([*process.cmdline(), *process.environ().values()])
        except psutil.Error:
            continue
        if str(folder) in told and process.pid != psutil.Process().pid:
            found.append(process)
    return found


def test_the_demo_prints_the_known_totals_and_leaves_no_process() -> None:
    with stack_folder() as folder:
        result = subprocess.run(
            demo(folder, "--json"), env=own_environment(), capture_output=True, timeout=200, check=False
        )
        assert result.returncode == 0, result.stderr.decode()
        assert known_part(last_object(result.stdout)) == KNOWN
        assert str(folder).encode() in result.stderr
        assert processes_of(folder) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_in_the_middle_leaves_no_process(number: signal.Signals) -> None:
    with stack_folder() as folder:
        running = subprocess.Popen(
            demo(folder),
            env=own_environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            wait_for("the broker", lambda: len(processes_of(folder)) >= 4, 90)
            running.send_signal(number)
            output, _ = running.communicate(timeout=60)
        finally:
            running.kill()
        assert running.returncode == 130, output.decode()
        wait_for("no process", lambda: processes_of(folder) == [], 10)
