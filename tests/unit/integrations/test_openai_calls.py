from __future__ import annotations

from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

from runledger.integrations.openai_calls import Observed, ResponseFailedError, only_tells_usage
from runledger.producers.open_run import OpenRun

RUN = OpenRun("acme", "sage", UUID(int=1))
USAGE = SimpleNamespace(prompt_tokens=3, completion_tokens=4, total_tokens=7)


def observed(**asked: Any) -> Observed:  # noqa: ANN401  # any argument of the client's
    """Begin a call."""
    return Observed("chat completion", {"model": "asked", **asked}, RUN, lambda: "fresh")


def chunk(**further: object) -> SimpleNamespace:
    """Make a chunk of a streamed chat completion."""
    return SimpleNamespace(**{"id": "i", "created": 5, "model": "served", "choices": [1], "usage": None} | further)


def test_the_usage_of_any_chunk_is_kept() -> None:
    call = observed()
    for part in (chunk(), chunk(usage=USAGE, choices=[]), chunk()):
        call.see(part)
    told = call.finished()
    assert told is not None
    assert (told.model, told.call_id, told.run) == ("served", "i/5", RUN)
    assert told.usage == {"input_tokens": 3, "output_tokens": 4, "total_tokens": 7}


def test_a_call_is_told_once() -> None:
    call = observed()
    assert call.finished() is not None
    assert call.finished(ValueError()) is None


def test_what_was_asked_stands_in_for_what_was_not_answered() -> None:
    told = observed(messages=[{"role": "user", "content": "q"}]).finished()
    assert told is not None
    assert (told.model, told.call_id, told.prompt, told.usage, told.error) == ("asked", "fresh", "q", {}, None)


def test_the_prompt_is_read_before_the_caller_goes_on() -> None:
    messages = [{"role": "user", "content": "q"}]
    call = observed(messages=messages)
    messages.append({"role": "user", "content": "next"})
    told = call.finished()
    assert told is not None
    assert told.prompt == "q"


def test_only_the_last_event_of_a_streamed_response_counts() -> None:
    call = observed(input="q")
    served = SimpleNamespace(id="r", created_at=6.0, model="served", status="completed", usage=USAGE)
    call.see(SimpleNamespace(type="response.created", response=SimpleNamespace(id="r", usage=None)))
    call.see(SimpleNamespace(type="response.output_text.delta", delta="x"))
    call.see(SimpleNamespace(type="response.completed", response=served))
    told = call.finished()
    assert told is not None
    assert (told.call_id, told.usage["total_tokens"], told.error) == ("r/6.0", 7, None)


@pytest.mark.parametrize(
    "part",
    [
        SimpleNamespace(type="error", code="c", message="m"),
        SimpleNamespace(
            type="response.failed",
            response=SimpleNamespace(id="r", status="failed", error=SimpleNamespace(code="c", message="m")),
        ),
        SimpleNamespace(id="r", status="failed", error=SimpleNamespace(code="c", message="m")),
    ],
)
def test_a_response_that_says_it_failed_is_a_failure(part: object) -> None:
    call = observed()
    call.see(part)
    told = call.finished()
    assert told is not None
    assert isinstance(told.error, ResponseFailedError)
    assert str(told.error) == "c: m"


def test_the_chunk_that_only_tells_usage_is_known() -> None:
    assert only_tells_usage(chunk(usage=USAGE, choices=[]))
    assert not only_tells_usage(chunk(usage=USAGE))
    assert not only_tells_usage(chunk(choices=[]))
    assert not only_tells_usage(SimpleNamespace(type="response.created"))
