from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest

from runledger.stack.identity import ProcessIdentity
from runledger.stack.leftovers import end_processes

PATIENT = "import signal, sys; print('ready', flush=True); signal.pause()"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready', flush=True); signal.pause()"


@pytest.fixture(params=[PATIENT, STUBBORN], ids=["patient", "stubborn"])
def process(request: pytest.FixtureRequest) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", request.param]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield process
        process.kill()


def test_processes_are_ended_whether_they_like_it_or_not(process: subprocess.Popen[str]) -> None:
    identity = ProcessIdentity.of(process.pid)
    assert identity is not None
    end_processes([identity], patience_seconds=0.5)
    assert not identity.is_alive()


def test_a_stranger_with_a_recycled_number_is_left_alone(process: subprocess.Popen[str]) -> None:
    identity = ProcessIdentity.of(process.pid)
    assert identity is not None
    end_processes([identity.model_copy(update={"born_at": identity.born_at - 60})], patience_seconds=0.0)
    assert identity.is_alive()
