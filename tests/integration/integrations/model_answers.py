"""What the model server answers: OpenAI's bodies and stream events, with token counts that can be reckoned."""

from __future__ import annotations

import base64
import struct
import uuid
from collections.abc import Iterator
from typing import Any, TypeAlias

Body: TypeAlias = dict[str, Any]

ANSWER = "Six times seven is forty-two."
ANSWER_TOKENS = 12
REASONING_TOKENS = 4
CACHED_TOKENS = 3
CREATED = 1_760_000_000
REPEATING_MODEL = "gpt-4o-repeats"
"""Its answers all carry one id, as an answer does that is delivered twice."""
BROKEN_MODEL = "gpt-4o-breaks-off"
"""Its streams end in the middle; its streamed responses fail."""
_VECTOR = (0.25, -0.5, 0.75)


def count_tokens(asked: object) -> int:
    """Count the words of whatever was asked, of every text in it but the roles and types."""
    match asked:
        case str():
            return len(asked.split())
        case dict():
            return sum(count_tokens(value) for name, value in asked.items() if name not in {"role", "type"})
        case list():
            return sum(map(count_tokens, asked))
        case _:
            return 0


def _new_id(prefix: str, model: str) -> str:
    return f"{prefix}repeated" if model == REPEATING_MODEL else f"{prefix}{uuid.uuid4().hex}"


def chat_usage(body: Body) -> Body:
    """Usage of a chat completion."""
    asked = count_tokens(body["messages"])
    return {
        "prompt_tokens": asked,
        "completion_tokens": ANSWER_TOKENS,
        "total_tokens": asked + ANSWER_TOKENS,
        "prompt_tokens_details": {"cached_tokens": min(CACHED_TOKENS, asked), "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": REASONING_TOKENS, "audio_tokens": 0},
    }


def _tool_call(body: Body) -> Body | None:
    if not body.get("tools"):
        return None
    name = body["tools"][0]["function"]["name"]
    return {"id": "call_1", "type": "function", "function": {"name": name, "arguments": '{"number": 42}'}}


def chat_completion(body: Body) -> Body:
    """Answer in one piece; the first tool is called if there are any."""
    call = _tool_call(body)
    message: Body = {"role": "assistant", "content": None if call else ANSWER, "refusal": None}
    if call:
        message["tool_calls"] = [call]
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "tool_calls" if call else "stop"}
    return {
        "id": _new_id("chatcmpl-", body["model"]),
        "object": "chat.completion",
        "created": CREATED,
        "model": body["model"],
        "choices": [choice],
        "usage": chat_usage(body),
    }


def chat_chunks(body: Body) -> Iterator[Body]:
    """Answer in chunks; the last one, without a choice, holds the usage if `include_usage` was asked for."""
    with_usage = bool((body.get("stream_options") or {}).get("include_usage"))
    head = {
        "id": _new_id("chatcmpl-", body["model"]),
        "object": "chat.completion.chunk",
        "created": CREATED,
        "model": body["model"],
    }

    def chunk(delta: Body, finish_reason: str | None = None) -> Body:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
        return {**head, "choices": [choice], **({"usage": None} if with_usage else {})}

    call = _tool_call(body)
    yield chunk({"role": "assistant", "content": None if call else ""})
    if call:
        yield chunk({"tool_calls": [{"index": 0, **call}]})
    else:
        for word in ANSWER.split(" "):
            yield chunk({"content": f"{word} "})
            if body["model"] == BROKEN_MODEL:
                return
    yield chunk({}, "tool_calls" if call else "stop")
    if with_usage:
        yield {**head, "choices": [], "usage": chat_usage(body)}


def _response(body: Body, response_id: str, status: str) -> Body:
    asked = count_tokens(body.get("input")) + count_tokens(body.get("instructions"))
    part = {"type": "output_text", "text": ANSWER, "annotations": [], "logprobs": []}
    message = {"type": "message", "id": "msg_1", "status": "completed", "role": "assistant", "content": [part]}
    usage = {
        "input_tokens": asked,
        "input_tokens_details": {"cached_tokens": min(CACHED_TOKENS, asked)},
        "output_tokens": ANSWER_TOKENS,
        "output_tokens_details": {"reasoning_tokens": REASONING_TOKENS},
        "total_tokens": asked + ANSWER_TOKENS,
    }
    done = status == "completed"
    return {
        "id": response_id,
        "object": "response",
        "created_at": CREATED,
        "status": status,
        "error": {"code": "server_error", "message": "the model broke off"} if status == "failed" else None,
        "incomplete_details": None,
        "instructions": body.get("instructions"),
        "model": body["model"],
        "output": [message] if done else [],
        "parallel_tool_calls": True,
        "temperature": 1.0,
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "metadata": {},
        "usage": usage if done else None,
    }


def response(body: Body) -> Body:
    """Answer a request of the Responses API in one piece."""
    return _response(body, _new_id("resp_", body["model"]), "completed")


def response_events(body: Body) -> Iterator[Body]:
    """Answer a request of the Responses API in events."""
    response_id = _new_id("resp_", body["model"])
    place = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    empty = {"type": "message", "id": "msg_1", "status": "in_progress", "role": "assistant", "content": []}
    events: list[Body] = [
        {"type": "response.created", "response": _response(body, response_id, "in_progress")},
        {"type": "response.output_item.added", "output_index": 0, "item": empty},
        {
            "type": "response.content_part.added",
            **place,
            "part": {"type": "output_text", "text": "", "annotations": []},
        },
    ]
    events += [
        {"type": "response.output_text.delta", **place, "delta": f"{word} ", "logprobs": []}
        for word in ANSWER.split(" ")
    ]
    if body["model"] == BROKEN_MODEL:
        events.append({"type": "response.failed", "response": _response(body, response_id, "failed")})
    else:
        whole = _response(body, response_id, "completed")
        events.append({"type": "response.output_text.done", **place, "text": ANSWER, "logprobs": []})
        events.append({"type": "response.output_item.done", "output_index": 0, "item": whole["output"][0]})
        events.append({"type": "response.completed", "response": whole})
    for number, event in enumerate(events):
        yield {**event, "sequence_number": number}


def embeddings(body: Body) -> Body:
    """Give each text the same vector, as numbers or packed."""
    asked = body["input"] if isinstance(body["input"], list) else [body["input"]]
    vector: object = list(_VECTOR)
    if body.get("encoding_format") == "base64":
        vector = base64.b64encode(struct.pack(f"<{len(_VECTOR)}f", *_VECTOR)).decode()
    tokens = count_tokens(asked)
    return {
        "object": "list",
        "data": [{"object": "embedding", "index": index, "embedding": vector} for index in range(len(asked))],
        "model": body["model"],
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
    }
