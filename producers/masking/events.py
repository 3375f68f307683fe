"""Events without their secrets."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from msgspec.structs import replace
from pydantic import BaseModel

from runledger.producers.masking.masker import Masker
from runledger.schemas.lean_events import AnyTokenUsage
from runledger.schemas.run_events import AnyRunEvent
from runledger.schemas.usage import TokenUsage
from runledger.schemas.values import MAX_ERROR, MAX_EVENT_BYTES, MAX_SUMMARY, MAX_VALUE_BYTES

TEXT_LIMITS = {
    "summary": MAX_SUMMARY,
    "error": MAX_ERROR,
    "note": MAX_SUMMARY,
    "reason": MAX_SUMMARY,
    "ticket": 64,
    "by": 255,
    "prompt_preview": MAX_SUMMARY,
}
"""Fields of text that are masked, and the characters each takes (docs/events.md)."""
JSON_FIELDS = frozenset({"meta", "context", "actions_taken"})
KEPT_FIELDS = frozenset({"task_id", "parent_run_id", "model", "fingerprint"})
"""Fields of text that stay: by an id records are found and joined, and one marker for two ids would make them one."""


def mask_event(event: AnyRunEvent, masker: Masker) -> AnyRunEvent:
    """Mask everything in an event but its ids; return the same object if there is nothing to mask.

    What was within the limits of the event model stays within: where markers would break one, they are shortened.
    """
    masked = _masked(event, masker, cramped=False)
    if masked is not event and _size(masked) > MAX_EVENT_BYTES:
        return _masked(event, masker, cramped=True)
    return masked


def _masked(event: AnyRunEvent, masker: Masker, *, cramped: bool) -> AnyRunEvent:
    changed = mask_fields(event.data.__dict__, masked_fields(event.data.__class__), masker, cramped=cramped)
    if not changed:
        return event
    return event.model_copy(update={"data": event.data.model_copy(update=changed)})


def _size(event: AnyRunEvent) -> int:
    return len(event.__pydantic_serializer__.to_json(event, by_alias=True, exclude_none=True))


def mask_fields(
    fields: Mapping[str, Any], names: tuple[str, ...], masker: Masker, *, cramped: bool = False
) -> dict[str, Any]:
    """Give the fields of a payload that masking changes.

    Args:
        fields: the payload's; one left out is none to mask.
        names: those of its class that `masked_fields` names.
        masker: masks.
        cramped: no marker may be longer than its secret.
    """
    changed: dict[str, Any] = {}
    for name in names:
        value = fields.get(name)
        if not value or (value.__class__ is str and masker.is_clean(value)):
            continue
        if (masked := _field(name, value, masker, cramped=cramped)) is not value:
            changed[name] = masked
    return changed


@cache
def masked_fields(kind: type[BaseModel]) -> tuple[str, ...]:
    """Name the fields of a payload that may hold something to mask."""
    masked = TEXT_LIMITS.keys() | JSON_FIELDS | {"traces", "token_usage"}
    return tuple(name for name in kind.model_fields if name in masked)


_USAGE = masked_fields(TokenUsage)


def _field(name: str, value: Any, masker: Masker, *, cramped: bool) -> Any:  # noqa: ANN401  # any field's value
    if isinstance(value, str):
        return masker.mask_text(value, 0 if cramped else TEXT_LIMITS[name])
    if name == "token_usage":
        return _usage(value, masker, cramped=cramped)
    if name == "traces":
        return _traces(value, masker, 0 if cramped else MAX_VALUE_BYTES)
    return masker.mask_json(value, 0 if cramped else MAX_VALUE_BYTES)


def _usage(usage: AnyTokenUsage, masker: Masker, *, cramped: bool) -> AnyTokenUsage:
    changed: dict[str, Any] = {}
    for name in _USAGE:
        text = getattr(usage, name)
        if text and not masker.is_clean(text):
            changed[name] = _field(name, text, masker, cramped=cramped)
    if not changed:
        return usage
    return usage.model_copy(update=changed) if isinstance(usage, TokenUsage) else replace(usage, **changed)


def _traces(traces: list[dict[str, Any]], masker: Masker, max_bytes: int) -> list[dict[str, Any]]:
    masked = [masker.mask_json(trace, max_bytes) for trace in traces]
    return masked if any(new is not old for new, old in zip(masked, traces, strict=True)) else traces
