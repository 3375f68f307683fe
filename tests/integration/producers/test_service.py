from __future__ import annotations

import asyncio

import pytest

from runledger import DeliveryError, InvalidEventError, write_run_log
from runledger.producers import service
from runledger.schemas.identifiers import row_id
from runledger.schemas.run_events import RunLogged
from runledger.schemas.settings import ConnectionSettings
from tests.integration.producers.events import read_run_events

pytestmark = pytest.mark.integration


@pytest.fixture(autouse=True)
def environment(topics: ConnectionSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Connect as a program would, with a client of the test's own."""
    monkeypatch.setenv("RUNLEDGER_KAFKA", topics.kafka)
    monkeypatch.setenv("RUNLEDGER_TOPIC_PREFIX", topics.topic_prefix)
    service._client_of.cache_clear()


async def test_a_run_is_logged_once_the_call_returns(topics: ConnectionSettings) -> None:
    row = await write_run_log(
        agent_id="atlas", actions_taken={"summary": "Scaled worker replicas to 3"}, status="success"
    )
    (logged,) = read_run_events(topics)
    assert isinstance(logged, RunLogged)
    assert (logged.project_key, logged.agent_id, logged.data.status) == ("default", "atlas", "success")
    assert logged.data.actions_taken == {"summary": "Scaled worker replicas to 3"}
    assert row == row_id("default", logged.run_id)


async def test_the_project_comes_from_the_environment(
    topics: ConnectionSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUNLEDGER_PROJECT", "acme")
    await write_run_log("atlas", {}, "failed")
    assert read_run_events(topics)[0].project_key == "acme"


async def test_many_calls_at_once_are_all_logged(topics: ConnectionSettings) -> None:
    rows = await asyncio.gather(*(write_run_log(f"agent-{number}", {"n": number}) for number in range(50)))
    assert {row_id("default", event.run_id) for event in read_run_events(topics)} == set(rows)


async def test_a_wrong_status_is_refused() -> None:
    with pytest.raises(InvalidEventError, match="status"):
        await write_run_log("atlas", {}, "done")  # type: ignore[arg-type]  # refused for that


async def test_what_the_broker_does_not_take_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNLEDGER_KAFKA", "127.0.0.1:1")
    monkeypatch.setenv("RUNLEDGER_DELIVERY_TIMEOUT_SECONDS", "1")
    with pytest.raises(DeliveryError):
        await write_run_log("atlas", {}, "success", event_id="lost")
