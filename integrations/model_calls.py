"""A call of a language model, and the events that tell of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import uuid5

from runledger.integrations.previews import preview
from runledger.producers import calls
from runledger.producers.building import UsageFields
from runledger.producers.calls import Call
from runledger.producers.exceptions import describe_exception
from runledger.producers.masking import masker_of
from runledger.producers.open_run import OpenRun
from runledger.producers.settings import ProducerSettings
from runledger.producers.tellings import Tellable
from runledger.schemas.identifiers import NAMESPACE, new_event_id, run_id_of

_MODEL_LIMIT = 255
"""Of `token_usage.model` (docs/events.md)."""


@dataclass(frozen=True, slots=True)
class ModelCall:
    """One finished call, answered or failed.

    Args:
        library: which one made it; part of the events' ids.
        call_id: the same for each telling of the same call; a new one if there is nothing to know it by.
        kind: what was called, in words: "chat completion".
        model: its name.
        run: the run it belongs to; None makes it a run of its own.
        usage: what it used, as far as known.
        error: why it failed; None if it did not.
        prompt: what the user said last, unmasked and of any length.
        started_at: when it began; aware.
        ended_at: when it was over; aware.
    """

    library: str
    kind: str
    model: str
    run: OpenRun | None
    usage: UsageFields
    started_at: datetime
    call_id: str = field(default_factory=new_event_id)
    error: BaseException | None = None
    prompt: str | None = None
    ended_at: datetime = field(default_factory=lambda: datetime.now(UTC))


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose run a call is that belongs to none."""

    project: str
    agent: str


def events_of(settings: ProducerSettings, owner: Owner, call: ModelCall) -> list[Tellable]:
    """Make the events of one call: its usage or its failure, and around them a run of its own if it has none.

    The ids come from the run and the call, so that a call that is told twice counts once.

    Raises:
        InvalidEventError: something breaks the event model.
    """
    run = call.run or OpenRun(owner.project, owner.agent, run_id_of(owner.project, f"{call.library}/{call.call_id}"))
    told: list[Call[str]] = []
    if call.error is None or call.usage:
        told.append(_usage(settings, run, call))
    if call.error is not None:
        told.append(_failure(settings, run, call, call.error))
    events = [one.event for one in told]
    if call.run is not None:
        return events
    return [_start(settings, run, call), *events, _end(settings, run, call)]


def event_id(call: ModelCall, run: OpenRun, kind: str) -> str:
    """Make the id of one event of a call."""
    return str(uuid5(NAMESPACE, f"{run.project}/{call.library}/{run.run_id}/{call.call_id}/{kind}"))


def _usage(settings: ProducerSettings, run: OpenRun, call: ModelCall) -> Call[str]:
    usage = UsageFields(llm_calls=1)
    usage.update(call.usage)
    usage["prompt_preview"] = preview(call.prompt, masker_of(settings.mask_patterns))
    if call.model:
        usage["model"] = call.model[:_MODEL_LIMIT]
    return calls.report_usage(
        settings,
        run.project,
        run.run_id,
        agent=run.agent or None,
        event_id=event_id(call, run, "usage"),
        occurred_at=call.ended_at,
        **usage,
    )


def _failure(settings: ProducerSettings, run: OpenRun, call: ModelCall, error: BaseException) -> Call[str]:
    text = describe_exception(error, masker_of(settings.mask_patterns))
    return calls.record_failure(
        settings,
        run.project,
        text.summary,
        run_id=run.run_id,
        agent=run.agent or None,
        error=text.error,
        context={"model": call.model, "call": call.kind, "library": call.library},
        meta=text.meta,
        event_id=event_id(call, run, "failure"),
        occurred_at=call.ended_at,
    )


def _start(settings: ProducerSettings, run: OpenRun, call: ModelCall) -> Tellable:
    return calls.start_run(
        settings,
        run.project,
        run.agent,
        summary=_summary(call),
        run_id=run.run_id,
        parent_run_id=None,
        event_id=event_id(call, run, "start"),
        occurred_at=min(call.started_at, call.ended_at),
    ).event


def _end(settings: ProducerSettings, run: OpenRun, call: ModelCall) -> Tellable:
    return calls.end_run(
        settings,
        run.project,
        run.run_id,
        "completed" if call.error is None else "failed",
        agent=run.agent or None,
        summary=_summary(call),
        event_id=event_id(call, run, "end"),
        occurred_at=call.ended_at,
    ).event


def _summary(call: ModelCall) -> str:
    return f"{call.kind} with {call.model[:_MODEL_LIMIT] or 'an unnamed model'}"
