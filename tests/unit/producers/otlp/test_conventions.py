"""What a span is about, in each family of names."""

from __future__ import annotations

import pytest

from runledger.producers.otlp.conventions import begins_run, process_agent, run_agent, step_kind, tells_tokens
from tests.unit.producers.otlp.requests import one_span

CALL = {"gen_ai.request.model": "gpt-4o", "gen_ai.usage.input_tokens": 1}


@pytest.mark.parametrize(
    ("attributes", "kind"),
    [
        ({"gen_ai.operation.name": "chat"}, "llm"),
        ({"gen_ai.operation.name": "text_completion"}, "llm"),
        ({"gen_ai.operation.name": "generate_content"}, "llm"),
        ({"gen_ai.operation.name": "embeddings"}, "embedding"),
        ({"gen_ai.operation.name": "execute_tool"}, "tool"),
        ({"gen_ai.operation.name": "invoke_agent"}, "agent"),
        ({"gen_ai.operation.name": "create_agent"}, "agent"),
        ({"gen_ai.operation.name": "invoke_workflow"}, "chain"),
        ({"gen_ai.operation.name": "retrieval"}, "retriever"),
        ({"gen_ai.operation.name": "invoke_agent", **CALL}, "agent"),
        ({"gen_ai.operation.name": "of_tomorrow", **CALL}, "chain"),
        ({"openinference.span.kind": "LLM"}, "llm"),
        ({"openinference.span.kind": "EMBEDDING"}, "embedding"),
        ({"openinference.span.kind": "TOOL"}, "tool"),
        ({"openinference.span.kind": "AGENT"}, "agent"),
        ({"openinference.span.kind": "CHAIN", **CALL}, "chain"),
        ({"openinference.span.kind": "RETRIEVER"}, "retriever"),
        ({"openinference.span.kind": "RERANKER"}, "reranker"),
        ({"openinference.span.kind": "GUARDRAIL"}, "guardrail"),
        ({"openinference.span.kind": "EVALUATOR"}, "evaluator"),
        ({"openinference.span.kind": "UNKNOWN"}, None),
        ({"llm.request.type": "chat"}, "llm"),
        ({"llm.request.type": "completion"}, "llm"),
        ({"llm.request.type": "embedding"}, "embedding"),
        ({"llm.request.type": "rerank"}, "reranker"),
        ({"traceloop.span.kind": "workflow"}, "chain"),
        ({"traceloop.span.kind": "task"}, "chain"),
        ({"traceloop.span.kind": "agent"}, "agent"),
        ({"traceloop.span.kind": "tool"}, "tool"),
        (CALL, "llm"),
        ({"gen_ai.response.model": "gpt-4o", "gen_ai.usage.completion_tokens": 1}, "llm"),
        ({"gen_ai.request.model": "gpt-4o"}, None),
        ({"http.request.method": "GET", "server.address": "example.com"}, None),
        ({"db.system": "postgresql"}, None),
        ({"openinference.span.kind": 7}, None),
        ({}, None),
    ],
    ids=range(36),
)
def test_a_span_shows_this_step(attributes: dict[str, object], kind: str | None) -> None:
    assert step_kind(attributes) == kind


@pytest.mark.parametrize(("kind", "whole"), [(0, True), (1, True), (2, True), (3, False), (4, False), (5, True)])
def test_a_call_of_something_outside_is_no_run_by_itself(kind: int, whole: bool) -> None:
    span = one_span({"http.request.method": "GET"}, parent=None, kind=kind)
    assert begins_run(span, None) is whole


def test_a_call_of_a_model_outside_any_span_is_a_run() -> None:
    assert begins_run(one_span({"gen_ai.operation.name": "chat"}, parent=None, kind=3), "llm")


def test_a_span_with_a_parent_is_no_run() -> None:
    assert not begins_run(one_span({"openinference.span.kind": "AGENT"}), "agent")


@pytest.mark.parametrize("kind", ["tool", "agent", "chain", "retriever", "reranker", "guardrail"])
def test_only_calls_of_models_tell_tokens(kind: str) -> None:
    span = one_span()
    assert tells_tokens(span, "llm")
    assert tells_tokens(span, "embedding")
    assert not tells_tokens(span, kind)  # type: ignore[arg-type]  # each is a StepKind


def test_one_of_several_instrumentations_can_be_chosen_to_tell_tokens() -> None:
    resource = {"runledger.usage_scopes": "other openinference.instrumentation.openai"}
    assert tells_tokens(one_span(resource=resource), "llm")
    assert not tells_tokens(one_span(resource=resource, scope="openinference.instrumentation.langchain"), "llm")


@pytest.mark.parametrize(
    ("attributes", "resource", "agent"),
    [
        ({"gen_ai.agent.name": " scout ", "agent.name": "x"}, {"service.name": "svc"}, "scout"),
        ({"agent.name": "scout"}, {"service.name": "svc"}, "scout"),
        ({"traceloop.span.kind": "agent", "traceloop.entity.name": "scout"}, {"service.name": "svc"}, "scout"),
        ({"traceloop.span.kind": "task", "traceloop.entity.name": "scout"}, {"service.name": "svc"}, "svc"),
        ({}, {"gen_ai.agent.name": "scout", "service.name": "svc"}, "scout"),
        ({"gen_ai.agent.name": "  "}, {"service.name": "svc"}, "svc"),
        ({"gen_ai.agent.name": 7}, {"service.name": "unknown_service:python"}, "unknown"),
        ({"gen_ai.agent.id": "asst_1", "user.id": "u"}, {}, "unknown"),
    ],
    ids=range(8),
)
def test_a_run_has_this_agent(attributes: dict[str, object], resource: dict[str, object], agent: str) -> None:
    assert run_agent(one_span(attributes, resource=resource)) == agent


def test_a_process_without_a_name_has_no_agent() -> None:
    assert process_agent({"service.name": "unknown_service"}) is None
