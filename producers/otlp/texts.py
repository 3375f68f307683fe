"""What was said to a model, and what came of a run, as far as its spans tell."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import orjson

from runledger.producers.otlp.conventions import text_at
from runledger.producers.otlp.spans import Attributes, Span, clean

_FLAT_INPUTS = ("llm.input_messages.", "gen_ai.prompt.")
_FLAT_OUTPUTS = ("llm.output_messages.", "gen_ai.completion.")
_FLAT = re.compile(
    r"(?P<index>[0-9]{1,5})\.(?:message\.)?"
    r"(?P<part>role|content|contents\.(?P<within>[0-9]{1,5})\.message_content\.text)"
)
"""A message among flattened attributes, such as llm.input_messages.0.message.content and gen_ai.prompt.0.role."""
_BLANK_DOCUMENTS = frozenset({"", "null", "{}", "[]", '""'})
"""An output that is one of these is none."""
_TEXT_TYPES = ("text", "input_text", "output_text")
"""No set: what stands there in a hostile message need not be hashable."""
_MOST_WITHIN = 50_000
"""Objects and lists of a JSON text that are read; a text of eight megabytes may hold millions, and no thread else runs
while they are made."""


def prompt_of(span: Span) -> str | None:
    """Give what a model was last told by its user, or else the whole input."""
    attributes = span.attributes
    messages = [*_messages(attributes.get("gen_ai.input.messages")), *_flattened(attributes, _FLAT_INPUTS)]
    return (
        _last(messages, "user")
        or _of_events(span, ("gen_ai.input.messages", "gen_ai.prompt"), "user")
        or text_at(attributes, "gen_ai.prompt", "embedding.embeddings.0.embedding.text")
        or text_at(attributes, "input.value", "traceloop.entity.input")
    )


def output_of(span: Span) -> str | None:
    """Give what came of a span; None where nothing did."""
    attributes = span.attributes
    messages = [*_messages(attributes.get("gen_ai.output.messages")), *_flattened(attributes, _FLAT_OUTPUTS)]
    text = (
        _last(messages, "assistant")
        or _of_events(span, ("gen_ai.output.messages", "gen_ai.completion"), "assistant")
        or text_at(attributes, "gen_ai.completion", "output.value", "traceloop.entity.output")
    )
    return None if text is None or text in _BLANK_DOCUMENTS else text


def _of_events(span: Span, names: tuple[str, ...], role: str) -> str | None:
    """Look into the events too: there some instrumentations put what is said."""
    for event in span.events:
        for name in names:
            found = _last(_messages(event.attributes.get(name)), role) or text_at(event.attributes, name)
            if found is not None:
                return found
    return None


def _last(messages: list[tuple[str, str]], role: str) -> str | None:
    """Give the last text of that role, or else the last of any."""
    for spoken_by, text in reversed(messages):
        if spoken_by == role:
            return text
    return messages[-1][1] if messages else None


def _messages(value: object) -> list[tuple[str, str]]:
    """Give (role, text) of structured messages, or of their JSON."""
    if isinstance(value, str):
        if value.count("{") + value.count("[") > _MOST_WITHIN:
            return []
        try:
            value = orjson.loads(value)
        except orjson.JSONDecodeError:
            return []
    if not isinstance(value, list):
        return []
    found = []
    for message in value:
        if isinstance(message, dict):
            text = clean("\n".join(_texts(message.get("parts", message.get("content"))))).strip()
            if text:
                found.append((str(message.get("role", "")), text))
    return found


def _texts(content: object) -> Iterator[str]:
    """Give the texts among a message's parts; images, calls of tools and the like are left out."""
    if isinstance(content, str):
        yield content
    elif isinstance(content, list):
        for part in content:
            if isinstance(part, str):
                yield part
            elif isinstance(part, dict) and part.get("type", "text") in _TEXT_TYPES:
                text = part.get("content", part.get("text"))
                if isinstance(text, str):
                    yield text


def _flattened(attributes: Attributes, prefixes: tuple[str, ...]) -> list[tuple[str, str]]:
    """Give (role, text) of messages that are spread over attributes."""
    roles: dict[int, str] = {}
    texts: dict[int, list[tuple[int, str]]] = {}
    for name, value in attributes.items():
        if not name.startswith(prefixes) or not isinstance(value, str):
            continue
        prefix = next(prefix for prefix in prefixes if name.startswith(prefix))
        match = _FLAT.fullmatch(name, len(prefix))
        if match is None:
            continue
        index = int(match["index"])
        if match["part"] == "role":
            roles[index] = value
        elif value.strip():
            texts.setdefault(index, []).append((int(match["within"] or 0), _of_parts(value)))
    return [
        (roles.get(index, ""), "\n".join(text for _, text in sorted(texts[index])).strip()) for index in sorted(texts)
    ]


def _of_parts(content: str) -> str:
    """Read a content that is itself the JSON of parts, as OpenLLMetry writes it."""
    if not content.startswith('[{"'):
        return content
    parsed: Any = _messages(f'[{{"content": {content}}}]')
    return parsed[0][1] if parsed else content
