from __future__ import annotations

import os
import signal
import subprocess
import sys

from runledger.stack.identity import ProcessIdentity


def test_a_process_is_known_by_number_and_birth() -> None:
    ourselves = ProcessIdentity.of(os.getpid())
    assert ourselves is not None
    assert ourselves.is_alive()


def test_a_recycled_number_is_never_signalled() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        earlier = ProcessIdentity(pid=process.pid, born_at=ProcessIdentity.of(process.pid).born_at - 60)  # type: ignore[union-attr]  # it lives
        earlier.send(signal.SIGKILL)
        assert not earlier.is_alive()
        assert process.poll() is None
        process.communicate(b"\n")
    assert process.returncode == 0


def test_a_process_that_ended_is_gone() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    identity = ProcessIdentity.of(process.pid)
    process.wait()
    assert identity is None or not identity.is_alive()
