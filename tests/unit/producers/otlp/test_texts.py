"""What was said to a model and what came of it, wherever an instrumentation puts it."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from runledger.producers.otlp.texts import output_of, prompt_of
from tests.unit.producers.otlp.requests import one_span

CURRENT = [
    {"role": "system", "parts": [{"type": "text", "content": "Be brief."}]},
    {"role": "user", "parts": [{"type": "text", "content": "Six times"}, {"type": "text", "content": "seven?"}]},
    {"role": "assistant", "parts": [{"type": "tool_call", "name": "multiply", "arguments": {}}]},
    {"role": "tool", "parts": [{"type": "tool_call_response", "result": "42"}]},
]
ANSWER = [{"role": "assistant", "parts": [{"type": "text", "content": "42"}], "finish_reason": "stop"}]


@pytest.mark.parametrize(
    ("attributes", "prompt"),
    [
        ({"gen_ai.input.messages": orjson.dumps(CURRENT).decode()}, "Six times\nseven?"),
        ({"gen_ai.input.messages": CURRENT}, "Six times\nseven?"),
        ({"gen_ai.input.messages": [{"role": "user", "content": "Six"}]}, "Six"),
        ({"gen_ai.prompt.0.role": "system", "gen_ai.prompt.0.content": "Be brief."}, "Be brief."),
        (
            {
                f"gen_ai.prompt.{n}.{part}": text
                for n in range(12)
                for part, text in (("role", "user"), ("content", str(n)))
            },
            "11",
        ),
        ({"gen_ai.prompt.0.content": '[{"type": "text", "text": "Six"}]', "gen_ai.prompt.0.role": "user"}, "Six"),
        ({"gen_ai.prompt.0.content": '[{"not json', "gen_ai.prompt.0.role": "user"}, '[{"not json'),
        (
            {
                "llm.input_messages.0.message.role": "user",
                "llm.input_messages.0.message.content": "Six",
                "input.value": "{}",
            },
            "Six",
        ),
        (
            {
                "llm.input_messages.0.message.role": "user",
                "llm.input_messages.0.message.contents.1.message_content.text": "seven?",
                "llm.input_messages.0.message.contents.0.message_content.text": "Six times",
            },
            "Six times\nseven?",
        ),
        ({"llm.input_messages.x.message.content": "no", "input.value": "raw"}, "raw"),
        ({"embedding.embeddings.0.embedding.text": "to embed"}, "to embed"),
        ({"traceloop.entity.input": '{"question": 1}'}, '{"question": 1}'),
        ({"gen_ai.prompt": "plain"}, "plain"),
        ({"gen_ai.input.messages": "not json", "input.value": "raw"}, "raw"),
        ({"gen_ai.input.messages": [1, {"role": "user", "parts": [1, {"type": "image", "content": "x"}]}]}, None),
        ({"gen_ai.input.messages": '[{"role": "user", "content": "a\\u0000b"}]'}, "a\ufffdb"),
        ({"input.value": "  "}, None),
        ({}, None),
    ],
    ids=range(18),
)
def test_a_model_was_told_this(attributes: dict[str, Any], prompt: str | None) -> None:
    assert prompt_of(one_span(attributes)) == prompt


@pytest.mark.parametrize(
    ("name", "attributes"),
    [
        ("gen_ai.content.prompt", {"gen_ai.prompt": '[{"role": "user", "content": "Six"}]'}),
        ("gen_ai.content.prompt", {"gen_ai.prompt": "Six"}),
        ("gen_ai.client.inference.operation.details", {"gen_ai.input.messages": [{"role": "user", "content": "Six"}]}),
    ],
    ids=["older", "plain", "current"],
)
def test_a_model_was_told_this_in_an_event(name: str, attributes: dict[str, Any]) -> None:
    assert prompt_of(one_span(events=[("other", {}), (name, attributes)])) == "Six"


@pytest.mark.parametrize(
    ("attributes", "output"),
    [
        ({"gen_ai.output.messages": orjson.dumps(ANSWER).decode(), "output.value": "{}"}, "42"),
        ({"llm.output_messages.0.message.role": "assistant", "llm.output_messages.0.message.content": "42"}, "42"),
        ({"gen_ai.completion.0.content": "42", "gen_ai.completion.0.role": "assistant"}, "42"),
        ({"output.value": "done", "output.mime_type": "text/plain"}, "done"),
        ({"traceloop.entity.output": '{"answer": 42}'}, '{"answer": 42}'),
        *(({"output.value": blank}, None) for blank in ("", "  ", "null", "{}", "[]", '""', "\n[]\n")),
        ({"input.value": "asked"}, None),
    ],
    ids=range(13),
)
def test_this_came_of_it(attributes: dict[str, Any], output: str | None) -> None:
    assert output_of(one_span(attributes)) == output


def test_messages_of_far_too_many_parts_are_not_read() -> None:
    parts = '{"text":"a"},' * 60_000
    asked = f'[{{"role":"user","content":[{parts}"b"]}}]'
    assert prompt_of(one_span({"gen_ai.input.messages": asked, "input.value": "else"})) == "else"


@pytest.mark.parametrize("odd", [["text"], {"a": 1}, 7, None], ids=["list", "object", "number", "null"])
def test_a_part_of_no_known_type_says_nothing(odd: object) -> None:
    parts = [{"type": odd, "content": "x"}, {"type": "text", "content": "hi"}]
    asked = [{"role": odd, "parts": parts}]
    assert prompt_of(one_span({"gen_ai.input.messages": orjson.dumps(asked).decode()})) == "hi"
    assert prompt_of(one_span({"gen_ai.input.messages": asked})) == "hi"
