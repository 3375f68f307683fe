"""The tools that write: those of the Run Tools document to the letter, and a heartbeat.

`event_id`, `parent_run_id` and `task_id` of `core_start_run` stand beside what that document names.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, TypeVar
from uuid import UUID

from fastmcp import FastMCP
from mcp_types import ToolAnnotations

from runledger.access.keys import Principal
from runledger.producers import doors
from runledger.producers.doors import Emitter, Told
from runledger.producers.doors.parameters import Parameters
from runledger.producers.mcp_server import arguments as a
from runledger.producers.mcp_server.credentials import Identify
from runledger.producers.mcp_server.errors import refusal, told_plainly
from runledger.producers.mcp_server.results import Recorded
from runledger.schemas.identifiers import new_event_id

_ANSWER_SECONDS = 1.6
"""A call is answered within two seconds, whatever the broker does (docs/mcp.md)."""
_Parameters = TypeVar("_Parameters", bound=Parameters)


class WritingTools:
    """Record what agents tell, and answer once the broker has it.

    Args:
        identify: says who calls.
        emitter: takes events to the broker.
    """

    def __init__(self, identify: Identify, emitter: Emitter) -> None:
        self._identify = identify
        self._emitter = emitter

    def add_to(self, server: FastMCP[Any]) -> None:
        """Offer the tools."""
        for tool, repeatable in (
            (self.core_start_run, False),
            (self.core_report_usage, False),
            (self.core_heartbeat, True),
            (self.core_end_run, True),
            (self.core_record_failure, False),
            (self.record_run, False),
        ):
            hints = ToolAnnotations(
                read_only_hint=False, destructive_hint=False, idempotent_hint=repeatable, open_world_hint=False
            )
            server.tool(tool, annotations=hints)

    async def core_start_run(
        self,
        project_key: a.ProjectKey,
        agent_id: a.AgentUuid | None = None,
        run_id: a.NewRunId | None = None,
        summary: a.Intent | None = None,
        meta_json: a.Meta | None = None,
        parent_run_id: a.ParentRunId | None = None,
        task_id: a.TaskId | None = None,
        event_id: a.EventId | None = None,
    ) -> Recorded:
        """Begin an execution run. Call it once, before the work; keep the returned run_id for every later call.

        Then report token usage with core_report_usage, failures with core_record_failure, and close the run with
        core_end_run. For a plain audit entry after the fact use record_run instead. A run that shows no sign of life
        for an hour is given up as timed out; core_heartbeat keeps a long one alive.
        """
        parameters = doors.StartRun.model_construct(
            project_key=project_key,
            agent_id=_text(agent_id),
            run_id=run_id,
            summary=summary,
            meta_json=meta_json or {},
            parent_run_id=parent_run_id,
            task_id=_text(task_id),
        )
        return await self._record(doors.start_run, parameters, event_id)

    async def core_report_usage(
        self,
        run_id: a.RunId,
        token_usage: a.MoreUsage,
        traces: a.Traces | None = None,
        event_id: a.EventId | None = None,
    ) -> Recorded:
        """Add token usage to a run while it works: tokens, cost in US dollars, number of model calls.

        Reports add up, so give what was used since the last report; safe to call many times per run. Leave out what
        you do not know: unknown is not zero.
        """
        parameters = doors.ReportUsage.model_construct(
            run_id=run_id,
            token_usage=token_usage,
            traces=traces or [],
        )
        return await self._record(doors.report_usage, parameters, event_id)

    async def core_heartbeat(self, run_id: a.RunId, event_id: a.EventId | None = None) -> Recorded:
        """Show that a long run is still alive. Call it every few minutes while nothing else is reported."""
        return await self._record(doors.heartbeat, doors.Heartbeat.model_construct(run_id=run_id), event_id)

    async def core_end_run(
        self,
        run_id: a.RunId,
        status: a.EndStatus,
        summary: a.Result | None = None,
        meta_json: a.Meta | None = None,
        token_usage: a.FinalUsage | None = None,
        traces: a.Traces | None = None,
        event_id: a.EventId | None = None,
    ) -> Recorded:
        """Close a run with its final status and a summary of what came of it. Call it once, when the work is over.

        token_usage here is the total of the whole run, not an increment: each field given replaces the sum of the
        reports. Leave it out if core_report_usage told everything. A run ended twice keeps its first end.
        """
        parameters = doors.EndRun.model_construct(
            run_id=run_id,
            status=status,
            summary=summary,
            meta_json=meta_json or {},
            token_usage=token_usage,
            traces=traces or [],
        )
        return await self._record(doors.end_run, parameters, event_id)

    async def core_record_failure(  # noqa: PLR0917  # the document's own parameters, called by name only
        self,
        project_key: a.ProjectKey,
        summary: a.FailureSummary,
        run_id: a.FailedRunId | None = None,
        agent_id: a.FailedAgent | None = None,
        task_id: a.TaskId | None = None,
        error: a.ErrorText | None = None,
        context: a.Context | None = None,
        meta: a.Meta | None = None,
        event_id: a.EventId | None = None,
    ) -> Recorded:
        """Record a failure, so that every agent of the project can learn from it; the run itself goes on.

        Give the whole error: failures are grouped by it, whatever ids, times or addresses it holds. Ask
        recent_failures first whether it was met and resolved before. If the run cannot go on, call core_end_run with
        status failed afterwards.
        """
        parameters = doors.RecordFailure.model_construct(
            project_key=project_key,
            summary=summary,
            run_id=run_id,
            agent_id=_text(agent_id),
            task_id=_text(task_id),
            error=error,
            context=context or {},
            meta=meta or {},
        )
        return await self._record(doors.record_failure, parameters, event_id)

    async def record_run(
        self,
        project_key: a.ProjectKey,
        agent: a.AgentName,
        summary: a.Deed,
        ticket: a.Ticket | None = None,
        meta_json: a.Meta | None = None,
        event_id: a.EventId | None = None,
    ) -> Recorded:
        """Record a whole finished run in one call, as a plain audit entry: who did what, for which ticket.

        It needs no run_id and takes no token usage; use core_start_run and core_end_run for work whose usage counts.
        """
        parameters = doors.RecordRun.model_construct(
            project_key=project_key,
            agent=agent,
            summary=summary,
            ticket=ticket,
            meta_json=meta_json or {},
        )
        return await self._record(doors.record_run, parameters, event_id)

    async def _record(
        self,
        tell: Callable[[Principal, _Parameters, str | None], Told],
        parameters: _Parameters,
        event_id: str | None,
    ) -> Recorded:
        # The parameters are constructed, not validated: the arguments were, by the same types.
        began = time.monotonic()
        with told_plainly():
            # An id chosen now is one that the caller can repeat, whatever comes of this call.
            told = tell(await self._identify(), parameters, event_id or new_event_id())
        left_seconds = _ANSWER_SECONDS - (time.monotonic() - began)
        emission = await self._emitter.emit(told.event, left_seconds)
        ids = told.ids
        repeat = f"call again with the same arguments and event_id={ids.event_id!r}"
        match emission.outcome:
            case "delivered":
                return Recorded(run_id=ids.run_id, event_id=ids.event_id)
            case "unknown":
                raise refusal(
                    f"The outcome is unknown: {emission.reason}. It may or may not have been recorded; to be sure, "
                    f"{repeat}: it counts once."
                )
            case "refused" if emission.too_large:
                raise refusal(f"Not recorded: {emission.reason}. Send less.")
            case "refused":
                raise refusal(f"Not recorded: {emission.reason}. To try again, {repeat}.")


def _text(value: UUID | None) -> str | None:
    return None if value is None else str(value)
