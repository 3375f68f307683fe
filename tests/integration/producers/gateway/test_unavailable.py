"""What callers are told while the broker or the database is away."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from runledger.schemas.settings import ConnectionSettings
from tests.integration.producers.gateway.serving import Caller, serving

pytestmark = pytest.mark.integration
VALID = {"agent_id": "sage", "status": "success"}


@pytest.fixture(scope="module")
def dead() -> Iterator[str]:
    """An address where nobody answers."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{bound.getsockname()[1]}"


@pytest.fixture(scope="module")
def without_broker(settings: ConnectionSettings, dead: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A gateway whose broker is away."""
    away = settings.model_copy(update={"kafka": dead})
    log = tmp_path_factory.mktemp("away") / "log"
    # What it holds on to is given up at its end: nobody answers.
    with serving(away, log, path="/healthz", RUNLEDGER_FLUSH_TIMEOUT_SECONDS="0") as url:
        yield url


def timed(caller: Caller, route: str, body: object, **headers: str) -> tuple[requests.Response, float]:
    began = time.monotonic()
    return caller.post(route, body, **headers), time.monotonic() - began


def test_the_outcome_is_said_to_be_unknown_within_two_seconds(without_broker: str, keys: dict[str, str]) -> None:
    with Caller(without_broker, keys["acme"]) as caller:
        answers = [
            timed(caller, "internal/agent-run-log", VALID, Idempotency_Key="k"),
            timed(caller, "runs", {}, Idempotency_Key="k"),
        ]
    for answer, seconds in answers:
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "outcome_unknown")
        assert "same Idempotency-Key" in answer.json()["error"]["message"]
        assert int(answer.headers["Retry-After"]) >= 1
        assert seconds < 2


def test_a_call_that_cannot_be_repeated_safely_is_told_so(without_broker: str) -> None:
    with Caller(without_broker, None) as caller:
        answer = caller.post("internal/agent-run-log", VALID)
    assert "may count twice" in answer.json()["error"]["message"]


def test_a_batch_names_every_event_of_unknown_outcome(without_broker: str, keys: dict[str, str]) -> None:
    event = {"specversion": "1.0", "id": "e", "source": "s", "type": "runledger.run.recorded.v1", "agentid": "a"}
    batch = [{**event, "data": {"summary": "s"}}, {**event, "type": "unknown"}]
    with Caller(without_broker, keys["acme"]) as caller:
        answer = caller.send("events", json=batch, headers={"Content-Type": "application/cloudevents-batch+json"})
    assert answer.status_code == 503
    assert [result["outcome"] for result in answer.json()["results"]] == ["unknown", "refused"]


def test_it_lives_but_is_not_ready(without_broker: str) -> None:
    with Caller(without_broker, None) as caller:
        assert caller.get("/healthz").status_code == 200
        answer = caller.get("/readyz")
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "not_ready")


def test_keys_that_cannot_be_looked_up_are_answered_within_two_seconds(
    settings: ConnectionSettings, keys: dict[str, str], dead: str, tmp_path: Path
) -> None:
    away = settings.model_copy(update={"postgres": f"postgresql://postgres@{dead}/postgres"})
    with serving(away, tmp_path / "log") as url, Caller(url, keys["acme"]) as acme, Caller(url, None) as nobody:
        answer, seconds = timed(acme, "runs", {})
        keyless = nobody.post("internal/agent-run-log", VALID)
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "keys_unavailable")
    assert "Retry-After" in answer.headers
    assert seconds < 2
    assert keyless.status_code == 204
