"""Told to end, every worker does so within its bound, though the broker is gone for good."""

from __future__ import annotations

import signal
import threading
import time
from functools import partial
from pathlib import Path

import pytest
from confluent_kafka import Producer

from runledger.schemas.codec import encode_event
from runledger.schemas.identifiers import run_key
from runledger.schemas.settings import ConnectionSettings
from runledger.schemas.topics import PARTITIONER, RUN_EVENTS
from runledger.sinks.migrate import migrate
from runledger.stack.ports import LOOPBACK, choose_port
from runledger.stack.vitals import why_unwell
from runledger.topic_admin import ensure_topics
from runledger.vitals.exits import EXIT_CUT_OFF
from tests.e2e.pipeline import Pipeline, wait_for
from tests.faults.servers import own_kafka
from tests.unit.processors.logs import event

pytestmark = [pytest.mark.integration, pytest.mark.slow]

WORKERS = ("processor", "sink", "relay", "scorer", "watch", "gateway")
GONE_SECONDS = 12
END_SECONDS = 10


def is_well(port: int) -> bool:
    return why_unwell(LOOPBACK, port) is None


def keep_telling(settings: ConnectionSettings, enough: threading.Event) -> None:
    """Log runs, one after the other, until it is enough."""
    producer = Producer({"bootstrap.servers": settings.kafka, "partitioner": PARTITIONER, "log_level": 0})
    number = 0
    while not enough.wait(0.005):
        number += 1
        for kind in ("started", "used", "ended"):
            told = event(kind, number, f"{kind}-{number}")
            producer.produce(RUN_EVENTS.name(settings.topic_prefix), encode_event(told), run_key("p", told.run_id))
        producer.poll(0)
    producer.purge()


def test_workers_end_within_their_bound_while_the_broker_is_gone(database: str, tmp_path: Path) -> None:
    """Records are on their way when it goes, so that commits, jobs and answers wait for it."""
    migrate(database)
    enough = threading.Event()
    with own_kafka() as broker:
        settings = ConnectionSettings(kafka=broker.address, postgres=database)
        ensure_topics(settings)
        running = Pipeline(settings, tmp_path, {"RUNLEDGER_HTTP_PORT": "0"})
        ports: dict[str, int] = {}
        try:
            for name in WORKERS:
                ports[name] = choose_port(ports.values())
                running.start(name, {"RUNLEDGER_METRICS_PORT": str(ports[name])})
            for name, port in ports.items():
                wait_for(f"{name} is well", partial(is_well, port), 120)
            telling = threading.Thread(target=keep_telling, args=(settings, enough))
            telling.start()
            began = time.monotonic()
            wait_for("some load", lambda: time.monotonic() - began > 5, 10)
            broker.stop(signal.SIGKILL)
            wait_for("some absence", lambda: time.monotonic() - began > 5 + GONE_SECONDS, 60)
            assert "broker_away" in (why_unwell(LOOPBACK, ports["sink"]) or "")
            for worker in running.workers:
                asked = time.monotonic()
                assert worker.stop() in {0, EXIT_CUT_OFF}, worker.name
                assert time.monotonic() - asked < END_SECONDS, worker.name
                assert worker.exits in ([], [0], [EXIT_CUT_OFF]), worker.name
        finally:
            enough.set()
            running.stop()
    telling.join(10)
