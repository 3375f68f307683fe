from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from uuid import UUID

import pytest

from runledger.producers.building import build
from runledger.producers.client import RunClient
from runledger.producers.errors import ClosedError, DeliveryError, InvalidEventError, QueueFullError
from runledger.producers.kafka_transport import KafkaTransport
from runledger.producers.publisher import Publisher
from runledger.producers.settings import ProducerSettings
from runledger.schemas.run_events import RunHeartbeat
from tests.unit.producers.test_kafka_transport import pretended


def client_of(kafka: str, *, strict: bool = True, **settings: float) -> RunClient:
    return RunClient(strict=strict, settings=ProducerSettings.model_validate({"kafka": kafka, **settings}))


def close_hopeless(client: RunClient) -> None:
    with pytest.raises(DeliveryError):
        client.close(0)


def test_flush_names_what_is_pending_within_its_time(dead_port: str) -> None:
    client = client_of(dead_port)
    client.log_run("sage", "success", event_id="first")
    client.log_run("sage", "success", event_id="second")
    began = time.monotonic()
    with pytest.raises(DeliveryError, match="2 events not delivered") as failed:
        client.flush(0.3)
    assert 0.3 <= time.monotonic() - began < 2
    assert [(event.event_id, event.reason) for event in failed.value.undelivered] == [
        ("first", "pending"),
        ("second", "pending"),
    ]
    close_hopeless(client)


def test_flush_names_what_failed_once(dead_port: str) -> None:
    client = client_of(dead_port, delivery_timeout_seconds=1)
    client.log_run("sage", "success", event_id="lost", run_id=UUID(int=4))
    with pytest.raises(DeliveryError) as failed:
        client.flush(20)
    (lost,) = failed.value.undelivered
    assert (lost.event_id, lost.project_key, lost.run_id) == ("lost", "default", UUID(int=4))
    assert "timed out" in lost.reason
    client.flush(0)
    client.close(0)


def test_a_full_queue_is_waited_for_and_then_refused(dead_port: str) -> None:
    client = client_of(dead_port, queue_events=2, queue_wait_seconds=0.2)
    for _ in range(2):
        client.log_run("sage", "success")
    began = time.monotonic()
    with pytest.raises(QueueFullError):
        client.log_run("sage", "success", event_id="refused")
    assert 0.2 <= time.monotonic() - began < 2
    with pytest.raises(DeliveryError) as failed:
        client.flush(0)
    assert "refused" not in {event.event_id for event in failed.value.undelivered}
    close_hopeless(client)


def test_a_closed_client_refuses_and_closing_again_is_harmless(dead_port: str) -> None:
    client = client_of(dead_port)
    client.close()
    client.close()
    with pytest.raises(ClosedError):
        client.log_run("sage", "success")


def test_an_event_over_its_size_is_refused_before_it_is_queued(dead_port: str) -> None:
    with client_of(dead_port) as client:
        big = {"text": "x" * 250_000}
        with pytest.raises(InvalidEventError, match="900000"):
            client.report_usage("default", UUID(int=1), traces=[big] * 4, input_tokens=1)


def test_a_program_that_ends_with_undelivered_events_says_so(dead_port: str) -> None:
    program = 'from runledger import RunClient; RunClient().log_run("sage", "success")'
    environment = {**os.environ, "RUNLEDGER_KAFKA": dead_port, "RUNLEDGER_FLUSH_TIMEOUT_SECONDS": "0.2"}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True, env=environment
    )
    assert "1 events not delivered" in done.stderr


def test_a_callers_on_delivered_is_never_called_within_anothers_call() -> None:
    """It might wait for what that one holds."""
    told_by: set[int] = set()
    delivered = threading.Semaphore(0)

    def note(_failure: object) -> None:
        told_by.add(threading.get_ident())
        delivered.release()

    publisher = Publisher(ProducerSettings(), lambda settings: KafkaTransport(settings, pretended))
    event = build(RunHeartbeat, {}, project="acme", run_id=UUID(int=1))
    for _ in range(500):
        publisher.publish(event, note)
    assert all(delivered.acquire(timeout=20) for _ in range(500))
    assert threading.get_ident() not in told_by
    for _ in range(500):
        publisher.publish(event)
    publisher.close(20)
    assert publisher.stats().acknowledged == 1000
