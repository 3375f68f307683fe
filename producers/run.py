"""One run that is being told about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Unpack
from uuid import UUID

from runledger.producers.building import UsageFields
from runledger.producers.errors import ProducerError, RunEndedError
from runledger.producers.exceptions import describe_exception
from runledger.schemas.run_events import EndStatus

if TYPE_CHECKING:
    from runledger.producers.client import RunClient


class Run:
    """Tell what happens in one started run. Made by `RunClient.run` and `RunClient.start_run`.

    Every method takes `event_id` (an idempotency key: repeated, it counts once) and `occurred_at` (an aware time, now
    if left out), and raises InvalidEventError, QueueFullError or ClosedError as `Publisher.publish` does.
    """

    def __init__(self, client: RunClient, project: str, agent: str, run_id: UUID) -> None:
        self._client = client
        self.project = project
        self.agent = agent
        self.run_id = run_id
        self.ended = False

    def usage(
        self,
        *,
        traces: Sequence[Mapping[str, Any]] = (),
        event_id: str | None = None,
        occurred_at: datetime | None = None,
        **usage: Unpack[UsageFields],
    ) -> str:
        """Report token usage; reports of one run add up. Return the event's id.

        Raises:
            RunEndedError: the run was ended by this handle.
        """
        self._refuse_if_ended()
        return self._client.report_usage(
            self.project,
            self.run_id,
            agent=self.agent,
            traces=traces,
            event_id=event_id,
            occurred_at=occurred_at,
            **usage,
        )

    def failure(
        self,
        summary: str,
        *,
        error: str | None = None,
        context: Mapping[str, Any] | None = None,
        task_id: str | None = None,
        meta: Mapping[str, Any] | None = None,
        event_id: str | None = None,
        occurred_at: datetime | None = None,
    ) -> str:
        """Record a failure; the run goes on. Return the event's id.

        Raises:
            RunEndedError: the run was ended by this handle.
        """
        self._refuse_if_ended()
        return self._client.record_failure(
            self.project,
            summary,
            run_id=self.run_id,
            agent=self.agent,
            error=error,
            context=context,
            task_id=task_id,
            meta=meta,
            event_id=event_id,
            occurred_at=occurred_at,
        )

    def heartbeat(self, *, event_id: str | None = None, occurred_at: datetime | None = None) -> str:
        """Show that a long run is alive. Return the event's id.

        Raises:
            RunEndedError: the run was ended by this handle.
        """
        self._refuse_if_ended()
        return self._client.heartbeat(
            self.project, self.run_id, agent=self.agent, event_id=event_id, occurred_at=occurred_at
        )

    def end(
        self,
        status: EndStatus = "completed",
        *,
        summary: str | None = None,
        meta: Mapping[str, Any] | None = None,
        traces: Sequence[Mapping[str, Any]] = (),
        event_id: str | None = None,
        occurred_at: datetime | None = None,
        **usage: Unpack[UsageFields],
    ) -> str:
        """End the run; usage given here is its final, absolute usage. Return the event's id.

        Raises:
            RunEndedError: the run was ended by this handle before.
        """
        self._refuse_if_ended()
        ended_by = self._client.end_run(
            self.project,
            self.run_id,
            status,
            agent=self.agent,
            summary=summary,
            meta=meta,
            traces=traces,
            event_id=event_id,
            occurred_at=occurred_at,
            **usage,
        )
        self.ended = True
        return ended_by

    def end_by(self, error: BaseException) -> None:
        """End the run as the exception that left it says; do nothing if it was ended before.

        An Exception is recorded as a failure and ends the run failed; anything else (KeyboardInterrupt, SystemExit, a
        cancelled task) ends it interrupted. What could not be told becomes a note on the exception, never hides it.
        """
        if self.ended:
            return
        told = describe_exception(error)
        try:
            if isinstance(error, Exception):
                self.failure(told.summary, error=told.error, meta=told.meta)
                self.end("failed", summary=told.summary)
            else:
                self.end("interrupted", summary=told.summary)
        except ProducerError as untold:
            error.add_note(f"Runledger could not record the end of run {self.run_id}: {untold}")

    def _refuse_if_ended(self) -> None:
        if self.ended:
            raise RunEndedError(f"run {self.run_id} was ended before")
