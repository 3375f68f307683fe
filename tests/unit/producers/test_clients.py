"""Both clients, side by side."""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Any
from uuid import UUID

import pytest

from runledger import (
    AsyncRun,
    AsyncRunClient,
    ClosedError,
    DeliveryError,
    InvalidEventError,
    ProducerSettings,
    QueueFullError,
    Run,
    RunClient,
    RunEndedError,
    Stats,
)
from runledger.producers.building import build
from runledger.schemas.run_events import RunHeartbeat
from tests.unit.producers.receiving import Gateway, gateway

PAIRS = [(RunClient, AsyncRunClient), (Run, AsyncRun)]


@pytest.fixture
def served() -> Iterator[Gateway]:
    """A gateway that takes everything."""
    with gateway() as served:
        yield served


@pytest.fixture
def client(served: Gateway) -> Iterator[RunClient]:
    """A client of it."""
    with RunClient(served.url) as client:
        yield client


@pytest.fixture
async def aclient(served: Gateway) -> AsyncIterator[AsyncRunClient]:
    """An async client of it."""
    async with AsyncRunClient(served.url) as client:
        yield client


def public(cls: type) -> dict[str, Any]:
    return {name: member for name, member in inspect.getmembers(cls) if not name.startswith("_")}


def short(event: dict[str, Any]) -> str:
    return str(event["type"]).removeprefix("runledger.").removesuffix(".v1")


def parents(served: Gateway) -> dict[str, str | None]:
    """Summary of each run started: its parent."""
    return {
        event["data"]["summary"]: event["data"].get("parent_run_id")
        for event in served.events
        if short(event) == "run.started"
    }


@pytest.mark.parametrize(("sync", "asynchronous"), PAIRS)
def test_both_have_the_same_names_arguments_and_docstrings(sync: type, asynchronous: type) -> None:
    ours, theirs = public(sync), public(asynchronous)
    assert ours.keys() == theirs.keys()
    for name, member in ours.items():
        assert member.__doc__, name
        assert theirs[name].__doc__, name
        if callable(member):
            assert inspect.signature(member).parameters.keys() == inspect.signature(theirs[name]).parameters.keys()


async def test_both_tell_the_same(served: Gateway, client: RunClient, aclient: AsyncRunClient) -> None:
    with client.run("acme", "sage", summary="s", task_id="t", run_id=UUID(int=1), event_id="start") as run:
        run.usage(input_tokens=1, traces=[{"a": 1}], event_id="usage")
        run.failure("f", error="e", event_id="failure")
        run.heartbeat(event_id="beat")
        run.end("completed", summary="done", output_tokens=2, event_id="end")
    client.report_usage("acme", UUID(int=1), input_tokens=3, event_id="u")
    client.record_run("acme", "sage", "did", ticket="T-1", event_id="r")
    client.log_run("sage", "partial", {"n": 1}, event_id="l")
    client.flush()
    told, served.requests[:] = served.events, []
    assert [event["data"]["task_id"] for event in told if short(event) == "failure.recorded"] == ["t"]
    async with aclient.run("acme", "sage", summary="s", task_id="t", run_id=UUID(int=1), event_id="start") as arun:
        await arun.usage(input_tokens=1, traces=[{"a": 1}], event_id="usage")
        await arun.failure("f", error="e", event_id="failure")
        await arun.heartbeat(event_id="beat")
        await arun.end("completed", summary="done", output_tokens=2, event_id="end")
    await aclient.report_usage("acme", UUID(int=1), input_tokens=3, event_id="u")
    await aclient.record_run("acme", "sage", "did", ticket="T-1", event_id="r")
    await aclient.log_run("sage", "partial", {"n": 1}, event_id="l")
    await aclient.flush()
    assert [{**event, "time": ""} for event in served.events] == [{**event, "time": ""} for event in told]
    assert aclient.stats() == client.stats() == Stats(sent=8, acknowledged=8)
    assert run.run_id == arun.run_id == UUID(int=1)
    assert (run.project, run.agent, run.ended) == (arun.project, arun.agent, arun.ended) == ("acme", "sage", True)


async def test_a_cancelled_task_interrupts_its_run(served: Gateway, aclient: AsyncRunClient) -> None:
    inside = asyncio.Event()

    async def work() -> None:
        async with aclient.run("acme", "sage"):
            inside.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(work())
    await inside.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await aclient.flush()
    assert served.events[-1]["data"]["status"] == "interrupted"
    assert served.events[-1]["data"]["meta"] == {"summary_is": "error"}


async def test_an_exception_fails_an_async_run_and_goes_on(served: Gateway, aclient: AsyncRunClient) -> None:
    with pytest.raises(ZeroDivisionError):
        async with aclient.run("acme", "sage"):
            1 / 0  # noqa: B018  # computed for its error
    await aclient.flush()
    assert [short(event) for event in served.events] == ["run.started", "failure.recorded", "run.ended"]


async def test_the_callers_mistakes_are_raised_at_the_call(aclient: AsyncRunClient) -> None:
    run = await aclient.start_run("acme", "sage")
    with pytest.raises(InvalidEventError, match="summary"):
        await run.end(summary="x" * 2001)
    await run.end()
    with pytest.raises(RunEndedError):
        await run.heartbeat()
    await aclient.close()
    with pytest.raises(ClosedError):
        await aclient.log_run("sage", "success")


async def test_a_strict_async_client_leaves_the_loop_free(dead_port: str) -> None:
    settings = ProducerSettings(queue_events=2, queue_wait_seconds=0.2)
    client = AsyncRunClient(dead_port, strict=True, settings=settings)
    await client.log_run("sage", "success")
    await client.publish(build(RunHeartbeat, {}, project="acme", run_id=UUID(int=1)))
    assert client.stats().pending == 2
    with pytest.raises(QueueFullError):
        await client.log_run("sage", "success")
    with pytest.raises(DeliveryError, match="2 events not delivered"):
        await client.close(0)


async def test_other_tasks_go_on_while_a_large_event_is_masked(served: Gateway, aclient: AsyncRunClient) -> None:
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            ticks += 1
            await asyncio.sleep(0)

    ticking = asyncio.create_task(tick())
    await aclient.log_run("sage", "success", {"text": "password=hunter22 a@b.co " * 10_000})
    ticking.cancel()
    assert ticks > 20
    await aclient.flush()
    assert len(served.events) == 1


def test_runs_inside_a_run_are_its_children(served: Gateway, client: RunClient) -> None:
    with client.run("acme", "lead", summary="outer") as outer:
        with client.run("acme", "sage", summary="inner") as inner:
            client.start_run("acme", "scout", summary="innermost")
        client.start_run("acme", "sage", summary="second")
        client.start_run("acme", "sage", summary="chosen", parent_run_id=UUID(int=9))
        client.start_run("acme", "sage", summary="none", parent_run_id=None)
        client.start_run("other", "sage", summary="elsewhere")
    client.start_run("acme", "sage", summary="after")
    client.flush()
    assert parents(served) == {
        "outer": None,
        "inner": str(outer.run_id),
        "innermost": str(inner.run_id),
        "second": str(outer.run_id),
        "chosen": str(UUID(int=9)),
        "none": None,
        "elsewhere": None,
        "after": None,
    }


async def test_tasks_have_their_own_current_run(served: Gateway, aclient: AsyncRunClient) -> None:
    async def work(name: str) -> UUID:
        async with aclient.run("acme", "sage", summary=name) as run:
            await asyncio.sleep(0)
            async with aclient.run("acme", "scout", summary=f"{name} child"):
                await asyncio.sleep(0)
            return run.run_id

    async with aclient.run("acme", "lead", summary="lead") as lead:
        ids = await asyncio.gather(*(work(f"task {number}") for number in range(5)))
    await aclient.flush()
    told = parents(served)
    assert {told[f"task {number}"] for number in range(5)} == {str(lead.run_id)}
    assert [told[f"task {number} child"] for number in range(5)] == [str(run_id) for run_id in ids]


def test_another_thread_is_another_story(served: Gateway, client: RunClient) -> None:
    with client.run("acme", "lead", summary="outer"):
        thread = threading.Thread(target=client.start_run, args=("acme", "sage"), kwargs={"summary": "thread"})
        thread.start()
        thread.join()
    client.flush()
    assert parents(served)["thread"] is None


def test_a_tracked_function_is_a_run(served: Gateway, client: RunClient) -> None:
    @client.track("acme", "sage", summary="adds", meta={"m": 1}, task_id="t")
    def add(a: int, b: int = 2) -> int:
        """Add."""
        run = client.current_run()
        assert run is not None
        run.usage(input_tokens=a)
        return a + b

    assert (add(1), add(a=3, b=4)) == (3, 7)
    assert (add.__name__, add.__doc__) == ("add", "Add.")
    assert client.current_run() is None
    client.flush()
    kinds = ["run.started", "usage.reported", "run.ended"]
    assert [short(event) for event in served.events] == kinds * 2
    assert len({event["subject"] for event in served.events}) == 2
    assert served.events[0]["data"] == {"summary": "adds", "meta": {"m": 1}, "task_id": "t"}


def test_a_tracked_function_that_raises_fails_its_run(served: Gateway, client: RunClient) -> None:
    @client.track("acme", "sage")
    def fail() -> None:
        raise LookupError("nothing there")

    with pytest.raises(LookupError):
        fail()
    client.flush()
    ended = served.events[-1]["data"]
    assert ended["status"] == "failed"
    # The text of an error, and marked so: public cards leave it out.
    assert (ended["summary"], ended["meta"]) == ("LookupError: nothing there", {"summary_is": "error"})


async def test_async_functions_are_tracked_by_either_client(
    served: Gateway, client: RunClient, aclient: AsyncRunClient
) -> None:
    @client.track("acme", "one")
    async def one() -> str:
        await asyncio.sleep(0)
        return "one"

    @aclient.track("acme", "two")
    async def two() -> str:
        run = aclient.current_run()
        assert run is not None
        await run.end(summary="by hand")
        return "two"

    @aclient.track("acme", "three")
    def three() -> str:
        return "three"

    assert (await one(), await two(), three()) == ("one", "two", "three")
    client.flush()
    await aclient.flush()
    assert sorted(event["agentid"] for event in served.events if short(event) == "run.ended") == ["one", "three", "two"]


def test_a_generator_cannot_be_tracked(client: RunClient) -> None:
    def steps() -> Iterator[int]:
        yield 1

    with pytest.raises(TypeError, match="is a generator"):
        client.track("acme", "sage")(steps)
