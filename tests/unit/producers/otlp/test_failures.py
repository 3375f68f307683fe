"""What a failed span says of its failure."""

from __future__ import annotations

from typing import Any

import pytest

from runledger.producers.otlp.failures import failure_of
from runledger.schemas.run_events import FailureData
from tests.unit.producers.otlp.requests import CHILD, SHORTENER, TRACE, one_span

STACK = 'Traceback (most recent call last):\n  File "a.py", line 3, in f\nopenai.RateLimitError: Error code: 429'
EXCEPTION = {
    "exception.type": "openai.RateLimitError",
    "exception.message": "Error code: 429",
    "exception.stacktrace": STACK,
}


def failure(**options: Any) -> FailureData:  # noqa: ANN401  # as one_span takes them
    said = failure_of(one_span(**{"status": {"code": 2}, **options}), "llm", "T-1", SHORTENER)
    return FailureData.model_validate(said)


def test_an_exception_is_the_failure() -> None:
    said = failure(name="chat gpt-4o", attributes={"gen_ai.request.model": "gpt-4o"}, events=[("exception", EXCEPTION)])
    assert said.summary == "openai.RateLimitError: Error code: 429"
    assert said.error == STACK
    assert said.task_id == "T-1"
    assert said.context == {
        "trace_id": TRACE,
        "span_id": CHILD,
        "name": "chat gpt-4o",
        "kind": "llm",
        "error_type": "openai.RateLimitError",
        "model": "gpt-4o",
    }


def test_of_several_exceptions_the_last_counts() -> None:
    events = [("exception", {"exception.message": "first"}), ("log", {}), ("exception", {"exception.message": "last"})]
    assert failure(events=events).summary == "last"


def test_a_stack_that_does_not_name_its_message_gets_it() -> None:
    event = {"exception.type": "Error", "exception.message": "no", "exception.stacktrace": "at f (a.js:3)"}
    assert failure(events=[("exception", event)]).error == "Error: no\nat f (a.js:3)"


@pytest.mark.parametrize(
    ("options", "summary", "error"),
    [
        ({"status": {"code": 2, "message": "boom"}}, "boom", "boom"),
        ({"status": {"code": 2, "message": "boom"}, "attributes": {"error.type": "500"}}, "500: boom", "500: boom"),
        ({"attributes": {"error.type": "timeout"}}, "timeout", "timeout"),
        ({"status": {"code": 2, "message": "E: boom"}, "attributes": {"error.type": "E"}}, "E: boom", "E: boom"),
        ({"name": "chat"}, "chat failed", None),
        ({"name": ""}, "a span failed", None),
    ],
    ids=range(6),
)
def test_without_an_exception_the_status_says_it(options: dict[str, Any], summary: str, error: str | None) -> None:
    said = failure(**options)
    assert (said.summary, said.error) == (summary, error)


def test_a_long_stack_keeps_both_ends() -> None:
    stack = "Traceback\n" + "  frame\n" * 5000 + "ValueError: no"
    error = failure(events=[("exception", {"exception.stacktrace": stack})]).error or ""
    assert (len(error), error[:9], error[-14:]) == (8000, "Traceback", "ValueError: no")
