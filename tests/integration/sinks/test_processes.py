"""The sink and the relay as processes: asked to end, killed, and stopped past their session."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from confluent_kafka import Producer

from runledger.schemas.codec import encode_event
from runledger.schemas.identifiers import run_key
from runledger.schemas.run_events import RunHeartbeat
from runledger.schemas.settings import ConnectionSettings
from runledger.schemas.topics import PARTITIONER, RUN_EVENTS
from runledger.sinks.settings import SinkSettings
from tests.integration.sinks.conftest import Ledger
from tests.unit.sinks.build import NOON, PROJECT, run_number

pytestmark = pytest.mark.integration

_SINK = (
    "from runledger.sinks.consumer import run_sink; from runledger.sinks.settings import SinkSettings;"
    " run_sink(SinkSettings())"
)
_RELAY = (
    "from runledger.sinks.outbox_relay import run_relay; from runledger.sinks.settings import SinkSettings;"
    " run_relay(SinkSettings())"
)


class _Processes:
    """Starts processes of the sink on one test's topics and tables, and ends those that are left."""

    def __init__(self, topics: ConnectionSettings, ledger: Ledger) -> None:
        self._environment = os.environ | {
            "RUNLEDGER_KAFKA": topics.kafka,
            "RUNLEDGER_POSTGRES": ledger.uri,
            "RUNLEDGER_TOPIC_PREFIX": topics.topic_prefix,
            "RUNLEDGER_SESSION_TIMEOUT_SECONDS": "6",
            "RUNLEDGER_BATCH_RECORDS": "200",
        }
        self._topic = RUN_EVENTS.name(topics.topic_prefix)
        self._producer = Producer({"bootstrap.servers": topics.kafka, "partitioner": PARTITIONER})
        self._ledger = ledger
        self.all: list[subprocess.Popen[bytes]] = []
        self.sent = 0

    def start(self, code: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen([sys.executable, "-c", code], env=self._environment, stdout=subprocess.DEVNULL)
        self.all.append(process)
        return process

    def send(self, count: int) -> None:
        for number in range(self.sent, self.sent + count):
            beat = RunHeartbeat(
                event_id=f"h-{number}", project_key=PROJECT, run_id=run_number(number % 97), occurred_at=NOON
            )
            self._producer.produce(self._topic, encode_event(beat), run_key(PROJECT, beat.run_id))
        assert self._producer.flush(30) == 0
        self.sent += count

    def stored(self) -> int:
        (found,) = self._ledger.rows("SELECT count(*) FROM run_event")
        return int(found[0])

    def has_stored(self, least: int) -> Callable[[], bool]:
        return lambda: self.stored() >= least


@pytest.fixture
def processes(topics: ConnectionSettings, ledger: Ledger) -> Iterator[_Processes]:
    made = _Processes(topics, ledger)
    yield made
    for process in made.all:
        if process.poll() is None:
            process.kill()
        process.wait(10)


def _until(true: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "not in time"
        threading.Event().wait(0.05)


@pytest.mark.parametrize("code", [_SINK, _RELAY])
@pytest.mark.parametrize("asked_by", [signal.SIGTERM, signal.SIGINT])
def test_a_process_that_is_asked_to_end_exits_with_0_within_10_seconds(
    processes: _Processes, ledger: Ledger, code: str, asked_by: signal.Signals
) -> None:
    process = processes.start(code)
    connected = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        " AND application_name = 'runledger' AND state = 'idle'"
    )
    _until(lambda: ledger.rows(connected)[0][0] > 0)
    process.send_signal(asked_by)
    assert process.wait(10) == 0


def test_a_sink_killed_again_and_again_writes_each_record_once(processes: _Processes) -> None:
    dice = random.Random(11)
    processes.send(2000)
    for _ in range(4):
        before = processes.stored()
        process = processes.start(_SINK)
        processes.send(2000)
        _until(processes.has_stored(before + dice.randrange(100, 1500)))
        process.kill()
        process.wait(10)
    processes.start(_SINK)
    _until(lambda: processes.stored() >= processes.sent)
    assert processes.stored() == processes.sent


def test_a_sink_stopped_past_its_session_writes_nothing_twice(processes: _Processes) -> None:
    """A zombie goes on where it stood; either its session is renewed or its compare-and-set is refused."""
    processes.send(3000)
    zombie = processes.start(_SINK)
    _until(lambda: processes.stored() > 200)
    zombie.send_signal(signal.SIGSTOP)
    processes.start(_SINK)
    processes.send(1000)
    # Its session ends; rows it may hold are free after the idle timeout, or the lock timeout if it stopped in a COPY.
    _until(lambda: processes.stored() >= processes.sent, 60 + SinkSettings().lock_timeout_seconds)
    zombie.send_signal(signal.SIGCONT)
    processes.send(1000)
    _until(lambda: processes.stored() >= processes.sent)
    assert processes.stored() == processes.sent
    assert all(process.poll() in {None, 1} for process in processes.all)
