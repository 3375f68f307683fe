"""What model libraries say about tokens, in the ledger's words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runledger.producers.building import UsageFields
from runledger.schemas.values import MAX_INTEGER


def _get(source: object, name: str) -> Any:  # noqa: ANN401  # whatever the library put there
    return source.get(name) if isinstance(source, Mapping) else getattr(source, name, None)


def _count(source: object, *names: str) -> int | None:
    """Take the first of these fields that holds a count."""
    for name in names:
        value = _get(source, name)
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_INTEGER:
            return value
    return None


def usage_fields(usage: object) -> UsageFields:
    """Read the usage of a chat completion, a response, an embedding or a LiteLLM call; what is not told is left out.

    Both spellings are known: `prompt_tokens` and `completion_tokens` (chat, embeddings), `input_tokens` and
    `output_tokens` (responses). No tokens at all means that nobody counted them: a call always takes some.

    Args:
        usage: an object with these fields, or a mapping; None if there is none.
    """
    asked = _get(usage, "prompt_tokens_details") or _get(usage, "input_tokens_details")
    answered = _get(usage, "completion_tokens_details") or _get(usage, "output_tokens_details")
    counts = {
        "input_tokens": _count(usage, "prompt_tokens", "input_tokens"),
        "output_tokens": _count(usage, "completion_tokens", "output_tokens"),
        "total_tokens": _count(usage, "total_tokens"),
        "cache_read_tokens": _first(_count(asked, "cached_tokens"), _count(usage, "cache_read_input_tokens")),
        "cache_write_tokens": _first(
            _count(asked, "cache_write_tokens", "cache_creation_tokens"), _count(usage, "cache_creation_input_tokens")
        ),
        "reasoning_tokens": _count(answered, "reasoning_tokens"),
    }
    if not any(counts.values()):
        return {}
    told: UsageFields = {name: value for name, value in counts.items() if value is not None}  # type: ignore[assignment]
    return told


def _first(*values: int | None) -> int | None:
    return next((value for value in values if value is not None), None)
