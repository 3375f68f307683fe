from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest

from runledger import DeliveryError, QueueFullError, RunClient, Stats
from runledger.producers.building import build
from runledger.producers.records import Record
from runledger.producers.settings import ProducerSettings
from runledger.schemas.run_events import UsageReported
from tests.unit.producers.receiving import Gateway, Reply, Requested, gateway


@pytest.fixture
def served() -> Iterator[Gateway]:
    """A gateway that takes everything."""
    with gateway() as served:
        yield served


def client_of(url: str, **settings: object) -> RunClient:
    return RunClient(url, settings=ProducerSettings.model_validate(settings))


def test_events_travel_in_batches_with_the_key(served: Gateway) -> None:
    with client_of(served.url + "/ledger/", api_key="rl.1.secret") as client:
        for number in range(250):
            client.log_run("sage", "success", {"n": number}, event_id=f"event-{number}")
        client.flush()
        assert client.stats() == Stats(sent=250, acknowledged=250)
    assert served.event_ids == [f"event-{number}" for number in range(250)]
    assert len(served.requests) < 50
    assert {len(request.events) for request in served.requests} <= set(range(1, 101))
    first = served.requests[0]
    assert first.path == "/ledger/api/v1/events"
    assert first.headers["Authorization"] == "Bearer rl.1.secret"
    assert first.headers["Content-Type"] == "application/cloudevents-batch+json; charset=UTF-8"
    assert served.events[7]["data"] == {"status": "success", "actions_taken": {"n": 7}}


def test_what_is_not_taken_is_sent_again_with_the_same_ids(served: Gateway) -> None:
    served.answer = lambda _request, number: Reply(503) if number < 2 else None
    with client_of(served.url) as client:
        client.log_run("sage", "success", event_id="mine")
        client.flush()
    assert served.event_ids == ["mine"] * 3


def test_retry_after_is_respected(served: Gateway) -> None:
    served.answer = lambda _request, number: Reply(503, headers={"Retry-After": "1"}) if number == 0 else None
    with client_of(served.url) as client:
        client.log_run("sage", "success")
        began = time.monotonic()
        client.flush()
    assert 1 <= time.monotonic() - began < 5


def test_each_event_of_a_batch_has_its_own_fate(served: Gateway) -> None:
    fates = {"taken": [200], "wrong": [422], "slow": [503, 503, 200]}

    def answer(request: Requested, _number: int) -> Reply:
        statuses = [fates[event["id"]].pop(0) for event in request.events]
        return Reply(503 if 503 in statuses else 207, statuses)

    served.answer = answer
    with client_of(served.url) as client:
        for name in fates:
            client.log_run("sage", "success", event_id=name)
        with pytest.raises(DeliveryError) as failed:
            client.flush()
        assert [(lost.event_id, lost.reason) for lost in failed.value.undelivered] == [
            ("wrong", "the gateway answered 422")
        ]
        assert client.stats() == Stats(sent=3, acknowledged=2, refused=1)


def test_a_batch_that_is_too_large_is_split(served: Gateway) -> None:
    served.answer = lambda request, _number: Reply(413) if len(request.events) > 3 else None
    with client_of(served.url) as client:
        for number in range(20):
            client.log_run("sage", "success", event_id=str(number))
        client.flush()
        assert client.stats().acknowledged == 20
    assert [event["id"] for r in served.requests if len(r.events) <= 3 for event in r.events] == [
        str(number) for number in range(20)
    ]


def test_a_bad_key_is_said_at_once(served: Gateway) -> None:
    served.answer = lambda _request, _number: Reply(401)
    with client_of(served.url) as client:
        client.log_run("sage", "success")
        with pytest.raises(DeliveryError, match="answered 401"):
            client.flush()


def test_an_answer_that_names_not_every_event_is_no_acknowledgement(served: Gateway) -> None:
    served.answer = lambda _request, _number: Reply(200, [])
    with client_of(served.url) as client:
        client.log_run("sage", "success")
        with pytest.raises(DeliveryError, match="does not name every event"):
            client.flush()


def test_a_gateway_that_is_away_holds_nobody_up(dead_port: str) -> None:
    client = client_of(f"http://{dead_port}", queue_events=5, delivery_timeout_seconds=5)
    began = time.monotonic()
    for _ in range(20):
        client.log_run("sage", "success")
    assert time.monotonic() - began < 4
    assert client.stats() == Stats(sent=20, pending=5, dropped=15)
    with pytest.raises(DeliveryError, match="20 events not delivered"):
        client.flush(30)
    assert client.stats() == Stats(sent=20, dropped=20)
    client.close(0)


def test_a_strict_client_waits_for_room_and_then_refuses(dead_port: str) -> None:
    client = client_of(f"http://{dead_port}", queue_events=1, queue_wait_seconds=0.2, strict=True)
    client.log_run("sage", "success")
    with pytest.raises(QueueFullError):
        client.log_run("sage", "success")
    with pytest.raises(DeliveryError):
        client.close(0)


def test_the_queue_is_bounded_in_bytes(dead_port: str) -> None:
    client = client_of(f"http://{dead_port}", queue_bytes=1024 * 1024)
    for _ in range(8):
        client.log_run("sage", "success", {"text": "x" * 200_000})
    assert client.stats() == Stats(sent=8, pending=5, dropped=3)
    client.close(0)


def test_closing_cuts_off_a_request_without_an_answer(served: Gateway, tmp_path: Path) -> None:
    asked: list[bool] = []

    def hang(_request: Requested, _number: int) -> None:
        asked.append(True)
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and not over:
            time.sleep(0.01)

    over: list[bool] = []
    served.answer = hang
    client = client_of(served.url, spool=tmp_path / "spool")
    client.log_run("sage", "success")
    deadline = time.monotonic() + 5
    while not asked and time.monotonic() < deadline:
        time.sleep(0.01)
    began = time.monotonic()
    client.close(0)
    over.append(True)
    assert time.monotonic() - began < 3
    assert client.stats() == Stats(sent=1, spooled=1, waiting_in_spool=1)


def test_waiting_for_room_in_bytes_costs_no_processor_time(dead_port: str) -> None:
    settings = ProducerSettings(queue_bytes=1024 * 1024, queue_wait_seconds=1, flush_timeout_seconds=0)
    client = RunClient(f"http://{dead_port}", strict=True, settings=settings)
    large = [{"text": "word " * 40_000}] * 3
    client.report_usage("acme", UUID(int=1), traces=large)
    record = Record.of(build(UsageReported, {"token_usage": {}, "traces": large}, project="acme", run_id=UUID(int=2)))
    began = time.process_time()
    with pytest.raises(QueueFullError):
        client._publisher.hand_over(record)
    assert time.process_time() - began < 0.5
    with pytest.raises(DeliveryError):
        client.close(0)
