"""What each call of a run's handle means; described once for `Run` and `AsyncRun`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Unpack

from runledger.producers import calls
from runledger.producers.building import UsageFields
from runledger.producers.calls import Call
from runledger.producers.exceptions import describe_exception, is_recorded
from runledger.producers.masking import masker_of
from runledger.producers.open_run import OpenRun
from runledger.producers.settings import ProducerSettings
from runledger.schemas.run_events import EndStatus
from runledger.schemas.values import SUMMARY_IS


def usage(
    settings: ProducerSettings,
    run: OpenRun,
    *,
    traces: Sequence[Mapping[str, Any]] = (),
    event_id: str | None = None,
    occurred_at: datetime | None = None,
    **usage: Unpack[UsageFields],
) -> Call[str]:
    """Report token usage; reports of one run add up. Return the event's id.

    Raises:
        RunEndedError: the run was ended before.
    """
    return calls.report_usage(
        settings,
        run.project,
        run.run_id,
        agent=run.agent,
        traces=traces,
        event_id=event_id,
        occurred_at=occurred_at,
        **usage,
    )


def failure(
    settings: ProducerSettings,
    run: OpenRun,
    summary: str,
    *,
    error: str | None = None,
    context: Mapping[str, Any] | None = None,
    task_id: str | None = None,
    meta: Mapping[str, Any] | None = None,
    event_id: str | None = None,
    occurred_at: datetime | None = None,
) -> Call[str]:
    """Record a failure; the run goes on. Its task is the run's own if none is named. Return the event's id.

    Raises:
        RunEndedError: the run was ended before.
    """
    return calls.record_failure(
        settings,
        run.project,
        summary,
        run_id=run.run_id,
        agent=run.agent,
        error=error,
        context=context,
        task_id=run.task_id if task_id is None else task_id,
        meta=meta,
        event_id=event_id,
        occurred_at=occurred_at,
    )


def heartbeat(
    settings: ProducerSettings, run: OpenRun, *, event_id: str | None = None, occurred_at: datetime | None = None
) -> Call[str]:
    """Show that a long run is alive. Return the event's id.

    Raises:
        RunEndedError: the run was ended before.
    """
    return calls.heartbeat(
        settings, run.project, run.run_id, agent=run.agent, event_id=event_id, occurred_at=occurred_at
    )


def end(
    settings: ProducerSettings,
    run: OpenRun,
    status: EndStatus = "completed",
    *,
    summary: str | None = None,
    meta: Mapping[str, Any] | None = None,
    traces: Sequence[Mapping[str, Any]] = (),
    event_id: str | None = None,
    occurred_at: datetime | None = None,
    **usage: Unpack[UsageFields],
) -> Call[str]:
    """End the run; usage given here is its final, absolute usage. Return the event's id.

    Raises:
        RunEndedError: the run was ended before.
    """
    return calls.end_run(
        settings,
        run.project,
        run.run_id,
        status,
        agent=run.agent,
        summary=summary,
        meta=meta,
        traces=traces,
        event_id=event_id,
        occurred_at=occurred_at,
        **usage,
    )


def end_by(settings: ProducerSettings, run: OpenRun, error: BaseException) -> Iterator[Call[str]]:
    """End a run as the exception that left it says.

    An Exception is a failure, unless it was recorded before, and ends the run failed; anything else (KeyboardInterrupt,
    SystemExit, a cancelled task) ends it interrupted. The end's meta says that its summary is the text of an error.
    """
    quoted = {SUMMARY_IS: "error"}
    told = describe_exception(error, masker_of(settings.mask_patterns))
    if isinstance(error, Exception):
        if not is_recorded(error, run.run_id):
            yield failure(settings, run, told.summary, error=told.error, meta=told.meta)
        yield end(settings, run, "failed", summary=told.summary, meta=quoted)
    else:
        yield end(settings, run, "interrupted", summary=told.summary, meta=quoted)


def untold(run: OpenRun, reason: Exception) -> str:
    """Say, as a note on the host's own exception, that its end could not be recorded."""
    return f"Runledger could not record the end of run {run.run_id}: {reason}"
