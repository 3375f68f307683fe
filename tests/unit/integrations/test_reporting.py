from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest

from runledger.integrations.model_calls import ModelCall
from runledger.integrations.reporting import Reporter, undisturbed
from runledger.producers import AsyncRunClient, RunClient
from runledger.producers.async_client import plain_client
from runledger.producers.exceptions import is_recorded
from runledger.producers.open_run import OpenRun


def test_an_error_is_logged_by_its_type_alone(caplog: pytest.LogCaptureFixture) -> None:
    with undisturbed():
        raise ValueError("a prompt")
    assert caplog.messages == ["a model call was not reported: ValueError"]


def test_an_interruption_goes_on() -> None:
    with pytest.raises(KeyboardInterrupt), undisturbed():
        raise KeyboardInterrupt


def test_both_kinds_of_client_will_do() -> None:
    with RunClient("127.0.0.1:1") as client:
        assert Reporter(client, agent="a").client is client
        assert Reporter(client, agent="a").owner.project == client.settings.project
        assert Reporter(client, project="acme", agent="a").owner.project == "acme"
    asynchronous = AsyncRunClient("127.0.0.1:1")
    assert Reporter(asynchronous, agent="a").client is plain_client(asynchronous)
    plain_client(asynchronous).close(0)


def test_a_failed_call_of_a_run_is_not_told_again_by_the_runs_end() -> None:
    error = ValueError("no")
    run_id = UUID(int=7)
    call = ModelCall(
        library="openai",
        kind="chat completion",
        model="m",
        run=OpenRun("acme", "sage", run_id),
        usage={},
        started_at=datetime.now(UTC),
        error=error,
    )
    client = RunClient("127.0.0.1:1")
    Reporter(client, agent="a").tell(call)
    assert is_recorded(error, run_id)
    assert client.stats().sent == 1
    client.close(0)
