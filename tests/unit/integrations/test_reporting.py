from __future__ import annotations

import pytest

from runledger.integrations.reporting import Reporter, undisturbed
from runledger.producers import AsyncRunClient, RunClient
from runledger.producers.async_client import plain_client


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
