"""What a test signals is a process that runs, even right after it killed the one before."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from signal import SIGKILL

import pytest

from tests.e2e.pipeline import Worker, wait_for


class _Sleeper(Worker):
    """Sleeps instead of working."""

    def _start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])


@pytest.fixture
def sleeper(tmp_path: Path) -> Iterator[Worker]:
    """One that is stopped at the end."""
    made = _Sleeper("sleeper", 1, {}, tmp_path)
    yield made
    made.stop()


def test_each_kill_ends_a_process_of_its_own(sleeper: Worker) -> None:
    for number in range(1, 4):
        sleeper.kill()
        assert len(sleeper.exits) == 2 * number - 1
        sleeper.signal(SIGKILL)
        wait_for("its end", lambda: len(sleeper.exits) == 2 * number, 10)  # noqa: B023  # called at once
    assert sleeper.exits == [-SIGKILL] * 6


def test_who_was_stopped_for_good_is_signalled_no_more(sleeper: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.e2e.pipeline._START_SECONDS", 0.3)
    sleeper.stop()
    with pytest.raises(AssertionError, match="a sleeper that runs: not within"):
        sleeper.signal(SIGKILL)
