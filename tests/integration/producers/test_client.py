from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import pytest
from aiokafka.partitioner import murmur2

from runledger.producers import InvalidEventError, RunClient, RunEndedError
from runledger.schemas.identifiers import run_key
from runledger.schemas.run_events import (
    FailureRecorded,
    RunEnded,
    RunHeartbeat,
    RunLogged,
    RunRecorded,
    RunStarted,
    UsageReported,
)
from runledger.schemas.settings import ConnectionSettings
from tests.integration.producers.events import read_records, read_run_events

pytestmark = pytest.mark.integration
AT = datetime(2026, 3, 2, 9, tzinfo=UTC)


def java_partition(key: bytes, partitions: int) -> int:
    """Where Java, Kafka Streams and Faust put a key: reckoned by aiokafka's own code."""
    hashed: int = murmur2(key)  # type: ignore[no-untyped-call]  # aiokafka has no types
    return (hashed & 0x7FFFFFFF) % partitions


@pytest.fixture
def client(topics: ConnectionSettings) -> Iterator[RunClient]:
    """A client of the test's own topics, closed at the end."""
    with RunClient(kafka=topics.kafka, topic_prefix=topics.topic_prefix) as client:
        yield client


def test_a_run_is_told_from_start_to_end(topics: ConnectionSettings, client: RunClient) -> None:
    with client.run("acme", "sage", summary="s", meta={"a": 1}, parent_run_id=UUID(int=9), task_id="t") as run:
        run.usage(input_tokens=8400, output_tokens=1200, cost_usd=0.028, model="m", llm_calls=3, traces=[{"n": 1}])
        run.failure("f", error="e", context={"c": 1}, task_id="t", meta={"m": 1})
        run.heartbeat()
        run.end(summary="done", meta={"b": 2}, input_tokens=12400, cost_usd="0.042")
    client.flush()
    started, usage, failure, heartbeat, ended = read_run_events(topics)
    assert isinstance(started, RunStarted)
    assert (started.data.summary, started.data.parent_run_id, started.data.task_id) == ("s", UUID(int=9), "t")
    assert isinstance(usage, UsageReported)
    assert usage.data.token_usage.cost_usd == Decimal("0.028")
    assert usage.data.traces == [{"n": 1}]
    assert isinstance(failure, FailureRecorded)
    assert (failure.data.summary, failure.data.error, failure.data.detached) == ("f", "e", False)
    assert isinstance(heartbeat, RunHeartbeat)
    assert isinstance(ended, RunEnded)
    assert (ended.data.status, ended.data.summary, ended.data.meta) == ("completed", "done", {"b": 2})
    assert ended.data.token_usage is not None
    assert ended.data.token_usage.input_tokens == 12400
    for event in (started, usage, failure, heartbeat, ended):
        assert (event.project_key, event.run_id, event.agent_id) == ("acme", run.run_id, "sage")


def test_records_carry_key_headers_and_the_partition_others_expect(
    topics: ConnectionSettings, client: RunClient
) -> None:
    ids = {client.log_run("sage", "success", event_id=f"event-{number}"): number for number in range(40)}
    client.flush()
    records = read_records(topics)
    assert len(records) == 40
    for record in records:
        key = record.key()
        assert isinstance(key, bytes)
        run_id = UUID(key.decode().removeprefix("default/"))
        assert record.headers() == [
            ("ce_id", f"event-{ids[run_id]}".encode()),
            ("content-type", b"application/cloudevents+json; charset=UTF-8"),
        ]
        assert key == run_key("default", run_id)
        assert record.partition() == java_partition(key, topics.partitions)
    assert len({record.partition() for record in records}) == topics.partitions


def test_a_block_left_without_an_end_completes_the_run(topics: ConnectionSettings, client: RunClient) -> None:
    with client.run("default", "sage"):
        pass
    client.flush()
    ended = read_run_events(topics)[-1]
    assert isinstance(ended, RunEnded)
    assert (ended.data.status, ended.data.summary, ended.data.token_usage) == ("completed", None, None)


def test_an_exception_fails_the_run_and_goes_on(topics: ConnectionSettings, client: RunClient) -> None:
    with pytest.raises(ZeroDivisionError) as raised, client.run("default", "sage"):
        1 / 0  # noqa: B018  # computed for its error
    client.flush()
    _, failure, ended = read_run_events(topics)
    assert isinstance(failure, FailureRecorded)
    assert failure.data.summary == "ZeroDivisionError: division by zero"
    assert failure.data.error is not None
    assert failure.data.error.endswith("ZeroDivisionError: division by zero\n")
    assert isinstance(ended, RunEnded)
    assert ended.data.status == "failed"
    assert not hasattr(raised.value, "__notes__")


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, asyncio.CancelledError])
def test_an_interruption_interrupts_the_run(
    topics: ConnectionSettings, client: RunClient, error: type[BaseException]
) -> None:
    with pytest.raises(error), client.run("default", "sage"):
        raise error
    client.flush()
    _, ended = read_run_events(topics)
    assert isinstance(ended, RunEnded)
    assert ended.data.status == "interrupted"
    assert (ended.data.summary or "").endswith(error.__qualname__)


def test_an_exception_after_the_end_changes_nothing(topics: ConnectionSettings, client: RunClient) -> None:
    def work() -> None:
        with client.run("default", "sage") as run:
            run.end("interrupted")
            raise ValueError("late")

    with pytest.raises(ValueError, match="late"):
        work()
    client.flush()
    assert [type(event).__name__ for event in read_run_events(topics)] == ["RunStarted", "RunEnded"]


def test_an_end_that_cannot_be_told_is_noted_on_the_exception(client: RunClient) -> None:
    def work() -> None:
        with client.run("default", "sage", run_id=UUID(int=5)):
            client.close()
            raise ValueError("the real one")

    with pytest.raises(ValueError, match="the real one") as raised:
        work()
    assert raised.value.__notes__ == [f"Runledger could not record the end of run {UUID(int=5)}: the client is closed"]


def test_an_ended_run_takes_nothing_more(client: RunClient) -> None:
    run = client.start_run("default", "sage")
    run.end()
    with pytest.raises(RunEndedError):
        run.end()
    with pytest.raises(RunEndedError):
        run.usage(input_tokens=1)
    with pytest.raises(RunEndedError):
        run.failure("f")
    with pytest.raises(RunEndedError):
        run.heartbeat()


def test_a_refused_end_leaves_the_run_open(client: RunClient) -> None:
    run = client.start_run("default", "sage")
    with pytest.raises(InvalidEventError, match="summary"):
        run.end(summary="x" * 2001)
    run.end(summary="x")
    assert run.ended


def test_one_event_runs(topics: ConnectionSettings, client: RunClient) -> None:
    recorded_id = client.record_run("acme", "claude-opus", "did it", ticket="OPR-1", meta={"a": 1}, occurred_at=AT)
    logged_id = client.log_run("sage", "partial", {"summary": "half"}, event_id="mine")
    assert client.log_run("sage", "partial", {"summary": "half"}, event_id="mine") == logged_id
    client.flush()
    events = read_run_events(topics)
    (recorded,) = (event for event in events if isinstance(event, RunRecorded))
    logged = [event for event in events if isinstance(event, RunLogged)]
    assert (recorded.run_id, recorded.data.ticket, recorded.occurred_at) == (recorded_id, "OPR-1", AT)
    assert {(event.project_key, event.run_id, event.event_id) for event in logged} == {("default", logged_id, "mine")}
    assert logged[0].data.actions_taken == {"summary": "half"}


def test_calls_by_run_id_alone(topics: ConnectionSettings, client: RunClient) -> None:
    """As the Run Tools' usage and end do, which name no agent."""
    run_id = UUID(int=77)
    assert client.report_usage("default", run_id, input_tokens=1, event_id="u") == "u"
    assert client.heartbeat("default", run_id, event_id="h") == "h"
    assert client.end_run("default", str(run_id), "failed", event_id="e", occurred_at=AT) == "e"
    client.record_failure("default", "no run", event_id="f")
    client.flush()
    events = {event.event_id: event for event in read_run_events(topics)}
    assert {events[name].run_id for name in "uhe"} == {run_id}
    assert events["e"].agent_id is None
    failure = events["f"]
    assert isinstance(failure, FailureRecorded)
    assert failure.data.detached
