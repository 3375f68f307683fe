from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from runledger.integrations.litellm_calls import CAUGHT_RUN, answered_call, failed_call, run_of, used
from runledger.producers.open_run import OpenRun

TIMES = (datetime(2026, 3, 2, 9, tzinfo=UTC), datetime(2026, 3, 2, 10, tzinfo=UTC))
USAGE = {"prompt_tokens": 5, "completion_tokens": 12, "total_tokens": 17}
COUNTED = {"input_tokens": 5, "output_tokens": 12, "total_tokens": 17}
NAMED, AROUND = UUID(int=1), OpenRun("other", "sage", UUID(int=2))


def details(**further: Any) -> dict[str, Any]:  # noqa: ANN401  # whatever LiteLLM puts there
    """Give what LiteLLM tells of a call."""
    asked = [{"role": "user", "content": "q"}]
    call = {"litellm_call_id": "c", "call_type": "acompletion", "model": "m", "messages": asked, "response_cost": 0.5}
    return call | further


def test_an_answered_call_is_read() -> None:
    call = answered_call(details(), {"usage": USAGE}, TIMES, "acme")
    assert (call.library, call.kind, call.model, call.call_id, call.prompt) == (
        "litellm",
        "chat completion",
        "m",
        "c/m",
        "q",
    )
    assert call.usage == COUNTED | {"cost_usd": 0.5}
    assert (call.started_at, call.ended_at, call.run, call.error) == (*TIMES, None, None)


def test_an_earlier_attempts_exception_does_not_fail_an_answered_call() -> None:
    assert answered_call(details(exception=ValueError()), {"usage": USAGE}, TIMES, "acme").error is None


def test_a_failed_call_has_an_error_even_if_litellm_gives_none() -> None:
    error = ValueError("no")
    assert failed_call(details(exception=error), TIMES, "acme").error is error
    assert isinstance(failed_call(details(), TIMES, "acme").error, RuntimeError)


def test_prompts_that_litellm_redacted_stay_redacted() -> None:
    redacted = {"messages": [{"role": "user", "content": "redacted"}]}
    assert answered_call(details(standard_logging_object=redacted), None, TIMES, "acme").prompt == "redacted"


@pytest.mark.parametrize(
    ("told", "answer", "usage"),
    [
        ({}, {"usage": USAGE}, COUNTED | {"cost_usd": 0.5}),
        ({"response_cost": None}, {"usage": USAGE}, COUNTED),
        ({"response_cost": 0.0}, {"usage": USAGE}, COUNTED | {"cost_usd": 0.0}),
        ({"response_cost": 0.0}, {"usage": {"prompt_tokens": 0, "total_tokens": 0}}, {}),
        ({"response_cost": 0}, None, {}),
        ({"combined_usage_object": USAGE}, None, COUNTED | {"cost_usd": 0.5}),
        ({"combined_usage_object": USAGE, "response_cost": 0.0}, None, COUNTED),
    ],
)
def test_tokens_and_cost_are_litellms(told: dict[str, Any], answer: object, usage: dict[str, Any]) -> None:
    assert used(details(**told), answer) == usage


def test_an_answer_from_the_cache_used_nothing() -> None:
    nothing = {"llm_calls": 0, "input_tokens": 0, "output_tokens": 0, "cost_usd": 0}
    assert used(details(cache_hit=True), {"usage": USAGE}) == nothing


@pytest.mark.parametrize("place", ["metadata", "litellm_metadata"])
@pytest.mark.parametrize("value", [NAMED, str(NAMED)])
def test_the_metadata_names_the_run(place: str, value: object) -> None:
    named = details(litellm_params={place: {"runledger_run_id": value}})
    assert run_of(named, "acme") == OpenRun("acme", "", NAMED)
    assert run_of(named | {CAUGHT_RUN: AROUND}, "acme") == OpenRun("acme", "", NAMED)


def test_the_callers_run_is_taken_otherwise() -> None:
    assert run_of(details(**{CAUGHT_RUN: AROUND}), "acme") is AROUND
    itself = {CAUGHT_RUN: AROUND, "litellm_params": {"metadata": {"runledger_run_id": AROUND.run_id}}}
    assert run_of(details(**itself), "acme") is AROUND
    assert run_of(details(litellm_params=None), "acme") is None


def test_a_name_that_is_no_id_is_logged_and_passed_over(caplog: pytest.LogCaptureFixture) -> None:
    wrong = {CAUGHT_RUN: AROUND, "litellm_params": {"metadata": {"runledger_run_id": "secret"}}}
    assert run_of(details(**wrong), "acme") is AROUND
    assert caplog.messages == ["runledger_run_id in the metadata of a call is not a UUID"]
