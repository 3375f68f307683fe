"""The SDK over HTTP, through the real gateway."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from runledger import AsyncRunClient, DeliveryError, ProducerSettings, RunClient, Stats, subscribe
from runledger.schemas.run_events import AnyRunEvent
from runledger.schemas.settings import ConnectionSettings

pytestmark = pytest.mark.integration


def events_of(settings: ConnectionSettings, agent: str) -> list[AnyRunEvent]:
    with subscribe("run-events", settings=settings, stop_at_end=True) as events:
        return [event.value for event in events if event.value.agent_id == agent]


def test_a_run_told_over_http_stands_in_the_log(settings: ConnectionSettings, url: str, keys: dict[str, str]) -> None:
    with RunClient(url, api_key=keys["acme"]) as client:
        with client.run("acme", "sdk-1") as run:
            for _ in range(300):
                run.usage(input_tokens=1, cost_usd="0.0001", traces=[{"tool": "t"}])
        client.flush()
        assert client.stats() == Stats(sent=302, acknowledged=302)
    told = events_of(settings, "sdk-1")
    assert Counter(type(event).__name__ for event in told) == {"RunStarted": 1, "UsageReported": 300, "RunEnded": 1}
    assert {(event.project_key, event.run_id) for event in told} == {("acme", run.run_id)}


async def test_asyncio_over_http(settings: ConnectionSettings, url: str, keys: dict[str, str]) -> None:
    async with AsyncRunClient(url, api_key=keys["acme"]) as client:
        async with client.run("acme", "sdk-2") as run:
            await run.usage(input_tokens=1)
        await client.flush()
    assert len(events_of(settings, "sdk-2")) == 3


def test_an_event_of_another_project_is_refused_and_the_others_go_on(
    settings: ConnectionSettings, url: str, keys: dict[str, str]
) -> None:
    with RunClient(url, api_key=keys["acme"]) as client:
        client.record_run("acme", "sdk-3", "mine")
        client.record_run("other", "sdk-3", "theirs", event_id="theirs")
        with pytest.raises(DeliveryError) as failed:
            client.flush()
        assert [(lost.event_id, lost.reason) for lost in failed.value.undelivered] == [
            ("theirs", "the gateway answered 403")
        ]
        assert client.stats() == Stats(sent=2, acknowledged=1, refused=1)
    assert [event.project_key for event in events_of(settings, "sdk-3")] == ["acme"]


@pytest.mark.parametrize("key", ["rl.0123456789abcdef.wrong", None])
def test_a_key_that_is_wrong_or_missing_is_said(url: str, key: str | None) -> None:
    with RunClient(url, api_key=key) as client:
        client.record_run("acme", "sdk-4", "never")
        with pytest.raises(DeliveryError, match="answered 401"):
            client.flush()


def test_a_spool_waits_for_a_key_that_works(
    settings: ConnectionSettings, url: str, keys: dict[str, str], tmp_path: Path
) -> None:
    quick = ProducerSettings(spool_after_seconds=1, flush_timeout_seconds=1)
    with RunClient(url, api_key="rl.0123456789abcdef.wrong", spool=tmp_path / "spool", settings=quick) as client:
        client.record_run("acme", "sdk-5", "later")
    assert client.stats().waiting_in_spool == 1
    with RunClient(url, api_key=keys["acme"], spool=tmp_path / "spool") as client:
        client.flush(20)
    assert len(events_of(settings, "sdk-5")) == 1
