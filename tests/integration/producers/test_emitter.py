from __future__ import annotations

import asyncio
import socket
import time

import pytest

from runledger.access.keys import Principal
from runledger.producers.doors import Emitter, LogRun, RecordRun, log_run, record_run
from runledger.producers.settings import ProducerSettings
from runledger.schemas.run_events import AnyRunEvent
from runledger.schemas.settings import ConnectionSettings
from tests.integration.producers.events import read_run_events

pytestmark = pytest.mark.integration
PRINCIPAL = Principal("acme", frozenset({"emit"}))


def recorded(event_id: str) -> AnyRunEvent:
    return record_run(PRINCIPAL, RecordRun(agent="a", summary="s"), event_id).event


async def test_what_is_said_to_be_delivered_stands_in_the_log(topics: ConnectionSettings) -> None:
    events = [recorded(str(number)) for number in range(50)]
    async with Emitter(ProducerSettings(kafka=topics.kafka, topic_prefix=topics.topic_prefix)) as emitter:
        emissions = await emitter.emit_all(events)
    assert {emission.outcome for emission in emissions} == {"delivered"}
    assert {event.event_id for event in read_run_events(topics)} == {event.event_id for event in events}


async def test_nothing_to_emit_is_nothing_emitted(topics: ConnectionSettings) -> None:
    async with Emitter(ProducerSettings(kafka=topics.kafka, topic_prefix=topics.topic_prefix)) as emitter:
        assert await emitter.emit_all([]) == []


async def test_an_outcome_is_unknown_after_the_bounded_wait() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        settings = ProducerSettings(kafka=f"127.0.0.1:{bound.getsockname()[1]}", flush_timeout_seconds=0)
        async with Emitter(settings) as emitter:
            began = time.monotonic()
            emission = await emitter.emit(recorded("e"), within_seconds=0.3)
            assert 0.3 <= time.monotonic() - began < 10  # the client itself would wait for minutes
    assert emission.outcome == "unknown"


async def test_a_full_queue_is_refused_at_once_and_never_stops_the_loop() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{bound.getsockname()[1]}"
        settings = ProducerSettings(kafka=address, queue_events=1, flush_timeout_seconds=0)
        async with Emitter(settings) as emitter:
            first = asyncio.create_task(emitter.emit(recorded("1"), within_seconds=1))
            await asyncio.sleep(0)
            began = time.monotonic()
            second = await emitter.emit(recorded("2"), within_seconds=60)
            assert time.monotonic() - began < 20
            assert (await first).outcome == "unknown"
    assert second.outcome == "refused"
    assert not second.too_large


async def test_an_event_beyond_the_topics_bound_is_refused_for_its_size(topics: ConnectionSettings) -> None:
    async with Emitter(ProducerSettings(kafka=topics.kafka, topic_prefix=topics.topic_prefix)) as emitter:
        emission = await emitter.emit(_large())
    assert (emission.outcome, emission.too_large) == ("refused", True)


def _large() -> AnyRunEvent:
    event = recorded("e")
    return event.model_copy(update={"data": event.data.model_copy(update={"summary": "x" * 901_000})})


async def test_other_calls_go_on_while_a_large_event_is_masked() -> None:
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            ticks += 1
            await asyncio.sleep(0)

    log = LogRun(agent_id="a", status="success", actions_taken={"text": "password=hunter22 a@b.co " * 10_000})
    settings = ProducerSettings(kafka="127.0.0.1:1", flush_timeout_seconds=0)
    async with Emitter(settings) as emitter:
        ticking = asyncio.create_task(tick())
        emission = await emitter.emit(log_run(PRINCIPAL, log).event, within_seconds=0)
        ticking.cancel()
    assert emission.outcome == "unknown"
    assert ticks > 20


async def test_other_calls_go_on_while_very_many_events_are_handed_over(topics: ConnectionSettings) -> None:
    """The loop's own work between two turns is a small part of it all, in processor time: load changes that little."""
    longest = 0.0

    async def tick() -> None:
        nonlocal longest
        while True:
            began = time.thread_time()
            await asyncio.sleep(0)
            longest = max(longest, time.thread_time() - began)

    events = [recorded(str(number)) for number in range(20_000)]
    async with Emitter(ProducerSettings(kafka=topics.kafka, topic_prefix=topics.topic_prefix)) as emitter:
        ticking = asyncio.create_task(tick())
        began = time.process_time()
        emissions = await emitter.emit_all(events, within_seconds=60)
        took = time.process_time() - began
        ticking.cancel()
    assert {emission.outcome for emission in emissions} == {"delivered"}
    assert longest < took / 4
