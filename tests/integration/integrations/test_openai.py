from __future__ import annotations

import asyncio
import gc
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI, OpenAI

from runledger.integrations.openai import track
from runledger.producers import AsyncRunClient, RunClient
from runledger.producers.async_client import plain_client
from runledger.schemas.run_events import AnyRunEvent, FailureRecorded, RunEnded, RunStarted, UsageReported
from runledger.schemas.settings import ConnectionSettings
from runledger.schemas.usage import TokenUsage
from tests.integration.integrations.model_answers import ANSWER, BROKEN_MODEL, REPEATING_MODEL
from tests.integration.integrations.model_server import ModelServer
from tests.integration.producers.events import read_run_events

pytestmark = pytest.mark.integration

MODEL = "gpt-4o-mini"
ASKED: Any = [
    {"role": "system", "content": "be brief"},
    {"role": "user", "content": "what is six times seven"},
]
CHAT = TokenUsage(
    input_tokens=7,
    output_tokens=12,
    total_tokens=19,
    cache_read_tokens=3,
    reasoning_tokens=4,
    llm_calls=1,
    model=MODEL,
    prompt_preview="what is six times seven",
)
RESPONSE = CHAT.model_copy(update={"input_tokens": 5, "total_tokens": 17})
EMBEDDING = TokenUsage(
    input_tokens=2, total_tokens=2, llm_calls=1, model="text-embedding-3-small", prompt_preview="two words"
)
UNCOUNTED = TokenUsage(llm_calls=1, model=MODEL, prompt_preview="what is six times seven")
TEXT = "what is six times seven"

Options = dict[str, Any]


@pytest.fixture
def client(topics: ConnectionSettings) -> Iterator[RunClient]:
    """A client of the test's own topics."""
    with RunClient(kafka=topics.kafka, topic_prefix=topics.topic_prefix) as client:
        yield client


@pytest.fixture
def model_client(server: ModelServer) -> Iterator[OpenAI]:
    """An OpenAI client of the test's own model server."""
    with OpenAI(base_url=server.url, api_key="none", max_retries=0) as model_client:
        yield model_client


def told(topics: ConnectionSettings, client: RunClient) -> list[AnyRunEvent]:
    """Read everything but the starts and ends of the runs around."""
    client.flush()
    return [event for event in read_run_events(topics) if not isinstance(event, (RunStarted, RunEnded))]


def usages(topics: ConnectionSettings, client: RunClient) -> list[TokenUsage]:
    """Read the usage reports."""
    return [event.data.token_usage for event in told(topics, client) if isinstance(event, UsageReported)]


def every_call(model_client: OpenAI) -> list[Any]:
    """Use the client in every way that is reported; give what the caller sees."""
    whole = model_client.chat.completions.create(model=MODEL, messages=ASKED)
    chunks = list(model_client.chat.completions.create(model=MODEL, messages=ASKED, stream=True))
    counted = list(
        model_client.chat.completions.create(
            model=MODEL, messages=ASKED, stream=True, stream_options={"include_usage": True}
        )
    )
    response = model_client.responses.create(model=MODEL, input=TEXT)
    events = list(model_client.responses.create(model=MODEL, input=TEXT, stream=True))
    vectors = model_client.embeddings.create(model="text-embedding-3-small", input="two words")
    return [whole, chunks, counted, response, events, vectors]


async def every_async_call(model_client: AsyncOpenAI) -> list[Any]:
    """Do the same with an asynchronous client."""
    whole = await model_client.chat.completions.create(model=MODEL, messages=ASKED)
    chunks = [
        chunk async for chunk in await model_client.chat.completions.create(model=MODEL, messages=ASKED, stream=True)
    ]
    counted = [
        chunk
        async for chunk in await model_client.chat.completions.create(
            model=MODEL, messages=ASKED, stream=True, stream_options={"include_usage": True}
        )
    ]
    response = await model_client.responses.create(model=MODEL, input=TEXT)
    events = [event async for event in await model_client.responses.create(model=MODEL, input=TEXT, stream=True)]
    vectors = await model_client.embeddings.create(model="text-embedding-3-small", input="two words")
    return [whole, chunks, counted, response, events, vectors]


def shape(seen: list[Any]) -> list[Any]:
    """Reduce what a caller sees to what two equal calls have in common."""
    unlike = {"id"}
    parts = [part if isinstance(part, list) else [part] for part in seen]
    return [[(type(item), _without(item.to_dict(), unlike)) for item in part] for part in parts]


def _without(value: Any, names: set[str]) -> Any:  # noqa: ANN401  # any JSON value
    if isinstance(value, dict):
        return {name: _without(item, names) for name, item in value.items() if name not in names}
    return [_without(item, names) for item in value] if isinstance(value, list) else value


def test_each_way_of_calling_is_reported_to_the_current_run(
    topics: ConnectionSettings, client: RunClient, model_client: OpenAI
) -> None:
    track(model_client, client)
    with client.run("acme", "sage") as run:
        every_call(model_client)
    events = told(topics, client)
    assert {(event.project_key, event.run_id, event.agent_id) for event in events} == {("acme", run.run_id, "sage")}
    assert usages(topics, client) == [CHAT, UNCOUNTED, CHAT, RESPONSE, RESPONSE, EMBEDDING]


async def test_an_async_client_has_equal_results(topics: ConnectionSettings, server: ModelServer) -> None:
    async with (
        AsyncRunClient(kafka=topics.kafka, topic_prefix=topics.topic_prefix) as client,
        AsyncOpenAI(base_url=server.url, api_key="none", max_retries=0) as model_client,
    ):
        untracked = await every_async_call(model_client)
        track(model_client, client)
        async with client.run("acme", "sage") as run:
            tracked = await every_async_call(model_client)
        await client.flush()
        assert shape(tracked) == shape(untracked)
        events = await asyncio.to_thread(told, topics, plain_client(client))
        assert {(event.run_id, event.agent_id) for event in events} == {(run.run_id, "sage")}
        reported = await asyncio.to_thread(usages, topics, plain_client(client))
        assert reported == [CHAT, UNCOUNTED, CHAT, RESPONSE, RESPONSE, EMBEDDING]


def test_the_caller_sees_what_it_saw_before(client: RunClient, model_client: OpenAI, server: ModelServer) -> None:
    untracked = every_call(model_client)
    asked = list(server.requests)
    server.requests.clear()
    assert track(model_client, client) is model_client
    assert shape(every_call(model_client)) == shape(untracked)
    assert server.requests == asked
    stream = model_client.chat.completions.create(model=MODEL, messages=ASKED, stream=True)
    assert isinstance(stream, openai.Stream)
    with stream:
        assert stream.response.status_code == 200


def test_usage_is_asked_for_without_showing_it(
    topics: ConnectionSettings, client: RunClient, model_client: OpenAI, server: ModelServer
) -> None:
    plain = list(model_client.chat.completions.create(model=MODEL, messages=ASKED, stream=True))
    track(model_client, client, ask_for_usage=True)
    with client.run("acme", "sage"):
        stream = model_client.chat.completions.create(model=MODEL, messages=ASKED, stream=True)
        assert len(list(stream)) == len(plain)
        list(
            model_client.chat.completions.create(
                model=MODEL, messages=ASKED, stream=True, stream_options={"include_usage": False}
            )
        )
    assert usages(topics, client) == [CHAT, UNCOUNTED]
    assert server.requests[-1][1]["stream_options"] == {"include_usage": False}


def test_helpers_that_stream_and_parse_are_reported_once(
    topics: ConnectionSettings, client: RunClient, model_client: OpenAI
) -> None:
    track(model_client, client, ask_for_usage=True)
    with client.run("acme", "sage"):
        with model_client.chat.completions.stream(model=MODEL, messages=ASKED) as events:
            assert [event.type for event in events][-1] == "content.done"
        with model_client.responses.stream(model=MODEL, input=TEXT) as response_events:
            assert response_events.get_final_response().output_text == ANSWER
        model_client.chat.completions.parse(model=MODEL, messages=ASKED)
        model_client.responses.parse(model=MODEL, input=TEXT)
        raw = model_client.chat.completions.with_raw_response.create(model=MODEL, messages=ASKED)
        assert raw.headers["x-request-id"] == "req_1"
        assert raw.parse().choices[0].message.content == ANSWER
        with model_client.chat.completions.with_streaming_response.create(model=MODEL, messages=ASKED) as unread:
            assert ANSWER in unread.read().decode()
    assert usages(topics, client) == [CHAT, RESPONSE, CHAT, RESPONSE, CHAT, UNCOUNTED]


def test_tool_calls_are_reported(topics: ConnectionSettings, client: RunClient, model_client: OpenAI) -> None:
    track(model_client, client)
    tools: Any = [{"type": "function", "function": {"name": "multiply", "parameters": {}}}]
    with client.run("acme", "sage"):
        answer = model_client.chat.completions.create(model=MODEL, messages=ASKED, tools=tools)
    assert answer.choices[0].finish_reason == "tool_calls"
    assert usages(topics, client) == [CHAT]


@pytest.mark.parametrize(
    ("status", "error"),
    [(401, openai.AuthenticationError), (429, openai.RateLimitError), (500, openai.InternalServerError)],
)
def test_a_failed_call_is_a_failure_and_raises_as_ever(
    status: int, error: type[Exception], topics: ConnectionSettings, client: RunClient, model_client: OpenAI
) -> None:
    track(model_client, client)

    def work() -> None:
        with client.run("acme", "sage"):
            model_client.chat.completions.create(model=f"fails-{status}", messages=ASKED)

    with pytest.raises(error):
        work()
    (failure,) = told(topics, client)
    assert isinstance(failure, FailureRecorded), "once: the run that it leaves does not record it again"
    assert f"refused with {status}" in failure.data.summary
    assert failure.data.context == {"model": f"fails-{status}", "call": "chat completion", "library": "openai"}
    ended = read_run_events(topics)[-1]
    assert isinstance(ended, RunEnded)
    assert ended.data.status == "failed"


def test_a_response_that_fails_on_the_way_is_a_failure(
    topics: ConnectionSettings, client: RunClient, model_client: OpenAI
) -> None:
    track(model_client, client)
    with client.run("acme", "sage"):
        list(model_client.responses.create(model=BROKEN_MODEL, input=TEXT, stream=True))
    (failure,) = told(topics, client)
    assert isinstance(failure, FailureRecorded)
    assert failure.data.summary.endswith("server_error: the model broke off")


def _close(stream: openai.Stream[Any]) -> None:
    next(stream)
    stream.close()


def _drop(stream: openai.Stream[Any]) -> None:
    next(iter(stream))


@pytest.mark.parametrize("leave", [_close, _drop])
def test_a_stream_that_is_left_is_a_call_of_unknown_usage(
    leave: Callable[[openai.Stream[Any]], None], topics: ConnectionSettings, client: RunClient, model_client: OpenAI
) -> None:
    track(model_client, client)
    with client.run("acme", "sage"):
        leave(model_client.chat.completions.create(model=MODEL, messages=ASKED, stream=True))
        gc.collect()
    assert usages(topics, client) == [UNCOUNTED]


def test_a_call_outside_of_any_run_is_a_run_of_its_own(
    topics: ConnectionSettings, client: RunClient, model_client: OpenAI
) -> None:
    track(model_client, client, project="acme", agent="helper")
    model_client.chat.completions.create(model=MODEL, messages=ASKED)
    with pytest.raises(openai.AuthenticationError):
        model_client.chat.completions.create(model="fails-401", messages=ASKED)
    client.flush()
    by_run: dict[object, list[AnyRunEvent]] = {}
    for event in read_run_events(topics):
        by_run.setdefault(event.run_id, []).append(event)
        assert (event.project_key, event.agent_id) == ("acme", "helper")
    kinds = sorted([type(event).__name__ for event in events] for events in by_run.values())
    assert kinds == [["RunStarted", "FailureRecorded", "RunEnded"], ["RunStarted", "UsageReported", "RunEnded"]]
    statuses = {event.data.status for events in by_run.values() for event in events if isinstance(event, RunEnded)}
    assert statuses == {"completed", "failed"}


def test_a_run_can_be_named(topics: ConnectionSettings, client: RunClient, model_client: OpenAI) -> None:
    run = client.start_run("acme", "sage")
    track(model_client, client, run)
    with client.run("acme", "another"):
        model_client.chat.completions.create(model=MODEL, messages=ASKED)
    run.end()
    (usage,) = told(topics, client)
    assert (usage.run_id, usage.agent_id) == (run.run_id, "sage")


def test_tracking_twice_and_repeated_answers_have_the_same_event_id(
    topics: ConnectionSettings, client: RunClient, model_client: OpenAI
) -> None:
    track(track(model_client, client), client)
    with client.run("acme", "sage"):
        model_client.chat.completions.create(model=MODEL, messages=ASKED)
    assert len(told(topics, client)) == 1
    with client.run("acme", "sage") as run:
        for _ in range(2):
            model_client.chat.completions.create(model=REPEATING_MODEL, messages=ASKED)
    repeated = [event.event_id for event in told(topics, client) if event.run_id == run.run_id]
    assert len(repeated) == 2
    assert len(set(repeated)) == 1


def test_a_secret_in_a_prompt_never_reaches_the_topic(
    topics: ConnectionSettings, client: RunClient, model_client: OpenAI
) -> None:
    track(model_client, client)
    secret = "sk-proj-Zx81mQpL0vRt56YbNc27KdWe93HsUa"  # noqa: S105  # planted
    with client.run("acme", "sage"):
        model_client.responses.create(model=MODEL, input=f"my key is {secret}")
    (usage,) = usages(topics, client)
    assert usage.prompt_preview is not None
    assert usage.prompt_preview.startswith("my key is [masked:")
    assert all(secret not in repr(event) for event in read_run_events(topics))


def test_previews_can_be_left_out(topics: ConnectionSettings, client: RunClient, model_client: OpenAI) -> None:
    track(model_client, client, previews=False)
    with client.run("acme", "sage"):
        model_client.responses.create(model=MODEL, input=TEXT)
    assert usages(topics, client) == [RESPONSE.model_copy(update={"prompt_preview": None})]


async def test_concurrent_tasks_report_to_their_own_runs(topics: ConnectionSettings, server: ModelServer) -> None:
    async with (
        AsyncRunClient(kafka=topics.kafka, topic_prefix=topics.topic_prefix) as client,
        AsyncOpenAI(base_url=server.url, api_key="none", max_retries=0) as model_client,
    ):
        track(model_client, client)

        async def work(agent: str) -> None:
            async with client.run("acme", agent):
                await model_client.responses.create(model=MODEL, input=agent)

        work_of: Callable[[str], Awaitable[None]] = work
        await asyncio.gather(*(work_of(f"agent-{number}") for number in range(5)))
        events = await asyncio.to_thread(told, topics, plain_client(client))
    seen = {
        (event.agent_id, event.data.token_usage.prompt_preview) for event in events if isinstance(event, UsageReported)
    }
    assert seen == {(f"agent-{number}", f"agent-{number}") for number in range(5)}


def test_threads_at_once_report_to_their_own_runs(
    topics: ConnectionSettings, client: RunClient, model_client: OpenAI
) -> None:
    track(model_client, client)
    together = threading.Barrier(5)

    def work(agent: str) -> None:
        with client.run("acme", agent):
            together.wait(30)
            model_client.responses.create(model=MODEL, input=agent)
            list(model_client.responses.create(model=MODEL, input=agent, stream=True))

    with ThreadPoolExecutor(5) as pool:
        list(pool.map(work, [f"agent-{number}" for number in range(5)]))
    seen = [
        (event.agent_id, event.data.token_usage.prompt_preview)
        for event in told(topics, client)
        if isinstance(event, UsageReported)
    ]
    assert sorted(seen) == sorted([(f"agent-{number}", f"agent-{number}") for number in range(5)] * 2)


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "stream"])
async def test_a_cancelled_call_is_a_call_of_unknown_usage(streamed: bool, topics: ConnectionSettings) -> None:
    async with AsyncRunClient(kafka=topics.kafka, topic_prefix=topics.topic_prefix) as client:
        with socket.create_server(("127.0.0.1", 0)) as silent:
            url = f"http://127.0.0.1:{silent.getsockname()[1]}/v1"
            async with AsyncOpenAI(base_url=url, api_key="none", max_retries=0) as model_client:
                track(model_client, client)
                options: Options = {"model": MODEL, "messages": ASKED, "stream": streamed}
                async with client.run("acme", "sage"):
                    with pytest.raises(TimeoutError):
                        await asyncio.wait_for(model_client.chat.completions.create(**options), 0.2)
        assert await asyncio.to_thread(usages, topics, plain_client(client)) == [UNCOUNTED]


async def _begin_and_say_no_more(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
    await writer.drain()
    await reader.read()
    writer.close()


async def test_a_stream_that_is_cancelled_is_a_call_of_unknown_usage(topics: ConnectionSettings) -> None:
    serving = await asyncio.start_server(_begin_and_say_no_more, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{serving.sockets[0].getsockname()[1]}/v1"
    async with (
        serving,
        AsyncRunClient(kafka=topics.kafka, topic_prefix=topics.topic_prefix) as client,
        AsyncOpenAI(base_url=url, api_key="none", max_retries=0) as model_client,
    ):
        track(model_client, client)
        async with client.run("acme", "sage"):
            stream = await model_client.chat.completions.create(model=MODEL, messages=ASKED, stream=True)
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(anext(stream), 0.2)
            reported = await asyncio.to_thread(usages, topics, plain_client(client))
        assert reported == [UNCOUNTED], "told before the stream is dropped"


def test_a_closed_client_does_not_disturb_the_program(
    client: RunClient, model_client: OpenAI, caplog: pytest.LogCaptureFixture
) -> None:
    track(model_client, client)
    client.close()
    assert model_client.responses.create(model=MODEL, input=TEXT).output_text == ANSWER
    assert caplog.messages == ["a model call was not reported: ClosedError"]


def test_an_absent_broker_does_not_make_a_call_wait(model_client: OpenAI) -> None:
    with RunClient("127.0.0.1:1") as away:
        track(model_client, away, project="acme")
        assert model_client.responses.create(model=MODEL, input=TEXT).output_text == ANSWER
        assert away.stats().sent == 3
        away.close(0)


def test_costs_are_left_to_the_ledger(topics: ConnectionSettings, client: RunClient, model_client: OpenAI) -> None:
    track(model_client, client)
    with client.run("acme", "sage"):
        model_client.responses.create(model=MODEL, input=TEXT)
    assert [usage.cost_usd for usage in usages(topics, client)] == [None]
