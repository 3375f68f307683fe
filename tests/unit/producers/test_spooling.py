"""A client with a spool, beside a gateway that comes and goes."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from runledger import ConfigurationError, DeliveryError, ProducerSettings, RunClient, Stats
from tests.unit.producers.receiving import Reply, Requested, gateway


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    """Where the spool is."""
    return tmp_path / "spool"


def client_of(url: str, spool: Path, **settings: object) -> RunClient:
    fields = {"spool_after_seconds": 1, **settings}
    return RunClient(url, spool=spool, settings=ProducerSettings.model_validate(fields))


def wait_until(condition: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def refuse(_request: Requested, _number: int) -> Reply:
    return Reply(503)


def test_what_cannot_be_delivered_is_spooled_and_sent_when_it_can(spool: Path) -> None:
    with gateway() as served:
        served.answer = refuse
        client = client_of(served.url, spool)
        for number in range(30):
            client.log_run("sage", "success", event_id=f"event-{number}")
        wait_until(lambda: client.stats().spooled == 30)
        served.requests.clear()
        served.answer = lambda _request, _number: None
        client.flush(20)
        assert client.stats() == Stats(sent=30, spooled=30, sent_from_spool=30)
        client.close()
        assert sorted(served.event_ids) == sorted(f"event-{number}" for number in range(30))
    assert spool.stat().st_size == 39


def test_flush_says_what_waits_in_the_spool(dead_port: str, spool: Path) -> None:
    client = client_of(f"http://{dead_port}", spool)
    client.log_run("sage", "success")
    wait_until(lambda: client.stats().spooled == 1)
    with pytest.raises(DeliveryError, match="1 events not delivered; 1 are in the spool") as failed:
        client.flush(0)
    assert (failed.value.spooled, failed.value.undelivered) == (1, ())
    client.close(0)


def test_closing_spools_what_is_pending(dead_port: str, spool: Path) -> None:
    """Over Kafka too; and even a strict client has nothing to complain of then."""
    for number, url in enumerate((f"http://{dead_port}", dead_port)):
        client = RunClient(url, spool=spool, strict=True)
        client.log_run("sage", "success", event_id=f"event-{number}")
        client.close(0)
        assert client.stats() == Stats(sent=1, spooled=1, waiting_in_spool=number + 1)


def test_a_full_spool_drops_and_counts(dead_port: str, spool: Path) -> None:
    client = client_of(f"http://{dead_port}", spool, spool_bytes=1024 * 1024, queue_events=1)
    for _ in range(8):
        client.log_run("sage", "success", {"text": "x" * 200_000})
    client.close(0)
    stats = client.stats()
    assert (stats.sent, stats.spooled, stats.dropped) == (8, 5, 3)


def test_what_the_receiver_refuses_for_good_leaves_the_spool(spool: Path, caplog: pytest.LogCaptureFixture) -> None:
    with gateway() as served:
        served.answer = refuse
        with client_of(served.url, spool, flush_timeout_seconds=0) as client:
            for name in ("good", "bad"):
                client.log_run("sage", "success", event_id=name)
        served.answer = lambda request, _number: Reply(
            207, [422 if event["id"] == "bad" else 200 for event in request.events]
        )
        with client_of(served.url, spool) as client:
            client.flush(20)
            assert client.stats() == Stats(sent_from_spool=1)
    assert "refused 1 events of the spool for good" in caplog.text


def test_a_process_that_was_killed_leaves_its_spool_to_the_next(spool: Path, dead_port: str) -> None:
    program = """
import os, signal, sys, time
from runledger import ProducerSettings, RunClient
client = RunClient(sys.argv[1], spool=sys.argv[2], settings=ProducerSettings(spool_after_seconds=1))
for number in range(10):
    client.log_run("sage", "success", event_id=f"event-{number}")
while client.stats().spooled < 10:
    time.sleep(0.01)
os.kill(os.getpid(), signal.SIGKILL)
"""
    command = [sys.executable, "-c", program, f"http://{dead_port}", str(spool)]
    assert subprocess.run(command, check=False, timeout=60).returncode == -signal.SIGKILL
    with gateway() as served, client_of(served.url, spool) as client:
        client.flush(20)
        assert served.event_ids == [f"event-{number}" for number in range(10)]


def test_a_crash_before_the_acknowledgement_is_noted_repeats_with_the_same_ids(spool: Path, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    with gateway() as served:
        served.answer = refuse
        with client_of(served.url, spool, flush_timeout_seconds=0) as client:
            client.log_run("sage", "success", event_id="mine")
        kept.write_bytes(spool.read_bytes())
        served.requests.clear()
        served.answer = lambda _request, _number: None
        for _ in range(2):
            with client_of(served.url, spool) as client:
                client.flush(20)
            spool.write_bytes(kept.read_bytes())  # as if the crash had come before
        assert served.event_ids == ["mine", "mine"]


def test_processes_with_one_path_have_a_file_each(spool: Path, dead_port: str) -> None:
    with gateway() as served:
        first = client_of(f"http://{dead_port}", spool, flush_timeout_seconds=0)
        second = client_of(f"http://{dead_port}", spool, flush_timeout_seconds=0)
        first.log_run("sage", "success", event_id="first")
        second.log_run("sage", "success", event_id="second")
        second.close()
        first.close()
        assert spool.with_name("spool.1").stat().st_size > 39
        with client_of(served.url, spool) as heir:
            wait_until(lambda: heir.stats().sent_from_spool == 2)
        assert set(served.event_ids) == {"first", "second"}


def test_a_spool_that_cannot_be_opened_is_said_at_once(tmp_path: Path, dead_port: str) -> None:
    with pytest.raises(ConfigurationError, match="the spool cannot be opened"):
        RunClient(dead_port, spool=tmp_path / "missing" / "spool")


def test_an_on_delivered_hears_that_its_event_was_spooled(dead_port: str, spool: Path) -> None:
    heard: list[str | None] = []
    client = client_of(f"http://{dead_port}", spool)
    client.log_run(
        "sage", "success", on_delivered=lambda failure: heard.append(None if failure is None else failure.reason)
    )
    client.close(0)
    assert heard == ["spooled, to be sent later: given up: the client was closed"]


FORK = """
import os, sys
from runledger import ProducerSettings, RunClient, Stats
client = RunClient(sys.argv[1], spool=sys.argv[2], settings=ProducerSettings(flush_timeout_seconds=0))
client.log_run("sage", "success", event_id="parent")
child = os.fork()
if child == 0:
    client.log_run("sage", "success", event_id="child")
    client.close(0)
    os._exit(0 if client.stats() == Stats(sent=1, spooled=1, waiting_in_spool=1) else 1)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
"""


def test_a_forked_child_has_a_spool_file_of_its_own(spool: Path, dead_port: str) -> None:
    command = [sys.executable, "-c", FORK, f"http://{dead_port}", str(spool)]
    subprocess.run(command, check=True, timeout=60)
    with gateway() as served, client_of(served.url, spool) as heir:
        wait_until(lambda: heir.stats().sent_from_spool == 2)
        assert sorted(served.event_ids) == ["child", "parent"]
