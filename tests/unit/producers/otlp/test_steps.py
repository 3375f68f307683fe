"""What a waterfall of a run is drawn from."""

from __future__ import annotations

from typing import Any

import pytest

from runledger.producers.otlp.steps import trace_entry
from tests.unit.producers.otlp.requests import CHILD, ROOT, SHORTENER, one_span


def entry(kind: str, attributes: dict[str, Any], **options: Any) -> dict[str, Any]:  # noqa: ANN401  # as one_span
    return trace_entry(one_span(attributes, **options), kind, SHORTENER)  # type: ignore[arg-type]  # a StepKind


def test_a_call_of_a_model_shows_its_place_its_times_and_its_model() -> None:
    attributes = {"gen_ai.response.model": "gpt-4o", "gen_ai.provider.name": "openai", "gen_ai.response.id": "r1"}
    assert entry("llm", attributes, name="chat gpt-4o", start_ms=250, end_ms=1750) == {
        "span_id": CHILD,
        "parent_span_id": ROOT,
        "name": "chat gpt-4o",
        "kind": "llm",
        "started_at": "2025-06-15T15:06:40.250000+00:00",
        "duration_ms": 1500.0,
        "status": "ok",
        "model": "gpt-4o",
        "provider": "openai",
        "response_id": "r1",
    }


@pytest.mark.parametrize(
    "attributes",
    [
        {"gen_ai.tool.name": "search", "gen_ai.tool.call.arguments": {"q": 1}, "gen_ai.tool.call.result": "none"},
        {"tool.name": "search", "tool.parameters": '{"q":1}', "output.value": "none"},
        {"tool.name": "search", "input.value": '{"q":1}', "output.value": "none"},
        {
            "traceloop.entity.name": "search",
            "traceloop.entity.input": '{"q":1}',
            "traceloop.entity.output": "none",
        },
    ],
    ids=["current", "parameters", "value", "traceloop"],
)
def test_a_tool_shows_what_it_was_given_and_what_it_gave(attributes: dict[str, Any]) -> None:
    shown = entry("tool", attributes)
    assert (shown["tool"], shown["arguments"], shown["result"]) == ("search", '{"q":1}', "none")


def test_a_tool_s_definition_is_not_what_it_was_given() -> None:
    """OpenInference's own decorator of tools tells the schema of the parameters under their name."""
    told = {"input.value": '{"q":1}', "tool.parameters": '{"type":"object"}'}
    assert entry("tool", told)["arguments"] == '{"q":1}'


def test_arguments_are_cut() -> None:
    assert len(entry("tool", {"tool.parameters": "x" * 9000})["arguments"]) == 2000


@pytest.mark.parametrize("name", ["gen_ai.retrieval.query.text", "input.value"])
def test_a_retriever_shows_its_query(name: str) -> None:
    assert entry("retriever", {name: "leaks"})["query"] == "leaks"


def test_a_failed_step_shows_it() -> None:
    assert entry("agent", {"agent.name": "scout"}, status={"code": 2})["status"] == "error"


def test_what_is_not_told_is_left_out() -> None:
    assert set(entry("chain", {"input.value": "x"}, parent=None)) == {
        *("span_id", "name", "kind", "started_at", "duration_ms", "status")
    }
