"""What becomes of a client in processes that fork, and at the end of them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.producers.receiving import Gateway, gateway


@pytest.fixture
def served() -> Iterator[Gateway]:
    """A gateway that takes everything."""
    with gateway() as served:
        yield served


def run(program: str, *arguments: str, timeout_seconds: float = 60) -> str:
    """Run a program of its own; give what it said on stderr."""
    command = [sys.executable, "-c", program, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout_seconds, check=False)
    assert done.returncode == 0, done.stderr
    return done.stderr


FORK = """
import os, sys
from runledger import RunClient
client = RunClient(sys.argv[1])
client.log_run("sage", "success", event_id="before")
child = os.fork()
client.log_run("sage", "success", event_id="parent" if child else "child")
assert client.stats().sent == (2 if child else 1)
if child:
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
"""

POOL = """
import multiprocessing, sys
from runledger import RunClient
client = RunClient(sys.argv[1])

def work(number):
    with client.run("acme", "sage", summary=str(number)):
        return number

def one(number):
    work(number)

if __name__ == "__main__":
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=one, args=(number,)) for number in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0, 0]
"""

BUSY = """
import os, sys, threading
from runledger import RunClient
client = RunClient(sys.argv[1])
stop = threading.Event()

def tell():
    while not stop.is_set():
        client.log_run("sage", "success")

threads = [threading.Thread(target=tell) for _ in range(4)]
for thread in threads:
    thread.start()
children = []
for _ in range(20):
    child = os.fork()
    if child == 0:
        client.log_run("sage", "failed")
        client.close(20)
        os._exit(0 if client.stats().acknowledged == 1 else 1)
    children.append(child)
stop.set()
for thread in threads:
    thread.join()
assert [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children] == [0] * 20
"""

IMPORTS = """
import sys
from runledger import RunClient
client = RunClient(sys.argv[1])
before = set(sys.modules)
client.log_run("sage", "success")
client.flush(20)
assert set(sys.modules) == before, set(sys.modules) - before
"""

SHUTDOWN = """
import os, sys, time
from runledger import RunClient
client = RunClient(sys.argv[1])
client.log_run("sage", "success")
child = os.fork()
if child:
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
client.close(0)
"""


NO_SPOOL = """
import os, shutil, sys
from runledger import RunClient
client = RunClient(sys.argv[1], spool=os.path.join(sys.argv[2], "spool"))
shutil.rmtree(sys.argv[2])
child = os.fork()
if child == 0:
    client.log_run("sage", "success", event_id="child")
    client.flush(20)
    os._exit(0)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
"""


def test_a_child_without_a_spool_goes_on_without_one(served: Gateway, tmp_path: Path) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    assert "this forked process has no spool" in run(NO_SPOOL, served.url, str(folder))
    assert served.event_ids == ["child"]


def test_parent_and_child_each_deliver_their_own_once(served: Gateway) -> None:
    run(FORK, served.url)
    assert sorted(served.event_ids) == ["before", "child", "parent"]


def test_multiprocessing_children_deliver_before_they_end(served: Gateway) -> None:
    run(POOL, served.url)
    ended = [event for event in served.events if event["type"] == "runledger.run.ended.v1"]
    assert len(ended) == 3


def test_a_fork_in_the_middle_of_calls_leaves_no_lock_behind(served: Gateway) -> None:
    run(BUSY, served.url)
    failed = [event for event in served.events if event["data"]["status"] == "failed"]
    assert len(failed) == 20


def test_a_first_delivery_imports_nothing(served: Gateway) -> None:
    """A process forked during an import by another thread would wait for that import's lock for ever."""
    run(IMPORTS, served.url)


def test_a_child_ends_without_waiting_for_its_parents_kafka_threads(dead_port: str) -> None:
    """One of three tries must end.

    Once in some hundreds, one of librdkafka's threads holds a lock of its OpenSSL at the moment of the fork, and the
    child waits for it in OpenSSL's own exit handler (docs/sdk.md). A wait of ours would hold up every child.
    """
    ended = False
    for _ in range(3):
        command = [sys.executable, "-c", SHUTDOWN, dead_port]
        parent = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        try:
            ended = parent.wait(20) == 0
        except subprocess.TimeoutExpired:
            os.killpg(parent.pid, signal.SIGKILL)
            parent.wait()
        if ended:
            break
    assert ended
