"""LiteLLM as it is, in programs of their own: its threads, its loop and its end of the program are the point."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from textwrap import dedent
from typing import TypeAlias

import pytest

from runledger.schemas.run_events import AnyRunEvent, FailureRecorded, RunEnded, RunStarted, UsageReported
from runledger.schemas.settings import ConnectionSettings
from runledger.schemas.usage import TokenUsage
from tests.integration.integrations.model_server import ModelServer
from tests.integration.integrations.programs import Template, template
from tests.integration.producers.events import read_run_events

pytestmark = [pytest.mark.integration, pytest.mark.slow]

_BEGIN = dedent("""\
    import asyncio

    import litellm

    from runledger import AsyncRunClient, RunClient
    from runledger.integrations.litellm import RunledgerLogger

    MODEL = "openai/gpt-4o-mini"
    ASKED = [{"role": "user", "content": "what is six times seven"}]
    COUNTED = {"stream": True, "stream_options": {"include_usage": True}}
    client = RunClient()
    logger = RunledgerLogger(client, project="acme", agent="helper")
    litellm.callbacks = [logger]
    """)
CHAT = TokenUsage(
    input_tokens=5,
    output_tokens=12,
    total_tokens=17,
    cache_read_tokens=3,
    reasoning_tokens=4,
    llm_calls=1,
    cost_usd=Decimal("0.000007725"),
    model="gpt-4o-mini",
    prompt_preview="what is six times seven",
)
RESPONSE = CHAT.model_copy(
    update={
        "input_tokens": 2,
        "total_tokens": 14,
        "cache_read_tokens": 2,
        "cost_usd": Decimal("0.00000735"),
        "prompt_preview": "hi there",
    }
)
EMBEDDING = TokenUsage(
    input_tokens=2,
    output_tokens=0,
    total_tokens=2,
    llm_calls=1,
    cost_usd=Decimal("0.00000004"),
    model="text-embedding-3-small",
    prompt_preview="a b",
)


Run: TypeAlias = Callable[[str], str]


@pytest.fixture(scope="module")
def forked() -> Iterator[Template]:
    """One process that has imported LiteLLM."""
    with template() as made:
        yield made


@pytest.fixture
def run(forked: Template, topics: ConnectionSettings, server: ModelServer, tmp_path: Path) -> Run:
    """Run a program after the usual beginning; return the last line it printed."""

    def run(program: str) -> str:
        return forked.run(_BEGIN + dedent(program), topics, server, tmp_path).strip().splitlines()[-1]

    return run


def once(topics: ConnectionSettings) -> list[AnyRunEvent]:
    """Read every event once, however often it was told: LiteLLM delivers some callbacks twice."""
    seen: dict[tuple[object, str], AnyRunEvent] = {}
    for event in read_run_events(topics):
        seen.setdefault((event.run_id, event.event_id), event)
    return list(seen.values())


def usages(events: list[AnyRunEvent]) -> list[TokenUsage]:
    """Give the usage reports, ordered by what was asked."""
    found = [event.data.token_usage for event in events if isinstance(event, UsageReported)]
    return sorted(found, key=lambda usage: (usage.prompt_preview or "", usage.input_tokens or 0))


def check_that_each_of_five_told_its_own_twice(events: list[AnyRunEvent]) -> None:
    """Each agent asked its own name twice, at the same time as the others."""
    seen = [
        (event.agent_id, event.data.token_usage.prompt_preview) for event in events if isinstance(event, UsageReported)
    ]
    assert sorted(seen) == sorted([(f"agent-{number}", f"agent-{number}") for number in range(5)] * 2)


def test_each_way_of_calling_is_reported_to_the_current_run(run: Run, topics: ConnectionSettings) -> None:
    program = """\
        with client.run("acme", "sage") as run:
            litellm.completion(MODEL, ASKED)
            list(litellm.completion(MODEL, ASKED, **COUNTED))
            litellm.responses(model=MODEL, input="hi there")
            list(litellm.responses(model=MODEL, input="hi there", stream=True))
            litellm.embedding("openai/text-embedding-3-small", input=["a b"])
            logger.flush()
        print(run.run_id)
        """
    run_id = run(program)
    events = once(topics)
    assert {(str(event.run_id), event.project_key, event.agent_id) for event in events} == {(run_id, "acme", "sage")}
    assert usages(events) == [EMBEDDING, RESPONSE, RESPONSE, CHAT, CHAT]


def test_asynchronous_calls_have_equal_results(run: Run, topics: ConnectionSettings) -> None:
    program = """\
        async def call():
            async with AsyncRunClient() as own:
                own_logger = RunledgerLogger(own)
                litellm.callbacks = [own_logger]
                async with own.run("acme", "sage") as run:
                    await litellm.acompletion(MODEL, ASKED)
                    async for _ in await litellm.acompletion(MODEL, ASKED, **COUNTED):
                        pass
                    await litellm.aresponses(model=MODEL, input="hi there")
                    async for _ in await litellm.aresponses(model=MODEL, input="hi there", stream=True):
                        pass
                    await litellm.aembedding("openai/text-embedding-3-small", input=["a b"])
                    await own_logger.aflush()
                print(run.run_id)

        asyncio.run(call())
        """
    run_id = run(program)
    events = once(topics)
    assert {(str(event.run_id), event.agent_id) for event in events} == {(run_id, "sage")}
    assert usages(events) == [EMBEDDING, RESPONSE, RESPONSE, CHAT, CHAT]


def test_tasks_at_once_report_to_their_own_runs(run: Run, topics: ConnectionSettings) -> None:
    program = """\
        async def work(name):
            with client.run("acme", name):
                await litellm.acompletion(MODEL, [{"role": "user", "content": name}])
                async for _ in await litellm.acompletion(MODEL, [{"role": "user", "content": name}], **COUNTED):
                    pass

        async def main():
            await asyncio.gather(*(work(f"agent-{number}") for number in range(5)))
            await logger.aflush()

        asyncio.run(main())
        print("done")
        """
    run(program)
    check_that_each_of_five_told_its_own_twice(once(topics))


def test_a_program_that_ends_at_once_loses_nothing(run: Run, topics: ConnectionSettings) -> None:
    program = """\
        litellm.completion(MODEL, ASKED)
        asyncio.run(litellm.acompletion(MODEL, ASKED))
        print("done")
        """
    run(program)
    events = once(topics)
    assert usages(events) == [CHAT, CHAT]
    assert len({event.run_id for event in events}) == 2


def test_a_call_outside_of_any_run_is_a_run_of_its_own(run: Run, topics: ConnectionSettings) -> None:
    program = """\
        litellm.completion(MODEL, ASKED)
        try:
            litellm.completion("openai/fails-401", ASKED)
        except litellm.AuthenticationError:
            print("raised")
        """
    assert run(program) == "raised"
    by_run: dict[object, list[AnyRunEvent]] = {}
    for event in once(topics):
        assert (event.project_key, event.agent_id) == ("acme", "helper")
        by_run.setdefault(event.run_id, []).append(event)
    kinds = sorted([type(event).__name__ for event in events] for events in by_run.values())
    assert kinds == [["RunStarted", "FailureRecorded", "RunEnded"], ["RunStarted", "UsageReported", "RunEnded"]]


def test_a_call_can_name_its_run(run: Run, topics: ConnectionSettings) -> None:
    program = """\
        run = client.start_run("acme", "sage")
        litellm.completion(MODEL, ASKED, metadata={"runledger_run_id": run.run_id})
        list(litellm.completion(MODEL, ASKED, metadata={"runledger_run_id": str(run.run_id)}, **COUNTED))
        logger.flush()
        print(run.run_id)
        """
    run_id = run(program)
    events = once(topics)
    assert {str(event.run_id) for event in events} == {run_id}
    assert usages(events) == [CHAT, CHAT]


@pytest.mark.parametrize("call", ["litellm.completion({})", "asyncio.run(litellm.acompletion({}))"])
def test_a_failed_call_is_one_failure_and_raises_as_ever(call: str, run: Run, topics: ConnectionSettings) -> None:
    program = f"""\
        try:
            with client.run("acme", "sage"):
                {call.format('"openai/fails-429", ASKED')}
        except litellm.RateLimitError:
            print("raised")
        """
    assert run(program) == "raised"
    started, failure, ended = once(topics)
    assert isinstance(started, RunStarted)
    assert isinstance(failure, FailureRecorded)
    assert "refused with 429" in failure.data.summary
    assert failure.data.context == {"model": "fails-429", "call": "chat completion", "library": "litellm"}
    assert isinstance(ended, RunEnded)
    assert ended.data.status == "failed"


def test_each_attempt_before_a_fallback_is_a_failure(run: Run, topics: ConnectionSettings, server: ModelServer) -> None:
    program = """\
        async def main():
            with client.run("acme", "sage"):
                await litellm.acompletion("openai/fails-400", ASKED, fallbacks=[MODEL])
                await logger.aflush()

        asyncio.run(main())
        print("done")
        """
    run(program)
    events = once(topics)
    assert usages(events) == [CHAT]
    asked = [body["model"] for _, body in server.requests]
    assert asked.count("gpt-4o-mini") == 1
    assert sum(isinstance(event, FailureRecorded) for event in events) == asked.count("fails-400")


def test_repeated_attempts_do_not_make_the_end_wait(run: Run, topics: ConnectionSettings, server: ModelServer) -> None:
    program = """\
        import time

        async def main():
            try:
                with client.run("acme", "sage"):
                    await litellm.acompletion("openai/fails-500", ASKED, num_retries=2, max_retries=0)
            except litellm.InternalServerError:
                began = time.monotonic()
                await logger.aflush(30)
                print(time.monotonic() - began < 15)

        asyncio.run(main())
        """
    assert run(program) == "True"
    assert len(server.requests) > 1
    assert sum(isinstance(event, FailureRecorded) for event in once(topics)) == 1


def test_threads_at_once_report_to_their_own_runs(run: Run, topics: ConnectionSettings) -> None:
    program = """\
        from concurrent.futures import ThreadPoolExecutor

        def work(name):
            with client.run("acme", name):
                litellm.completion(MODEL, [{"role": "user", "content": name}])
                list(litellm.completion(MODEL, [{"role": "user", "content": name}], **COUNTED))

        with ThreadPoolExecutor(5) as pool:
            list(pool.map(work, [f"agent-{number}" for number in range(5)]))
        logger.flush()
        print("done")
        """
    run(program)
    check_that_each_of_five_told_its_own_twice(once(topics))


def test_what_nobody_counted_is_unknown_and_not_nothing(run: Run, topics: ConnectionSettings) -> None:
    program = """\
        with client.run("acme", "sage"):
            list(litellm.completion(MODEL, ASKED, stream=True))
            logger.flush()
        print("done")
        """
    run(program)
    (usage,) = usages(once(topics))
    assert usage == TokenUsage(llm_calls=1, model="gpt-4o-mini", prompt_preview="what is six times seven")


def test_a_secret_in_a_prompt_never_reaches_the_topic(run: Run, topics: ConnectionSettings) -> None:
    secret = "sk-proj-Zx81mQpL0vRt56YbNc27KdWe93HsUa"  # noqa: S105  # planted
    program = f"""\
        with client.run("acme", "sage"):
            litellm.completion(MODEL, [{{"role": "user", "content": "my key is {secret}"}}])
            logger.flush()
        print("done")
        """
    run(program)
    events = once(topics)
    (usage,) = usages(events)
    assert (usage.prompt_preview or "").startswith("my key is [masked:")
    assert all(secret not in repr(event) for event in events)


def test_neither_an_absent_broker_nor_a_closed_client_disturbs_the_program(run: Run) -> None:
    program = """\
        import logging
        import time

        logging.disable()
        away = RunClient("127.0.0.1:1")
        litellm.callbacks = [RunledgerLogger(away, project="acme")]
        began = time.monotonic()
        texts = [litellm.completion(MODEL, ASKED).choices[0].message.content for _ in range(3)]
        away.close(0)
        texts.append(litellm.completion(MODEL, ASKED).choices[0].message.content)
        print((len(set(texts)), time.monotonic() - began < 10))
        """
    assert ast.literal_eval(run(program)) == (1, True)
