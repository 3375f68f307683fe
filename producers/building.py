"""Build events from what a caller says, or refuse it, naming the argument."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, TypedDict, TypeVar
from uuid import UUID

from pydantic import BaseModel, ValidationError

from runledger.producers.errors import InvalidEventError
from runledger.producers.quick_building import check_quickly
from runledger.producers.tellings import Tellable
from runledger.schemas.identifiers import new_event_id, new_run_id, run_id_of
from runledger.schemas.run_events import AnyRunEvent
from runledger.schemas.usage import TokenUsage

_Event = TypeVar("_Event", bound=BaseModel)
_USAGE_FIELDS = frozenset(TokenUsage.model_fields)


class UsageFields(TypedDict, total=False):
    """The fields of `token_usage` (Run Tools); one left out is unknown, not zero."""

    input_tokens: int | None
    output_tokens: int | None
    total_tokens: int | None
    cost_usd: Decimal | float | str | None
    model: str | None
    llm_calls: int | None
    prompt_preview: str | None
    cache_read_tokens: int | None
    cache_write_tokens: int | None
    reasoning_tokens: int | None


def check(
    event_type: type[AnyRunEvent],
    data: Mapping[str, Any],
    *,
    project: str,
    run_id: UUID | str,
    agent: str | None = None,
    event_id: str | None = None,
    occurred_at: datetime | None = None,
) -> Tellable:
    """Check what a call tells, as `build` does; a model is made of it only where only the model can judge it.

    Raises:
        InvalidEventError: a value breaks the event model.
        TypeError: a name within `token_usage` is none of its fields.
    """
    quick = check_quickly(event_type, data, project, run_id, agent, event_id, occurred_at)
    if quick is not None:
        return quick
    refuse_unknown(data.get("token_usage") or {})
    return build(
        event_type,
        data,
        project=project,
        run_id=run_id,
        agent=agent,
        event_id=event_id,
        occurred_at=occurred_at,
    )


def build(
    event_type: type[_Event],
    data: Mapping[str, Any],
    *,
    project: str,
    run_id: UUID | str,
    agent: str | None = None,
    event_id: str | None = None,
    occurred_at: datetime | None = None,
    source: str = "runledger",
) -> _Event:
    """Make one event; None in `data` means left out, a missing id or time is made here.

    Raises:
        InvalidEventError: a value breaks the event model.
    """
    fields = {
        "source": source,
        "event_id": new_event_id() if event_id is None else event_id,
        "project_key": project,
        "run_id": run_id,
        "agent_id": agent,
        "occurred_at": datetime.now(UTC) if occurred_at is None else occurred_at,
        "data": {name: value for name, value in data.items() if value is not None},
    }
    try:
        return event_type.model_validate({name: value for name, value in fields.items() if value is not None})
    except ValidationError as error:
        raise InvalidEventError.from_validation(error) from error


def token_usage(usage: UsageFields) -> dict[str, Any] | None:
    """Take the usage fields that were given; None if there are none.

    Raises:
        TypeError: a name is not a field of token_usage: a misspelt count would be lost without a word.
    """
    refuse_unknown(usage)
    return {name: value for name, value in usage.items() if value is not None} or None


def refuse_unknown(usage: Mapping[str, Any]) -> None:
    """Take usage fields by their names alone.

    Raises:
        TypeError: a name is not a field of token_usage.
    """
    if not _USAGE_FIELDS.issuperset(usage):
        raise TypeError(f"unknown usage fields: {', '.join(sorted(usage.keys() - _USAGE_FIELDS))}")


def one_event_run(project: str, run_id: UUID | str | None, event_id: str | None) -> UUID | str:
    """Choose the run id of a one-event run: given, else made from the caller's event id, else new."""
    if run_id is not None:
        return run_id
    return new_run_id() if event_id is None else run_id_of(project, event_id)
